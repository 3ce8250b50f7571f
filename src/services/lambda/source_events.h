#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/dynamodbstreams/shapes/record.h"
#include "api/sqs/shapes/message.h"
#include "base/document.h"
#include "platform/event_pattern.h"
#include "services/lambda/event_source.h"

// What functions are told by event sources, and what they tell of it.
namespace virga::lambda {

// One record of a batch as the function sees it.
struct SourceEvent {
  std::string json;
  std::string id;  // what a function names it by in batchItemFailures: message id, sequence number
};

// Source: Lambda Developer Guide, "Using Lambda with Amazon SQS", example event.
SourceEvent queue_event(const sqs::api::Message& message, const EventSourceRecord& source);
// Source: Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB", example event.
SourceEvent stream_event(const dynamodbstreams::api::Record& record,
                         const EventSourceRecord& source);

// {"Records":[…]}
std::string join_events(const std::vector<const SourceEvent*>& events);

// The filters of a mapping; without any everything passes.
class SourceFilter {
 public:
  // InvalidEventPattern.
  static Result<SourceFilter> parse(const std::vector<std::string>& patterns);
  // In a queue's messages a body that is a JSON object is matched as such.
  bool passes(const SourceEvent& event, SourceKind kind) const;

 private:
  std::vector<platform::EventPattern> patterns_;
};

// What a function answered that reports failures of single records. Source: Lambda Developer Guide,
// "Implementing partial batch responses", success and failure conditions.
struct BatchFailures {
  bool all = false;
  std::set<std::string, std::less<>> ids;
  bool has(std::string_view id) const { return all || ids.contains(id); }
};
BatchFailures read_failures(std::string_view answer, const std::vector<const SourceEvent*>& events);

}  // namespace virga::lambda
