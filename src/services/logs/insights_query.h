#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/logs/insights_expression.h"

// Queries of CloudWatch Logs Insights: commands in a pipe. Source: CloudWatch Logs User Guide,
// "CloudWatch Logs Insights language query syntax".
namespace virga::logs {

// One log event as a query sees it.
struct InsightsRecord {
  int64_t timestamp = 0;
  int64_t ingested = 0;
  std::string message;
  std::string stream;
  std::string log;      // "111122223333:/aws/lambda/f"
  std::string pointer;  // @ptr
};

using InsightsFields = std::vector<std::pair<std::string, std::string>>;  // of one result

// A field of an event: the generated ones (@message), those of JSON events by their paths, and
// those of the lines that Lambda writes (@requestId, @duration). Source: "Supported logs and
// discovered fields".
MaybeValue record_field(const InsightsRecord& record, std::string_view name);

// Immutable; any thread.
class InsightsQuery {
 public:
  // Errors: MalformedQueryException; NotImplemented for commands that are not here.
  static Result<InsightsQuery> parse(std::string_view text);

  // Whether an event passes the filters that stand first: what need not be kept to run the rest.
  bool wants(const InsightsRecord& record) const;
  struct Results {
    std::vector<InsightsFields> rows;
    size_t matched = 0;     // events that passed the filters before anything put them together
    bool too_much = false;  // the values that it computes take more memory than a query may have
  };
  // At most `limit` rows where the query says nothing itself.
  Results run(std::vector<InsightsRecord> records, size_t limit) const;

  struct Column {
    std::string name;
    ExpressionPtr expression;
    bool descending = false;  // of a sort
  };
  struct Aggregate {
    std::string name;  // of the column: "count(*)"
    std::string function;
    ExpressionPtr argument;  // null: *
    double percent = 0;      // pct
  };
  struct Command {
    enum class Kind { fields, display, filter, stats, sort, limit, parse, dedup };
    Kind kind = Kind::fields;
    std::vector<Column> columns;  // of a filter: its condition; of stats: what it groups by
    std::vector<Aggregate> aggregates;
    size_t count = 0;                   // limit
    std::vector<std::string> literals;  // parse: what stands around the asterisks
    std::vector<std::string> names;     // parse: of what they stand for
  };

 private:
  std::vector<Command> commands_;
};

}  // namespace virga::logs
