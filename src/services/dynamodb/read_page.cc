#include "services/dynamodb/read_page.h"

#include <algorithm>
#include <set>

#include "async/wait.h"
#include "base/strings.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/expression_evaluator.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"

namespace virga::dynamodb {
namespace {

constexpr int64_t kRowsPerTurn = 256;

// A page while it is read.
struct Reader {
  const PageRequest& request;
  const storage::View& view;
  Page page;
  size_t bytes = 0;  // of the rows looked at
  int64_t fetched_units = 0;

  // Looks at one row. True when the page is full.
  Result<bool> row(std::string_view record) {
    VIRGA_TRY(entry, item_of_record(record));
    ++page.scanned;
    bytes += item_bytes(entry);
    ItemView item = entry;
    std::optional<std::string> fetched;
    if (request.fetch_items) {
      VIRGA_TRY(whole, view.get(item_key(*request.table, entry)));
      fetched = std::move(whole);
      if (!fetched) return fail(internal_failure("an index entry without its item"));
      VIRGA_TRY(full, item_of_record(*fetched));
      item = full;
      fetched_units += read_half_units(item_bytes(item), request.consistent);
    }
    if (!request.filter || matches(*request.filter, item)) {
      ++page.count;
      if (!request.count_only) {
        page.items.push_back(request.projection ? project(request.projection->paths, item)
                                                : Item(item));
      }
    }
    const bool full = (request.limit && page.scanned >= *request.limit) || bytes >= kPageBytesMax;
    if (full) {
      Item last = key_of(request.table->keys, entry);
      if (request.index) {
        for (size_t i = 0; i < request.index->keys.size(); ++i) {
          const std::string& name = request.index->keys.at(i).name;
          if (!last.contains(name)) last.append(name, *entry.find(name));
        }
      }
      page.last_key = std::move(last);
    }
    return full;
  }

  Page finish() {
    const int64_t scanned_units = read_half_units(bytes, request.consistent);
    (request.index ? page.units.index : page.units.table) = scanned_units;
    page.units.table += fetched_units;
    return std::move(page);
  }
};

}  // namespace

Task<Page> read_page(storage::Shard& shard, PageRequest request) {
  const std::unique_ptr<storage::View> view = shard.snapshot();
  const std::unique_ptr<storage::Cursor> cursor =
      view->cursor(request.begin, request.end, request.direction);
  Reader reader{.request = request, .view = *view, .page = {}};
  for (int64_t rows = 1; cursor->valid(); cursor->next(), ++rows) {
    const bool full = co_await reader.row(cursor->value());
    if (full) break;
    if (rows % kRowsPerTurn == 0) co_await async::yield();
  }
  if (!reader.page.last_key) co_await cursor->status();
  co_return reader.finish();
}

Result<void> check_select(ReadKind kind, const std::optional<std::string>& select,
                          bool attributes_to_get, bool projection_expression, bool index) {
  const bool named = attributes_to_get || projection_expression;
  if (!select) return {};
  if (*select == "SPECIFIC_ATTRIBUTES") {
    if (named) return {};
    return fail(
        errors::validation("Must specify the AttributesToGet or ProjectionExpression when choosing "
                           "to get SPECIFIC_ATTRIBUTES"));
  }
  if (named) {
    const std::string message = std::string("Cannot specify the ") +
                                (attributes_to_get ? "AttributesToGet" : "ProjectionExpression") +
                                " when choosing to get " + *select;
    // Query counts this among the violations, Scan does not. Source: answers of the service as
    // users report them.
    if (kind == ReadKind::query && projection_expression)
      return fail(errors::one_violation(message));
    return fail(errors::validation(message));
  }
  if (*select == "ALL_PROJECTED_ATTRIBUTES" && !index) {
    return fail(errors::validation(
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"));
  }
  return {};
}

Result<void> check_filter_projected(const Table& table, const Index* index,
                                    const std::vector<std::string>& heads) {
  if (!index || index->projection == Index::Projection::all) return {};
  std::set<std::string> missing;
  for (const auto& name : heads) {
    if (!index->projects(name, table.keys)) missing.insert(name);
  }
  if (missing.empty()) return {};
  return fail(errors::invalid_parameter(
      "Secondary index " + index->name + " does not project one or more filter attributes: [" +
      join(std::vector<std::string>(missing.begin(), missing.end()), ", ") + "]"));
}

Result<Selection> resolve_select(const std::optional<std::string>& select, const Table& table,
                                 const Index* index,
                                 const std::optional<ParsedProjection>& projection) {
  Selection out{.count_only = select == "COUNT"};
  if (!index || index->projection == Index::Projection::all) return out;
  const bool all = select == "ALL_ATTRIBUTES";
  if (index->global && all) {
    return fail(errors::invalid_parameter(
        "Select type ALL_ATTRIBUTES is not supported for global secondary index " + index->name +
        " because its projection type is not ALL"));
  }
  std::string missing;
  if (projection) {
    for (const auto& path : projection->paths) {
      if (!index->projects(path[0].name, table.keys))
        missing += (missing.empty() ? "" : ", ") + path[0].name;
    }
  }
  if (index->global && !missing.empty()) {
    return fail(errors::invalid_parameter("Global secondary index " + index->name +
                                          " does not project [" + missing + "]"));
  }
  out.fetch_items = all || !missing.empty();
  return out;
}

Result<void> check_index_readable(const Table& table, const std::optional<std::string>& name,
                                  Timestamp now) {
  const Index* index = name ? table.find_index(*name) : nullptr;
  if (!index || index->transition != "CREATING" || table.status(now) != "UPDATING") return {};
  return fail(errors::validation("Cannot read from backfilling global secondary index: " + *name));
}

Result<const Index*> find_read_index(const Table& table, const std::optional<std::string>& name,
                                     bool consistent) {
  if (!name) return nullptr;
  const Index* index = table.find_index(*name);
  if (!index) return fail(errors::index_not_found(*name));
  if (index->global && consistent) {
    return fail(
        errors::validation("Consistent reads are not supported on global secondary indexes"));
  }
  return index;
}

Result<void> check_start_key_values(const std::optional<Item>& key) {
  if (!key || key->problem().empty()) return {};
  const std::string& problem = key->problem();
  for (const std::string_view bare : {"contains duplicates", "number set", "numeric value",
                                      "significant digits", "with magnitude"}) {
    if (problem.find(bare) != std::string::npos) return fail(errors::validation(problem));
  }
  return fail(errors::validation("The provided starting key is invalid: " + problem));
}

}  // namespace virga::dynamodb
