#include <algorithm>

#include "api/dynamodb/describe_time_to_live.h"
#include "api/dynamodb/update_time_to_live.h"
#include "async/wait.h"
#include "services/dynamodb/bulk_pace.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/service.h"

// Time to live: the operations, and the task that deletes what has expired.
namespace virga::dynamodb {
namespace {

constexpr size_t kExpiredPerCommit = 100;
// The longest wait: a bound on what a forgotten wake-up could cost.
constexpr int64_t kWaitMillisMax = 60'000;

// With --lifecycle-delay a change keeps others out this long. Source: DynamoDB API Reference,
// UpdateTimeToLive.
constexpr int64_t kChangeMicros = 3600LL * 1'000'000;

// ENABLING and DISABLING last as long as a table's own transitions.
std::string_view status_of(const Table& table, Timestamp now, int64_t delay_ms) {
  const bool enabled = !table.ttl_attribute.empty();
  if (table.ttl_changed && now.micros < table.ttl_changed->micros + delay_ms * 1000) {
    return enabled ? "ENABLING" : "DISABLING";
  }
  return enabled ? "ENABLED" : "DISABLED";
}

AwsError wait_over() {
  return AwsError{.code = "WaitOver", .http_status = 500, .message = ""};
}

}  // namespace

Task<api::DescribeTimeToLiveOutput> Service::describe_time_to_live(
    Ctx ctx, api::DescribeTimeToLiveInput input) {
  TableRef table = co_await control_table(*ctx, input.table_name);
  const std::string status = table->status(ctx->now.at);
  if (status == "CREATING" || status == "DELETING") {
    co_return fail(errors::validation("Cannot describe time to live while table is in " + status +
                                      " state: Current table state is " + status));
  }
  if (table->ttl_building) table = co_await build_expiries(ctx, table);
  api::DescribeTimeToLiveOutput output;
  auto& description = output.time_to_live_description.emplace();
  description.time_to_live_status =
      std::string(status_of(*table, ctx->now.at, options_.lifecycle_delay_ms));
  if (!table->ttl_attribute.empty()) description.attribute_name = table->ttl_attribute;
  co_return std::move(output);
}

// Source: DynamoDB API Reference, UpdateTimeToLive.
Task<api::UpdateTimeToLiveOutput> Service::update_time_to_live(Ctx ctx,
                                                               api::UpdateTimeToLiveInput input) {
  const api::TimeToLiveSpecification& wanted = input.time_to_live_specification;
  if (wanted.attribute_name.empty())
    co_return fail(errors::validation("TimeToLiveSpecification AttributeName must not be empty"));
  const TableRef known = co_await control_table(*ctx, input.table_name);
  const Timestamp now = ctx->now.at;
  const TableRef table =
      co_await change_table(ctx, known, [&](Table& changed, storage::Txn&) -> Result<void> {
        if (options_.lifecycle_delay_ms > 0 && changed.ttl_changed &&
            now.micros < changed.ttl_changed->micros + kChangeMicros) {
          return fail(errors::validation(
              "Time to live has been modified multiple times within a fixed interval"));
        }
        changed.ttl_changed = now;
        if (!wanted.enabled) {
          if (changed.ttl_attribute.empty())
            return fail(errors::validation("TimeToLive is already disabled"));
          if (changed.ttl_attribute != wanted.attribute_name) {
            return fail(errors::validation(
                "TimeToLive is active on a different AttributeName: current AttributeName is " +
                changed.ttl_attribute));
          }
          changed.ttl_attribute.clear();
          changed.ttl_building = false;
          return {};
        }
        if (changed.ttl_attribute == wanted.attribute_name) {
          return fail(errors::validation("TimeToLive is already enabled"));
        }
        if (!changed.ttl_attribute.empty()) {
          return fail(errors::validation(
              "TimeToLive is active on a different AttributeName: current AttributeName is " +
              changed.ttl_attribute));
        }
        changed.ttl_attribute = wanted.attribute_name;
        changed.ttl_building = true;
        return {};
      });
  if (table->ttl_building) co_await build_expiries(ctx, table);
  api::UpdateTimeToLiveOutput output;
  output.time_to_live_specification = wanted;
  co_return std::move(output);
}

// Gives the items of before their expiries, in steps.
Task<TableRef> Service::build_expiries(Ctx ctx, TableRef table) {
  std::string from = items_prefix(table->id);
  BulkPace pace(shard_);
  while (!from.empty()) {
    const std::string begin = from;
    auto done = co_await shard_.transact(storage::TransactOptions{.generation = table->generation},
                                         [&](storage::Txn& txn) -> Result<std::string> {
                                           VIRGA_TRY(current, tables_.current(txn, table));
                                           if (!current || !current->ttl_building)
                                             return std::string();  // dropped meanwhile
                                           return writer_.fill_expiries(txn, *current, begin);
                                         });
    ctx->depends_on(done.lsn);
    from = co_await std::move(done.result);
    co_await pace.committed(done.lsn);
  }
  const TableRef built =
      co_await change_table(ctx, table, [](Table& changed, storage::Txn&) -> Result<void> {
        changed.ttl_building = false;
        return {};
      });
  co_return built;
}

void Service::start() {
  CHECK(async::Loop::current() == &shard_.owner());
  // The clock's listener outlives us: it reaches us only while `alive_` does.
  std::weak_ptr<bool> alive = alive_;
  async::Loop& owner = shard_.owner();
  env_.cloud.on_change([this, alive, &owner] {
    if (alive.expired()) return;
    owner.post([this, alive] {
      if (!alive.expired()) writer_.expiries().woken().set();
    });
  });
  background_.spawn("dynamodb_unfinished", drop_unfinished_copies());
  background_.spawn("dynamodb_expiry", expire_items());
}

Task<void> Service::stop() {
  return background_.stop();
}

Task<void> Service::expire_items() {
  while (!background_.stopping()) {
    const int64_t now_micros = env_.cloud.now().at.micros;
    const int64_t now = Timestamp{now_micros}.seconds();
    auto done = co_await shard_.transact(
        storage::TransactOptions{}, [&](storage::Txn& txn) -> Result<ExpiryIndex::Due> {
          VIRGA_TRY(due, writer_.expiries().due(txn, now, kExpiredPerCommit));
          for (const auto& entry : due.entries) VIRGA_TRY_VOID(expire_item(txn, entry, now_micros));
          return due;
        });
    int64_t wait_millis = kWaitMillisMax;
    int64_t next = INT64_MAX;
    if (done.result && done.result->next_seconds) {
      next = *done.result->next_seconds;
      if (next <= now) continue;  // more is due than fits a commit
      if (env_.cloud.frozen()) {
        wait_millis = kWaitMillisMax;
      } else {
        wait_millis = std::min(kWaitMillisMax, next * 1000 - now_micros / 1000);
      }
    }
    writer_.expiries().waiting_for(next);
    const async::SteadyTime until =
        shard_.owner().now().plus_millis(std::max<int64_t>(wait_millis, 1));
    // An earlier entry, a step of the clock, or the time itself.
    const Result<void> waited = co_await as_result(
        async::with_deadline(writer_.expiries().woken().wait(), until, wait_over()));
    ignore(waited, "whatever ended the wait, the next round looks");
    writer_.expiries().woken().reset();
  }
  co_return ok();
}

Result<void> Service::expire_item(storage::Txn& txn, const ExpiryIndex::Entry& entry,
                                  int64_t now_micros) {
  txn.allow_in_low_space();
  VIRGA_TRY(table, tables_.read(txn, entry.account, entry.region, entry.table));
  const bool current =
      table && !table->ttl_attribute.empty() && entry.item_key.starts_with(items_prefix(table->id));
  const int64_t now = Timestamp{now_micros}.seconds();
  if (current && entry.seconds > now - kExpiryPastMaxSeconds) {
    VIRGA_TRY(record, txn.get(entry.item_key));
    if (record) {
      VIRGA_TRY(item, item_of_record(*record));
      if (expiry_seconds(item, table->ttl_attribute) == entry.seconds) {
        ItemWrite write{.kind = ItemWrite::Kind::erase, .table = table, .key = entry.item_key};
        write.by_service = true;
        VIRGA_TRY(prepared, writer_.write(txn, write, now_micros));
        ignore(prepared, "nobody is told");
        return {};  // its entry went with it
      }
    }
  }
  txn.erase(entry.key);
  return {};
}

}  // namespace virga::dynamodb
