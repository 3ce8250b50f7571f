#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "storage/shard.h"

// All of CloudWatch Logs' keys. Below Space::logs, the account and the region:
//   'g' group name → group            's' group id | stream name → stream
//   'e' group id | stream id | timestamp | LSN → chunk: the events of one append that have this
//   timestamp 'm' | 'f' | 'p' | 'q' | 'r' group id (or 0) | name → a setting (settings.h)
// A chunk's events share their timestamp, so chunks never overlap and the order of keys is the
// order of events; a function's invocation costs one or two records. docs/formats/logs.md has the
// bytes.
namespace virga::logs {

struct Group {
  std::string name;
  uint64_t id = 0;
  int64_t created_millis = 0;
  int32_t retention_days = 0;  // 0: events never expire
  std::string kms_key;
  std::string group_class = "STANDARD";
  bool deletion_protection = false;
  bool subscribed = false;  // it has subscription filters
  std::map<std::string, std::string> tags;
};

// What is stored beside events, by the group's id (kAccountWide: of no group) and a name.
enum class Setting : char {
  metric_filter = 'm',
  subscription = 'f',
  resource_policy = 'p',
  query = 'q',
  query_run = 'r'
};
inline constexpr uint64_t kAccountWide = 0;

struct Stream {
  std::string name;
  uint64_t id = 0;
  int64_t created_millis = 0;
};

// A place between two events of a group: just before the event of this name. Events are ordered by
// timestamp, then by the append's LSN, then by their place in it; the same in a stream and over the
// group's streams.
struct Position {
  int64_t timestamp = 0;
  uint64_t lsn = 0;
  uint32_t index = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
  Position after() const { return {timestamp, lsn, index + 1}; }
};

struct Event {
  Position at;
  int64_t ingested_millis = 0;
  std::string message;
};

struct NewEvent {
  int64_t timestamp = 0;
  std::string_view message;
};

class LogReader {
 public:
  LogReader(const storage::View& view, std::string_view account, std::string_view region)
      : view_(view), account_(account), region_(region) {}

  Result<std::optional<Group>> find_group(std::string_view name) const;
  Result<std::optional<Stream>> find_stream(const Group& group, std::string_view name) const;
  // Errors: ResourceNotFoundException.
  Result<Group> group(std::string_view name) const;
  Result<Stream> stream(const Group& group, std::string_view name) const;

  // In the order of their names; those with the prefix. `visit` returns false to stop.
  Result<void> each_group(std::string_view prefix, const std::function<bool(Group&&)>& visit) const;
  Result<void> each_stream(const Group& group, std::string_view prefix,
                           const std::function<bool(Stream&&)>& visit) const;

  // Settings as bytes, in the order of their names; `visit` returns false to stop.
  Result<std::optional<std::string>> find_setting(Setting kind, uint64_t group_id,
                                                  std::string_view name) const;
  Result<void> each_setting(Setting kind, uint64_t group_id,
                            const std::function<bool(std::string_view)>& visit) const;
  Result<size_t> count_settings(Setting kind, uint64_t group_id) const;

  // A stream's events from `from` on (or from just before it backwards), whole chunks at a time.
  class Events {
   public:
    bool next(Event& out);  // false at the end
    Result<void> status() const { return status_; }

   private:
    friend class LogReader;
    bool load();
    std::unique_ptr<storage::Cursor> cursor_;
    storage::Direction direction_ = storage::Direction::forward;
    Position from_;
    std::vector<Event> chunk_;  // what is left of it, the next one last
    Result<void> status_;
  };
  Events events(const Group& group, const Stream& stream, Position from,
                storage::Direction direction) const;

 protected:
  std::string group_key(std::string_view name) const;
  std::string stream_key(const Group& group, std::string_view name) const;
  storage::Key streams_of(uint64_t group_id) const;
  storage::Key events_of(uint64_t group_id, std::optional<uint64_t> stream_id) const;
  storage::Key settings_of(Setting kind, uint64_t group_id) const;

 private:
  const storage::View& view_;
  std::string account_;
  std::string region_;
};

class LogTransaction : public LogReader {
 public:
  LogTransaction(storage::Txn& txn, std::string_view account, std::string_view region)
      : LogReader(txn, account, region), txn_(txn) {}

  // Gives a new object its id.
  void add(Group& group);
  void add(const Group& group, Stream& stream);
  void put(const Group& group);
  void erase(const Group& group);  // with its streams and events
  void erase(const Group& group, const Stream& stream);
  void put_setting(Setting kind, uint64_t group_id, std::string_view name, std::string_view bytes);
  void erase_setting(Setting kind, uint64_t group_id, std::string_view name);
  // `events` ascend. The transaction's LSN is part of their names.
  void append(uint64_t group_id, uint64_t stream_id, int64_t now_millis,
              const std::vector<NewEvent>& events);
  storage::Txn& txn() { return txn_; }

 private:
  storage::Txn& txn_;
};

}  // namespace virga::logs
