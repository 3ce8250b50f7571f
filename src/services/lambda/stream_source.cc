// A table's stream that calls a function. Source: Lambda Developer Guide, "Using AWS Lambda with
// Amazon DynamoDB", "Configuring partial batch response with DynamoDB and Lambda", "Retain
// discarded records for a DynamoDB event source in Lambda".
#include <algorithm>
#include <deque>

#include "api/dynamodbstreams/client.h"
#include "api/dynamodbstreams/describe_stream.h"
#include "api/dynamodbstreams/get_records.h"
#include "api/dynamodbstreams/get_shard_iterator.h"
#include "api/dynamodbstreams/shapes.h"
#include "async/call_on.h"
#include "base/json.h"
#include "base/log.h"
#include "services/lambda/event_sources.h"
#include "services/lambda/source_events.h"

namespace virga::lambda {
namespace {

namespace streams = dynamodbstreams::api;

constexpr int32_t kPageMax = 1000;  // records that GetRecords gives
constexpr size_t kEventBytesMax = 6'291'456;
// A batch that failed is tried again after 200 ms, then twice as long each time.
constexpr int64_t kRetryMinMs = 200;
constexpr int64_t kRetryMaxMs = 10'000;

struct Entry {
  SourceEvent event;  // its id is the sequence number
  Timestamp arrived;
};

// Records that are invoked together, and how often they were in vain.
struct Part {
  std::vector<Entry> entries;
  int failures = 0;
};

// Rings when the stream has new records.
class StreamWatch {
 public:
  StreamWatch(platform::StreamWakeups& wakeups, const std::string& arn, async::Event& news)
      : wakeups_(wakeups), id_(wakeups.watch(arn, [&news] { news.set(); })) {}
  ~StreamWatch() { wakeups_.unwatch(id_); }
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

 private:
  platform::StreamWakeups& wakeups_;
  const uint64_t id_;
};

// What a destination receives. Source: "Retain discarded records for a DynamoDB event source".
std::string discarded_record(const EventSourceRecord& source, const std::string& shard,
                             const Part& part, const BatchRun& run, std::string_view condition,
                             Timestamp now) {
  Document request = Document::object();
  request.set("requestId", run.request_id)
      .set("functionArn", source.function.arn())
      .set("condition", condition)
      .set("approximateInvokeCount", part.failures);
  Document out = Document::object();
  out.set("requestContext", std::move(request));
  if (!run.executed_version.empty()) {
    Document response = Document::object();
    response.set("statusCode", 200).set("executedVersion", run.executed_version);
    response.set("functionError", run.function_error.empty() ? Document() : run.function_error);
    out.set("responseContext", std::move(response));
  }
  const Entry& first = part.entries.front();
  const Entry& last = part.entries.back();
  Document batch = Document::object();
  batch.set("shardId", shard)
      .set("startSequenceNumber", first.event.id)
      .set("endSequenceNumber", last.event.id)
      .set("approximateArrivalOfFirstRecord", format_iso8601(first.arrived))
      .set("approximateArrivalOfLastRecord", format_iso8601(last.arrived))
      .set("batchSize", static_cast<int64_t>(part.entries.size()))
      .set("streamArn", source.source_arn);
  out.set("version", "1.0").set("timestamp", format_iso8601_millis(now));
  out.set("DDBStreamBatchInfo", std::move(batch));
  return to_json(out);
}

// The shards of a stream follow one another in time; one after the other is read.
class StreamSource final : public EventSource {
 public:
  StreamSource(const SourceParts& parts, EventSourceRecord record)
      : EventSource(parts, std::move(record)), streams_(*parts.door) {}

 private:
  // One page: the records that the filters want, and how far it goes.
  struct Page {
    std::vector<Entry> entries;
    std::string through;  // the last sequence number read; empty: nothing was
    bool shard_ended = false;
  };

  Task<void> run() override;
  Task<Page> read(size_t room);
  Task<Page> gather();
  Task<void> open();
  Task<std::vector<std::string>> shards();
  Task<std::string> iterator_of(std::string shard, std::string type, std::string sequence);
  Task<bool> next_shard();
  Task<void> process(std::vector<Entry> entries);
  Task<void> retry_later(int failures);
  void split(std::deque<Part>& parts, size_t at) const;
  size_t expired(const Part& part) const;
  void discard(const Part& part, const BatchRun& run, std::string_view condition);
  void keep_position(const std::string& sequence, const std::optional<GivenUp>& told);

  streams::Client streams_;
  SourceFilter filter_;
  async::Event news_;
  StreamPosition position_;
  std::string iterator_;  // empty: to be opened from the position
  Timestamp skip_before_;
};

Task<void> StreamSource::run() {
  filter_ = co_await SourceFilter::parse(record_.filters);
  const store::Owner owner = store::owner_of(record_.function);
  auto kept = co_await store::find_position(*parts_.shard.snapshot(), owner, record_.uuid);
  if (kept) position_ = std::move(*kept);
  const StreamWatch watch(*parts_.wakeups, record_.source_arn, news_);
  for (;;) {
    news_.reset();  // whatever comes from here on is seen or rings
    auto gathering = gather();
    auto page = co_await as_result(std::move(gathering));
    if (!page) {
      iterator_.clear();
      co_await back_off(page.error());
      continue;
    }
    reading_works();
    if (!page->entries.empty()) co_await process(std::move(page->entries));
    if (!page->through.empty() && page->through != position_.sequence)
      keep_position(page->through, std::nullopt);  // the last ones were filtered out
    bool more = !page->through.empty();
    if (page->shard_ended) more = co_await next_shard();
    if (!more) co_await news_.wait();
  }
}

// What there is, up to a batch; with a window what comes until it is over.
Task<StreamSource::Page> StreamSource::gather() {
  const auto size = static_cast<size_t>(record_.batch_size);
  Page page = co_await read(size);
  if (record_.window_seconds == 0 || page.entries.empty()) co_return std::move(page);
  const auto end =
      async::Loop::current()->now().plus_millis(int64_t{record_.window_seconds} * 1000);
  const AwsError over{
      .code = "WindowOver", .http_status = 500, .message = "the window is over", .detail = nullptr};
  while (page.entries.size() < size && !page.shard_ended) {
    news_.reset();
    Page more = co_await read(size - page.entries.size());
    page.shard_ended = more.shard_ended;
    std::move(more.entries.begin(), more.entries.end(), std::back_inserter(page.entries));
    if (!more.through.empty()) {
      page.through = std::move(more.through);
      continue;
    }
    const auto woken = co_await as_result(async::with_deadline(news_.wait(), end, over));
    if (!woken) break;
  }
  co_return std::move(page);
}

Task<StreamSource::Page> StreamSource::read(size_t room) {
  if (iterator_.empty()) co_await open();
  streams::GetRecordsInput input;
  input.shard_iterator = iterator_;
  input.limit = static_cast<int32_t>(std::min<size_t>(room, kPageMax));
  auto caller = co_await parts_.caller(record_);
  auto reading = streams_.get_records(std::move(caller), std::move(input));
  auto got = co_await as_result(std::move(reading));
  if (!got) {
    const bool late = got.error().code == "ExpiredIteratorException";
    const bool trimmed = got.error().code == "TrimmedDataAccessException";
    if (!late && !trimmed) co_return fail(got.error());
    iterator_.clear();
    if (trimmed) position_ = {};
    if (!position_.iterator.empty()) {
      // It began at what was new then; nothing was read since.
      position_.iterator.clear();
      skip_before_ = Timestamp::from_seconds(record_.created.seconds());
    }
    co_await open();
    streams::GetRecordsInput again;
    again.shard_iterator = iterator_;
    again.limit = static_cast<int32_t>(std::min<size_t>(room, kPageMax));
    auto same = co_await parts_.caller(record_);
    got = co_await streams_.get_records(std::move(same), std::move(again));
  }
  Page page;
  page.shard_ended = !got->next_shard_iterator;
  iterator_ = got->next_shard_iterator.value_or("");
  if (!got->records) co_return std::move(page);
  for (const auto& record : *got->records) {
    Entry entry{.event = stream_event(record, record_), .arrived = {}};
    if (record.dynamodb && record.dynamodb->approximate_creation_date_time)
      entry.arrived = *record.dynamodb->approximate_creation_date_time;
    page.through = entry.event.id;
    if (entry.arrived < skip_before_) continue;
    if (filter_.passes(entry.event, SourceKind::stream)) page.entries.push_back(std::move(entry));
  }
  co_return std::move(page);
}

// From the position; where that is gone, from the oldest record on.
Task<void> StreamSource::open() {
  if (!position_.iterator.empty()) {
    iterator_ = position_.iterator;
    co_return ok();
  }
  const auto all = co_await shards();
  if (all.empty())
    co_return fail("ResourceNotFoundException", 400, "The stream has no shard any more");
  const bool there = std::find(all.begin(), all.end(), position_.shard) != all.end();
  if (!there) position_ = {.shard = all.front(), .sequence = "", .iterator = ""};
  if (!position_.sequence.empty()) {
    auto opening = iterator_of(position_.shard, "AFTER_SEQUENCE_NUMBER", position_.sequence);
    auto opened = co_await as_result(std::move(opening));
    if (opened) iterator_ = std::move(*opened);
    if (opened) co_return ok();
    if (opened.error().code != "TrimmedDataAccessException") co_return fail(opened.error());
  }
  iterator_ = co_await iterator_of(position_.shard, "TRIM_HORIZON", "");
  co_return ok();
}

Task<std::string> StreamSource::iterator_of(std::string shard, std::string type,
                                            std::string sequence) {
  streams::GetShardIteratorInput input;
  input.stream_arn = record_.source_arn;
  input.shard_id = std::move(shard);
  input.shard_iterator_type = std::move(type);
  if (!sequence.empty()) input.sequence_number = std::move(sequence);
  auto caller = co_await parts_.caller(record_);
  auto got = co_await streams_.get_shard_iterator(std::move(caller), std::move(input));
  co_return got.shard_iterator.value_or("");
}

Task<std::vector<std::string>> StreamSource::shards() {
  std::vector<std::string> out;
  std::optional<std::string> after;
  do {
    streams::DescribeStreamInput input;
    input.stream_arn = record_.source_arn;
    input.exclusive_start_shard_id = after;
    auto caller = co_await parts_.caller(record_);
    auto got = co_await streams_.describe_stream(std::move(caller), std::move(input));
    if (!got.stream_description || !got.stream_description->shards) break;
    for (const auto& shard : *got.stream_description->shards)
      out.push_back(shard.shard_id.value_or(""));
    after = got.stream_description->last_evaluated_shard_id;
  } while (after);
  co_return std::move(out);
}

// False when there is none (yet): a stream that was disabled.
Task<bool> StreamSource::next_shard() {
  const auto all = co_await shards();
  const auto found = std::find(all.begin(), all.end(), position_.shard);
  const auto next = found == all.end() ? all.begin() : found + 1;
  if (next == all.end()) co_return false;
  position_ = {.shard = *next, .sequence = "", .iterator = ""};
  iterator_.clear();
  co_return true;
}

void StreamSource::split(std::deque<Part>& parts, size_t at) const {
  Part& whole = parts.front();
  const auto middle = whole.entries.begin() + static_cast<ptrdiff_t>(at);
  Part first{
      .entries = {std::make_move_iterator(whole.entries.begin()), std::make_move_iterator(middle)},
      .failures = whole.failures};
  whole.entries.erase(whole.entries.begin(), middle);
  parts.push_front(std::move(first));
}

// How many of the part's first records are too old.
size_t StreamSource::expired(const Part& part) const {
  if (record_.age_seconds < 0) return 0;
  const int64_t horizon = parts_.home.env().cloud.now().at.seconds() - record_.age_seconds;
  const auto young = std::find_if(part.entries.begin(), part.entries.end(),
                                  [&](const Entry& e) { return e.arrived.seconds() >= horizon; });
  return static_cast<size_t>(young - part.entries.begin());
}

// In order, each until it is done or given up. Returns early, with an error, when stopping.
Task<void> StreamSource::process(std::vector<Entry> entries) {
  std::deque<Part> parts;
  parts.push_back({std::move(entries), 0});
  int refusals = 0;
  BatchRun done;
  while (!parts.empty()) {
    if (const size_t old = expired(parts.front()); old > 0) {
      if (old < parts.front().entries.size()) split(parts, old);
      discard(parts.front(), done, "RecordAgeExceeded");
      parts.pop_front();
      continue;
    }
    std::vector<const SourceEvent*> events;
    for (const auto& entry : parts.front().entries) events.push_back(&entry.event);
    std::string payload = join_events(events);
    if (payload.size() > kEventBytesMax && events.size() > 1) {
      split(parts, events.size() / 2);
      continue;
    }
    auto running = parts_.run(record_.function, std::move(payload));
    auto ran = co_await async::call_on(parts_.home, std::move(running));
    if (!ran) {  // throttled, or there is no function: that is no attempt
      last_result_ = "PROBLEM: " + ran.error().message;
      co_await retry_later(++refusals);
      continue;
    }
    done = std::move(*ran);
    refusals = 0;
    Part& part = parts.front();
    size_t good = done.function_error.empty() ? events.size() : 0;
    if (good > 0 && record_.report_failures) {
      // Everything from the first failure on comes again.
      const BatchFailures failures = read_failures(done.payload, events);
      const auto first = std::find_if(events.begin(), events.end(), [&](const SourceEvent* event) {
        return failures.has(event->id);
      });
      good = static_cast<size_t>(first - events.begin());
    }
    last_result_ = good == events.size() ? "OK" : "PROBLEM: Function call failed";
    if (good > 0) {
      keep_position(part.entries[good - 1].event.id, std::nullopt);
      part.entries.erase(part.entries.begin(), part.entries.begin() + static_cast<ptrdiff_t>(good));
    }
    if (part.entries.empty()) {
      parts.pop_front();
      continue;
    }
    // Halving costs no attempt. Source: CreateEventSourceMapping, BisectBatchOnFunctionError.
    if (record_.bisect && good == 0 && part.entries.size() > 1) {
      split(parts, part.entries.size() / 2);
      continue;
    }
    ++part.failures;
    if (record_.retries >= 0 && part.failures > record_.retries) {
      discard(part, done, "RetryAttemptsExhausted");
      parts.pop_front();
      continue;
    }
    co_await retry_later(part.failures);
  }
  co_return ok();
}

Task<void> StreamSource::retry_later(int failures) {
  co_await async::sleep_millis(std::min(kRetryMaxMs, kRetryMinMs << std::min(failures - 1, 8)));
  co_return ok();
}

void StreamSource::discard(const Part& part, const BatchRun& run, std::string_view condition) {
  LOG_WARN("event_source_records_discarded", kv("uuid", record_.uuid), kv("condition", condition),
           kv("records", part.entries.size()));
  std::optional<GivenUp> told;
  if (!record_.on_failure.empty()) {
    const Timestamp now = parts_.home.env().cloud.now().at;
    told = GivenUp{.function = record_.function,
                   .request_id = run.request_id,
                   .target_arn = record_.on_failure,
                   .body = discarded_record(record_, position_.shard, part, run, condition, now)};
  }
  keep_position(part.entries.back().event.id, told);
}

// One transaction with the message about what was given up; without effect when the mapping is
// gone.
void StreamSource::keep_position(const std::string& sequence, const std::optional<GivenUp>& told) {
  position_.sequence = sequence;
  position_.iterator.clear();
  const auto owner = store::owner_of(record_.function);
  auto keep = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(mapping, store::find_event_source(txn, owner, record_.uuid));
    if (!mapping) return false;
    store::put_position(txn, owner, record_.uuid, position_);
    if (told) parts_.give_up(txn, *told);
    return true;
  };
  const auto done = parts_.shard.transact_now(storage::TransactOptions{}, std::move(keep));
  if (!done.result) {
    LOG_ERROR("event_source_position_lost", kv("uuid", record_.uuid),
              kv("message", done.result.error().message));
  }
}

}  // namespace

std::unique_ptr<EventSource> make_stream_source(const SourceParts& parts,
                                                EventSourceRecord record) {
  return std::make_unique<StreamSource>(parts, std::move(record));
}

}  // namespace virga::lambda
