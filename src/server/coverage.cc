#include "server/coverage.h"

#include "async/loop.h"
#include "platform/dispatcher.h"
#include "server/wiring.h"

namespace virga::server {
namespace {

async::Detached load_then_stop(Wiring* wiring, async::EpollLoop* loop) {
  const Result<void> loaded = co_await as_result(wiring->load());
  CHECK(loaded);
  loop->stop();
}

}  // namespace

std::string coverage_text(std::string_view which) {
  // The services as they are served, over a store in memory.
  ServeOptions options;
  options.memory = true;
  async::EpollLoop loop(async::real_env());
  const auto wiring = Wiring::build(loop, options, -1);
  CHECK(wiring);
  loop.post([&] { load_then_stop(wiring->get(), &loop); });
  loop.run();
  std::string out;
  for (const aws::ServiceDesc* service : aws::all_services()) {
    if (!which.empty() && which != "--markdown" && which != service->name) continue;
    const aws::ServiceBinding* bound = (*wiring)->dispatcher().binding(*service);
    size_t implemented = 0;
    std::string lines;
    for (const aws::OperationDesc& op : service->operations) {
      const bool there = bound && bound->implements(op);
      implemented += there;
      std::string missing;
      if (there) {
        for (const auto& note : bound->partial) {
          if (note.operation == op.name) missing += (missing.empty() ? "" : "; ") + std::string(note.what);
        }
      }
      if (!there && which.empty()) continue;
      lines += "  " + std::string(op.name) + ": " +
               (!there ? "not implemented" : missing.empty() ? "implemented" : "partial: " + missing) + "\n";
    }
    out += std::string(service->name) + " " + std::to_string(implemented) + "/" +
           std::to_string(service->operations.size()) + "\n" + lines;
  }
  return out;
}

}  // namespace virga::server
