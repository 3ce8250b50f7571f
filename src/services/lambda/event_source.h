#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/lambda/function_store.h"

// Event source mappings as they are kept. Keys, below Space::lambda | account | region:
//   8 | uuid → EventSourceRecord
//   9 | uuid → StreamPosition, of mappings that read a stream
namespace virga::lambda {

enum class SourceKind { queue, stream, other };
// By its ARN: an SQS queue, a DynamoDB stream.
SourceKind source_kind(std::string_view arn);
inline bool is_fifo(std::string_view queue_arn) {
  return queue_arn.ends_with(".fifo");
}

struct EventSourceRecord {
  std::string uuid;
  std::string source_arn;
  FunctionName function;  // with the qualifier, if one was given
  bool enabled = true;
  int batch_size = 0;
  int window_seconds = 0;            // MaximumBatchingWindowInSeconds
  std::vector<std::string> filters;  // patterns; empty: everything
  bool report_failures = false;      // ReportBatchItemFailures
  std::optional<int> concurrency;    // ScalingConfig.MaximumConcurrency
  // Streams only.
  std::string starting_position;
  int parallelization = 1;
  bool bisect = false;
  int retries = -1;      // -1: until the record is too old
  int age_seconds = -1;  // -1: as long as the stream keeps it
  int tumbling_seconds = 0;
  std::string on_failure;  // destination ARN
  std::map<std::string, std::string> tags;
  Timestamp created, modified;
  // With --lifecycle-delay: what the mapping says it is doing until then.
  Timestamp pending_until;
  std::string pending_state;

  SourceKind kind() const { return source_kind(source_arn); }
  std::string arn() const;
  std::string state(Timestamp now) const;
};

// How far a mapping has read its stream: behind `sequence` in `shard`; before the first batch of a
// mapping that began at LATEST, from `iterator` on.
struct StreamPosition {
  std::string shard;
  std::string sequence;
  std::string iterator;
};

namespace store {

Result<std::optional<EventSourceRecord>> find_event_source(const storage::View& view,
                                                           const Owner& owner,
                                                           std::string_view uuid);
void put_event_source(storage::Txn& txn, const Owner& owner, const EventSourceRecord& record);
// With its position.
void erase_event_source(storage::Txn& txn, const Owner& owner, std::string_view uuid);
// In the order of their ids, after `after`.
Result<std::vector<EventSourceRecord>> list_event_sources(const storage::View& view,
                                                          const Owner& owner,
                                                          std::string_view after);
// Of all accounts and regions.
Result<std::vector<EventSourceRecord>> all_event_sources(const storage::View& view);

Result<std::optional<StreamPosition>> find_position(const storage::View& view, const Owner& owner,
                                                    std::string_view uuid);
void put_position(storage::Txn& txn, const Owner& owner, std::string_view uuid,
                  const StreamPosition& position);

}  // namespace store
}  // namespace virga::lambda
