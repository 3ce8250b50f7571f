#include "api/dynamodb/execute_statement.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "services/dynamodb/capacity.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/partiql_plan.h"
#include "services/dynamodb/service.h"
#include "storage/keys.h"

namespace virga::dynamodb {
namespace {

using partiql::Statement;

constexpr uint8_t kTokenFormat = 2;
constexpr size_t kMacBytes = 8;

const std::vector<AttributeValue>& no_parameters() {
  static const std::vector<AttributeValue> kNone;
  return kNone;
}

// Where a SELECT goes on: the range, and the last key that was read in it. Belongs to one statement
// with its parameters: the first checksum says whether it is that one's, the second whether it is a
// token of ours at all.
struct NextToken {
  size_t range = 0;
  Item last_key;

  std::string encode(std::string_view fingerprint) const {
    storage::Key key(static_cast<storage::Space>(kTokenFormat));
    key.u32(static_cast<uint32_t>(range)).raw(last_key.bytes());
    const std::string body = key.take();
    const std::string bound = body + mac(fingerprint, body);
    return to_base64(bound + mac("", bound));
  }
  static Result<NextToken> decode(std::string_view text, std::string_view fingerprint) {
    const auto bytes = from_base64(text);
    const AwsError invalid = errors::validation("Invalid NextToken");
    if (!bytes || bytes->size() <= 2 * kMacBytes) return fail(invalid);
    const std::string_view bound = std::string_view(*bytes).substr(0, bytes->size() - kMacBytes);
    if (mac("", bound) != std::string_view(*bytes).substr(bound.size())) return fail(invalid);
    const std::string_view body = bound.substr(0, bound.size() - kMacBytes);
    if (mac(fingerprint, body) != bound.substr(body.size()))
      return fail(errors::validation("NextToken does not match request"));
    storage::KeyReader reader(body);
    NextToken out;
    if (reader.u8() != kTokenFormat) return fail(invalid);
    out.range = reader.u32();
    if (!reader.ok() || !is_well_formed_item(reader.rest())) return fail(invalid);
    out.last_key = Item::from_bytes(std::string(reader.rest()));
    return out;
  }

 private:
  static std::string mac(std::string_view fingerprint, std::string_view body) {
    return std::string(as_bytes(hmac_sha256(fingerprint, body)).substr(0, kMacBytes));
  }
};

// The rest of a range behind the last key. The table may have another shape since.
Result<void> start_behind(const partiql::ReadPlan& plan, const Item& last, KeyRange& range) {
  const auto key = check_key(plan.table->keys, key_of(plan.table->keys, last));
  if (!key || (plan.index && !is_in_index(*plan.index, last)))
    return fail(errors::validation("Invalid NextToken"));
  const std::string start =
      plan.index ? index_entry_key(*plan.table, *plan.index, last) : item_key(*plan.table, last);
  if (start < range.begin || start >= range.end)
    return fail(errors::validation("Invalid NextToken"));
  if (plan.direction == storage::Direction::forward) {
    range.begin = start + '\0';
  } else {
    range.end = start;
  }
  return {};
}

}  // namespace

// Source: DynamoDB API Reference, ExecuteStatement.
Task<api::ExecuteStatementOutput> Service::execute_statement(Ctx ctx,
                                                             api::ExecuteStatementInput input) {
  const auto& parameters = input.parameters ? *input.parameters : no_parameters();
  Statement statement = co_await partiql::parse_statement(input.statement, parameters);
  if (statement.kind == Statement::Kind::exists) {
    co_return fail(partiql::exists_outside_of_transactions());
  }
  if (statement.reads()) {
    api::ExecuteStatementOutput page =
        co_await select_items(ctx, std::move(statement), std::move(input));
    co_return std::move(page);
  }
  const bool item_on_failure = input.return_values_on_condition_check_failure == "ALL_OLD";
  const TableRef table = co_await data_table(*ctx, statement.table);
  const auto planned = co_await partiql::plan_write(std::move(statement), table, item_on_failure);
  auto done = co_await as_result(write_item(ctx, planned->write));
  if (!done) co_return fail(partiql::write_error(*planned, std::move(done.error())));

  api::ExecuteStatementOutput output;
  auto& items = output.items.emplace();
  if (auto returned = partiql::returned_item(*planned, *done))
    items.push_back(std::move(*returned));
  output.consumed_capacity =
      write_capacity(input.return_consumed_capacity, *done->table, done->units);
  co_return std::move(output);
}

// Reads key ranges one after the other until a page is full. Limit counts the rows that were looked
// at.
Task<api::ExecuteStatementOutput> Service::select_items(Ctx ctx, Statement statement,
                                                        api::ExecuteStatementInput input) {
  TableRef table = co_await data_table(*ctx, statement.table);
  if (!statement.index.empty() && table->is_building()) table = co_await build_indexes(ctx, table);
  const bool consistent = input.consistent_read.value_or(false);
  partiql::ReadPlan plan = co_await partiql::plan_read(statement, table, consistent);
  const std::string print =
      partiql::fingerprint(input.statement,
                           input.parameters ? *input.parameters : no_parameters()) +
      ctx->account;
  size_t at = 0;
  if (input.next_token) {
    const NextToken token = co_await NextToken::decode(*input.next_token, print);
    at = token.range;
    if (at >= plan.ranges.size()) co_return fail(errors::validation("Invalid NextToken"));
    co_await start_behind(plan, token.last_key, plan.ranges[at]);
  }

  api::ExecuteStatementOutput output;
  auto& items = output.items.emplace();
  std::optional<int64_t> left = input.limit;
  ReadUnits units;
  for (; at < plan.ranges.size(); ++at) {
    PageRequest request{.table = table, .index = plan.index};
    request.begin = plan.ranges[at].begin;
    request.end = plan.ranges[at].end;
    request.direction = plan.direction;
    request.limit = left;
    request.filter = plan.filter;
    request.fetch_items = plan.fetch_items;
    request.consistent = consistent;
    Page page = co_await read_page(shard_, std::move(request));
    units.table += page.units.table;
    units.index += page.units.index;
    for (const auto& item : page.items) items.push_back(partiql::projected_item(statement, item));
    if (page.last_key) {
      output.next_token = NextToken{at, *page.last_key}.encode(print);
      output.last_evaluated_key = std::move(page.last_key);
      break;
    }
    if (left) *left -= page.scanned;
  }
  output.consumed_capacity =
      read_capacity(input.return_consumed_capacity, *table, units, plan.index);
  co_return std::move(output);
}

}  // namespace virga::dynamodb
