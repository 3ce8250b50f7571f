#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "async/wait.h"
#include "aws/door.h"
#include "platform/stream_wakeups.h"
#include "services/lambda/event_source.h"
#include "storage/shard.h"

namespace virga::lambda {

// A run of a mapping's function.
struct BatchRun {
  std::string request_id;
  std::string function_error;  // empty or "Unhandled"
  std::string payload;
  std::string executed_version;
};

// Tells a destination of records that are given up. `body`: the record it receives.
struct GivenUp {
  FunctionName function;
  std::string request_id;
  std::string target_arn;
  std::string body;
};

// What mappings at work need of the service. Everything outlives them.
struct SourceParts {
  storage::Shard& shard;
  async::Loop& home;
  platform::StreamWakeups* wakeups = nullptr;
  aws::Door* door = nullptr;
  // Errors: those of Invoke; a function that failed is none.
  std::function<Task<BatchRun>(FunctionName, std::string payload)> run;
  // Who reads the source: the function's role. Errors: Function not found; in strict mode
  // AccessDenied when the role cannot be assumed.
  std::function<Task<aws::CallContext>(EventSourceRecord)> caller;
  // Part of the caller's transaction.
  std::function<void(storage::Txn&, const GivenUp&)> give_up;
};

// One enabled mapping at work: reads its source, calls its function. Lives on the home loop.
// Source: Lambda Developer Guide, "How Lambda processes records from stream and queue-based event
// sources".
class EventSource {
 public:
  EventSource(const SourceParts& parts, EventSourceRecord record)
      : parts_(parts), record_(std::move(record)) {}
  virtual ~EventSource() = default;

  void start() { scope_.spawn("event_source", run()); }
  // Gives up waiting; returns when the batches under way have ended. Part of no cancellation.
  Task<void> stop();
  // As LastProcessingResult shows it.
  const std::string& last_result() const { return last_result_; }

 protected:
  virtual Task<void> run() = 0;
  // After a failed attempt to read: says so once, waits longer each time. An error when stopping.
  Task<void> back_off(AwsError error);
  void reading_works() { failures_ = 0; }

  const SourceParts& parts_;
  const EventSourceRecord record_;
  async::TaskScope scope_;
  std::string last_result_ = "No records processed";

 private:
  int failures_ = 0;
};

std::unique_ptr<EventSource> make_queue_source(const SourceParts& parts, EventSourceRecord record);
std::unique_ptr<EventSource> make_stream_source(const SourceParts& parts, EventSourceRecord record);

// All mappings at work. Owned by the service; lives on the home loop.
class EventSources {
 public:
  explicit EventSources(SourceParts parts) : parts_(std::move(parts)) {}

  // The enabled ones begin. Once, when the services that they read can be called.
  Result<void> start(aws::Door& door);
  Task<void> stop();
  // A mapping was made, changed or removed, and the change is published.
  void changed(store::Owner owner, std::string uuid);
  // All end and none begins (reset).
  void forget_all();
  std::string last_result(const std::string& uuid) const;

 private:
  void begin(EventSourceRecord record);
  Task<void> change(store::Owner owner, std::string uuid);
  Task<void> end(std::unique_ptr<EventSource> source);

  SourceParts parts_;
  bool started_ = false;
  std::map<std::string, std::unique_ptr<EventSource>> active_;  // by UUID
  std::map<std::string, bool> changing_;                        // true: changed again meanwhile
  async::TaskScope scope_;
};

}  // namespace virga::lambda
