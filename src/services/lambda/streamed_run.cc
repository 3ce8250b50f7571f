// Runs whose answers are taken while they are written. Source: Lambda Developer Guide, "Response
// streaming for Lambda functions".
#include "async/byte_stream.h"
#include "async/call_on.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"

namespace virga::lambda {
namespace {

using RunRef = Service::StreamedRunRef;

// On the home loop.
Task<std::string> next_piece(RunRef run, size_t max) {
  std::string piece = co_await run->answer->pipe.pull(max);
  if (!piece.empty()) co_return std::move(piece);
  const bool failed = !run->done || !*run->done || !(*run->done)->function_error.empty();
  if (failed) co_return fail(errors::service_exception("the function failed while it answered"));
  co_return std::move(piece);
}

class StreamedBody final : public async::ByteSource {
 public:
  StreamedBody(async::Loop& home, RunRef run) : home_(home), run_(std::move(run)) {}
  ~StreamedBody() override {
    home_.post([run = std::move(run_)] { run->answer->pipe.close(); });
  }
  Task<std::string> read(size_t max) override {
    auto pulling = next_piece(run_, max);
    auto piece = co_await async::call_on(home_, std::move(pulling));
    co_return std::move(piece);
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  async::Loop& home_;
  RunRef run_;
};

}  // namespace

std::unique_ptr<async::ByteSource> Service::body_of(StreamedRunRef run) {
  return std::make_unique<StreamedBody>(home_, std::move(run));
}

Task<RunRef> Service::run_streamed(RunRequest request) {
  auto beginning = begin_streamed(std::move(request));
  auto begun = co_await async::call_on(home_, std::move(beginning));
  co_return std::move(begun);
}

Task<RunRef> Service::begin_streamed(RunRequest request) {
  auto run = std::make_shared<StreamedRun>();
  run->answer = std::make_shared<StreamedAnswer>();
  request.stream = run->answer;
  streams_.spawn("lambda_stream", finish_streamed(std::move(request), run));
  StreamedAnswer& answer = *run->answer;
  while (!answer.begun() && !run->done) {
    answer.changed.reset();
    co_await answer.changed.wait();
  }
  if (!answer.begun() && !*run->done) co_return fail(run->done->error());
  co_return std::move(run);
}

Task<void> Service::finish_streamed(RunRequest request, StreamedRunRef run) {
  auto running = this->run(std::move(request));
  auto ran = co_await as_result(std::move(running));
  if (ran) co_await write_usage(ran->usage);
  run->done.emplace(std::move(ran));
  run->answer->pipe.finish();
  run->answer->changed.set();
  co_return ok();
}

}  // namespace virga::lambda
