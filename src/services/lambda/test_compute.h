#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/wait.h"
#include "services/lambda/compute.h"

// A compute engine without processes, for tests only: answers with the payload it was given.
namespace virga::lambda {

class FakeCompute final : public Compute {
 public:
  int started = 0;
  int alive = 0;
  bool hold_starts = false;   // start() waits for release_starts()
  bool hold_invokes = false;  // invoke() waits for finish()
  std::optional<AwsError> start_error;
  std::optional<Outcome> next_init_failure;
  std::optional<Outcome> next_outcome;
  std::vector<std::string> init_lines;
  std::vector<std::string> invoke_lines;
  std::vector<std::string> payloads;  // in the order of the invocations
  std::vector<Invocation> invocations;
  std::vector<std::shared_ptr<const SandboxSpec>> specs;
  bool any_runtime = true;
  bool all_dead = false;  // every sandbox has lost its processes

  // Lets the n-th held invocation go, counted from the oldest held one of all time.
  void finish(size_t n) {
    if (n < held_.size()) held_[n]->set();
  }
  void finish_all() {
    for (auto& event : held_) event->set();
  }
  void release_starts() {
    hold_starts = false;
    starts_.set();
  }

  Task<std::unique_ptr<Sandbox>> start(std::shared_ptr<const SandboxSpec> spec,
                                       std::string log_stream, LogSink sink) override {
    ++started;
    specs.push_back(spec);
    if (start_error) co_return fail(*start_error);
    if (hold_starts) co_await starts_.wait();
    for (const auto& line : init_lines) sink({{}, line});
    std::unique_ptr<Sandbox> out =
        std::make_unique<One>(this, std::move(sink), std::exchange(next_init_failure, {}));
    co_return out;
  }
  std::optional<RuntimeVersion> runtime_version(const std::string& runtime) const override {
    if (!any_runtime) return std::nullopt;
    return RuntimeVersion{.description = runtime + ".v1", .hash = std::string(64, 'a')};
  }

 private:
  class One final : public Sandbox {
   public:
    One(FakeCompute* owner, LogSink sink, std::optional<Outcome> failure)
        : owner_(owner), sink_(std::move(sink)), failure_(std::move(failure)) {
      ++owner_->alive;
    }
    ~One() override { --owner_->alive; }
    Task<Outcome> invoke(Invocation invocation) override {
      owner_->payloads.push_back(invocation.payload);
      owner_->invocations.push_back(invocation);
      if (owner_->hold_invokes) {
        owner_->held_.push_back(std::make_shared<async::Event>());
        const auto event = owner_->held_.back();
        co_await event->wait();
      }
      for (const auto& line : owner_->invoke_lines) sink_({{}, line});
      if (owner_->next_outcome) co_return *owner_->next_outcome;
      co_return Outcome{
          .payload = invocation.payload, .duration_micros = 1234, .max_memory_bytes = 40 << 20};
    }
    int64_t init_micros() const override { return 100'000; }
    const std::optional<Outcome>& init_failure() const override { return failure_; }
    bool alive() const override { return !owner_->all_dead; }

   private:
    FakeCompute* owner_;
    LogSink sink_;
    std::optional<Outcome> failure_;
  };

  std::vector<std::shared_ptr<async::Event>> held_;
  async::Event starts_;
};

}  // namespace virga::lambda
