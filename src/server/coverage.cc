#include "server/coverage.h"

#include "async/loop.h"
#include "aws/coverage.h"
#include "platform/dispatcher.h"
#include "server/wiring.h"

namespace virga::server {
namespace {

async::Detached load_then_stop(Wiring* wiring, async::EpollLoop* loop) {
  const Result<void> loaded = co_await as_result(wiring->load());
  CHECK(loaded);
  const Result<void> stopped = co_await as_result(wiring->stop());
  CHECK(stopped);
  loop->stop();
}

std::string text_of(std::string_view which, const platform::Dispatcher& dispatcher) {
  if (which == "--markdown") {
    return aws::coverage_markdown(
        [&](const aws::ServiceDesc& service) { return dispatcher.binding(service); },
        aws::all_services());
  }
  std::string out;
  for (const aws::ServiceDesc* service : aws::all_services()) {
    if (!which.empty() && which != service->name) continue;
    const aws::ServiceBinding* bound = dispatcher.binding(*service);
    const aws::CoverageCounts counts = aws::count_coverage(*service, bound);
    out += std::string(service->name) + ": " + std::to_string(counts.implemented) +
           " implemented, " + std::to_string(counts.partial) + " partial, of " +
           std::to_string(counts.total) + "\n" +
           aws::coverage_text(*service, bound,
                              which.empty() ? aws::Missing::left_out : aws::Missing::listed);
  }
  return out;
}

}  // namespace

std::string coverage_text(std::string_view which) {
  // The services as they are served, over a store in memory.
  ServeOptions options;
  options.memory = true;
  async::EpollLoop loop(async::real_env());
  auto wiring = Wiring::build(loop, options, -1);
  CHECK(wiring);
  loop.post([&] { load_then_stop(wiring->get(), &loop); });
  loop.run();
  return text_of(which, (*wiring)->dispatcher());
}

}  // namespace virga::server
