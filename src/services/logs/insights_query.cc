#include "services/logs/insights_query.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/strings.h"
#include "base/time.h"

namespace virga::logs {
namespace {

using Command = InsightsQuery::Command;
using Column = InsightsQuery::Column;
using Aggregate = InsightsQuery::Aggregate;
using Kind = Command::Kind;

constexpr size_t kCommandsMax = 50;
constexpr size_t kLimitMax = 10'000;

// ---- Parsing

constexpr std::string_view kAggregates[] = {
    "count", "count_distinct", "sum",      "avg",    "min",        "max",
    "pct",   "stddev",         "earliest", "latest", "sortsfirst", "sortslast"};

Result<Column> parse_column(InsightsTokens& tokens) {
  Column column;
  const size_t begin = tokens.peek().begin;
  const bool plain = tokens.peek().kind == InsightsToken::Kind::quoted_name;
  const std::string quoted = tokens.peek().text;
  VIRGA_TRY(expression, parse_expression(tokens));
  column.expression = std::move(expression);
  column.name = std::string(trim(tokens.source(begin, tokens.peek().begin)));
  while (column.name.ends_with('\n') || column.name.ends_with('\r')) column.name.pop_back();
  if (plain && column.name == "`" + quoted + "`") column.name = quoted;
  if (tokens.accept("as")) {
    VIRGA_TRY(name, tokens.name());
    column.name = std::move(name);
  }
  return column;
}

Result<std::vector<Column>> parse_columns(InsightsTokens& tokens, bool sorting) {
  std::vector<Column> columns;
  do {
    VIRGA_TRY(column, parse_column(tokens));
    if (sorting && tokens.accept("desc")) {
      column.descending = true;
    } else if (sorting) {
      tokens.accept("asc");
    }
    columns.push_back(std::move(column));
  } while (tokens.accept(","));
  return columns;
}

Result<Aggregate> parse_aggregate(InsightsTokens& tokens) {
  Aggregate out;
  const size_t begin = tokens.peek().begin;
  out.function = to_lower(tokens.peek().text);
  const bool known = std::find(std::begin(kAggregates), std::end(kAggregates), out.function) !=
                     std::end(kAggregates);
  if (!known || tokens.peek().kind != InsightsToken::Kind::name) return tokens.unexpected_here();
  tokens.take();
  VIRGA_TRY_VOID(tokens.expect("("));
  const bool all = out.function == "count" && (tokens.is("*") || tokens.is(")"));
  if (all) {
    tokens.accept("*");
  } else {
    VIRGA_TRY(argument, parse_expression(tokens));
    out.argument = std::move(argument);
  }
  if (out.function == "pct") {
    VIRGA_TRY_VOID(tokens.expect(","));
    const auto percent = number_of(InsightsValue{tokens.peek().text, false});
    if (!percent || *percent < 0 || *percent > 100) return tokens.unexpected_here();
    out.percent = *percent;
    tokens.take();
  }
  const size_t end = tokens.peek().end;
  VIRGA_TRY_VOID(tokens.expect(")"));
  out.name = tokens.source(begin, end);
  if (tokens.accept("as")) {
    VIRGA_TRY(name, tokens.name());
    out.name = std::move(name);
  }
  return out;
}

// parse @message "user=*, id=*" as @user, @id
Result<void> parse_parse(InsightsTokens& tokens, Command& command) {
  Column subject;
  if (tokens.peek().kind != InsightsToken::Kind::text) {
    VIRGA_TRY(expression, parse_expression(tokens));
    subject.expression = std::move(expression);
  }
  command.columns.push_back(std::move(subject));
  if (tokens.peek().kind == InsightsToken::Kind::regex)
    return fail("NotImplemented", 501,
                "parse with regular expressions is not implemented by Virga.");
  if (tokens.peek().kind != InsightsToken::Kind::text) return tokens.unexpected_here();
  const std::string pattern = tokens.take().text;
  for (const auto part : split(pattern, '*')) command.literals.emplace_back(part);
  VIRGA_TRY_VOID(tokens.expect("as"));
  do {
    VIRGA_TRY(name, tokens.name());
    command.names.push_back(std::move(name));
  } while (tokens.accept(","));
  if (command.names.size() + 1 != command.literals.size()) return tokens.unexpected_here();
  return {};
}

Result<Command> parse_command(InsightsTokens& tokens) {
  static constexpr std::string_view kMissing[] = {
      "pattern", "diff", "unmask", "unnest", "join", "lookup", "anomaly", "source", "filterindex"};
  Command command;
  const std::string word = to_lower(tokens.peek().text);
  if (std::find(std::begin(kMissing), std::end(kMissing), word) != std::end(kMissing))
    return fail("NotImplemented", 501, "The command " + word + " is not implemented by Virga.");
  const std::pair<std::string_view, Kind> kinds[] = {
      {"fields", Kind::fields}, {"display", Kind::display}, {"filter", Kind::filter},
      {"stats", Kind::stats},   {"sort", Kind::sort},       {"limit", Kind::limit},
      {"parse", Kind::parse},   {"dedup", Kind::dedup},     {"head", Kind::limit},
      {"where", Kind::filter}};
  const auto found = std::find_if(std::begin(kinds), std::end(kinds),
                                  [&](const auto& k) { return k.first == word; });
  if (found == std::end(kinds)) return tokens.unexpected_here();
  tokens.take();
  command.kind = found->second;
  switch (command.kind) {
    case Kind::filter: {
      Column condition;
      VIRGA_TRY(expression, parse_expression(tokens));
      condition.expression = std::move(expression);
      command.columns.push_back(std::move(condition));
      break;
    }
    case Kind::limit: {
      const auto count = parse_int(tokens.peek().text);
      if (!count || *count < 1) return tokens.unexpected_here();
      command.count = static_cast<size_t>(*count);
      tokens.take();
      break;
    }
    case Kind::stats:
      do {
        VIRGA_TRY(aggregate, parse_aggregate(tokens));
        command.aggregates.push_back(std::move(aggregate));
      } while (tokens.accept(","));
      if (tokens.accept("by")) {
        VIRGA_TRY(by, parse_columns(tokens, false));
        command.columns = std::move(by);
      }
      break;
    case Kind::parse:
      VIRGA_TRY_VOID(parse_parse(tokens, command));
      break;
    default: {
      VIRGA_TRY(columns, parse_columns(tokens, command.kind == Kind::sort));
      command.columns = std::move(columns);
    }
  }
  return command;
}

// ---- Fields of events

// What follows `label` up to the next tab: "12.34 ms" of "Duration: ".
std::optional<std::string_view> report_part(std::string_view line, std::string_view label) {
  const size_t at = line.find(label);
  if (at == std::string_view::npos || (at > 0 && line[at - 1] != '\t')) return std::nullopt;
  line.remove_prefix(at + label.size());
  return line.substr(0, line.find_first_of(" \t\n"));
}

MaybeValue lambda_field(std::string_view message, std::string_view name) {
  std::string_view type;
  for (const std::string_view one : {"START", "END", "REPORT"}) {
    if (message.starts_with(one) && message.substr(one.size()).starts_with(" RequestId: "))
      type = one;
  }
  if (type.empty()) return std::nullopt;
  if (name == "@type") return InsightsValue{std::string(type), false};
  if (name == "@requestId") {
    const auto id = message.substr(type.size() + 12);
    return InsightsValue{std::string(id.substr(0, id.find_first_of(" \t\n"))), false};
  }
  if (type != "REPORT") return std::nullopt;
  constexpr double kBytesOfMegabyte = 1'000'000;
  const std::tuple<std::string_view, std::string_view, double> parts[] = {
      {"@duration", "Duration: ", 1},
      {"@billedDuration", "Billed Duration: ", 1},
      {"@initDuration", "Init Duration: ", 1},
      {"@memorySize", "Memory Size: ", kBytesOfMegabyte},
      {"@maxMemoryUsed", "Max Memory Used: ", kBytesOfMegabyte}};
  for (const auto& [field, label, factor] : parts) {
    if (field != name) continue;
    const auto text = report_part(message, label);
    const auto number = text ? number_of(InsightsValue{std::string(*text), false}) : std::nullopt;
    if (!number) return std::nullopt;
    return number_value(*number * factor);
  }
  return std::nullopt;
}

MaybeValue json_field(const std::string& message, std::string_view name) {
  const size_t brace = message.find('{');
  if (brace == std::string::npos) return std::nullopt;
  const auto parsed = parse_json(std::string_view(message).substr(brace));
  if (!parsed) return std::nullopt;
  const Document* at = &*parsed;
  for (std::string_view rest = name; at && !rest.empty();) {
    if (const Document* whole = at->find(rest)) {  // a name that has full stops of its own
      at = whole;
      break;
    }
    const auto step = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), step.size() + 1));
    if (at->is_array()) {
      const auto index = parse_int(step);
      const bool there =
          index && *index >= 0 && static_cast<size_t>(*index) < at->as_array().size();
      at = there ? &at->as_array()[static_cast<size_t>(*index)] : nullptr;
    } else {
      at = at->find(step);
    }
  }
  if (!at || at->is_null()) return std::nullopt;
  if (at->is_string()) return InsightsValue{at->as_string(), false};
  if (at->is_bool()) return InsightsValue{at->as_bool() ? "1" : "0", false};
  return InsightsValue{to_json(*at), false};
}

// ---- Running

constexpr size_t kComputedBytesMax = 64 * 1024 * 1024;  // of one query

struct Row {
  const InsightsRecord* record = nullptr;  // null: made by stats
  std::map<std::string, InsightsValue, std::less<>> computed;
  size_t kept_bytes = 0;  // of `computed`, not counted by the run yet

  MaybeValue field(std::string_view name) const {
    const auto it = computed.find(name);
    if (it != computed.end()) return it->second;
    return record ? record_field(*record, name) : std::nullopt;
  }
  void keep(const std::string& name, InsightsValue value) {
    kept_bytes += name.size() + value.text.size() + sizeof(InsightsValue);
    computed.insert_or_assign(name, std::move(value));
  }
  MaybeValue evaluate(const ExpressionPtr& expression) const {
    return expression->value([this](std::string_view name) { return field(name); });
  }
};

// 2026-03-01 12:00:00.000
std::string shown(const InsightsValue& value) {
  const auto millis = value.is_time ? number_of(value) : std::nullopt;
  if (!millis || std::fabs(*millis) > 8.64e15) return value.text;
  std::string text =
      format_iso8601_millis(Timestamp{static_cast<int64_t>(*millis) * 1000});  // …T…Z
  if (const size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

InsightsValue rounded(double number) {
  return number_value(std::round(number * 10'000) / 10'000);
}

MaybeValue extreme_of(const std::vector<InsightsValue>& values, int sign) {
  MaybeValue best;
  for (const auto& value : values) {
    if (!best || compare_values(value, *best) * sign > 0) best = value;
  }
  return best;
}

MaybeValue aggregated_numbers(const Aggregate& aggregate, std::vector<double> numbers) {
  if (numbers.empty()) return std::nullopt;
  const auto count = static_cast<double>(numbers.size());
  double sum = 0;
  for (const double n : numbers) sum += n;
  if (aggregate.function == "sum") return number_value(sum);
  if (aggregate.function == "avg") return rounded(sum / count);
  if (aggregate.function == "stddev") {
    double squares = 0;
    for (const double n : numbers) squares += (n - sum / count) * (n - sum / count);
    return rounded(std::sqrt(squares / count));
  }
  std::sort(numbers.begin(), numbers.end());  // pct: nearest rank
  const double rank = std::ceil(aggregate.percent / 100 * count);
  return rounded(numbers[static_cast<size_t>(std::max(rank, 1.0)) - 1]);
}

MaybeValue aggregated(const Aggregate& aggregate, const std::vector<const Row*>& rows) {
  if (!aggregate.argument) return number_value(static_cast<double>(rows.size()));
  std::vector<InsightsValue> values;
  for (const Row* row : rows) {
    if (auto value = row->evaluate(aggregate.argument)) values.push_back(std::move(*value));
  }
  const std::string& function = aggregate.function;
  if (function == "count") return number_value(static_cast<double>(values.size()));
  if (function == "count_distinct") {
    std::set<std::string> distinct;
    for (const auto& value : values) distinct.insert(value.text);
    return number_value(static_cast<double>(distinct.size()));
  }
  if (function == "min" || function == "sortsfirst") return extreme_of(values, -1);
  if (function == "max" || function == "sortslast") return extreme_of(values, 1);
  if (values.empty()) return std::nullopt;
  // Rows come newest first.
  if (function == "earliest") return values.back();
  if (function == "latest") return values.front();
  std::vector<double> numbers;
  for (const auto& value : values) {
    if (const auto number = number_of(value)) numbers.push_back(*number);
  }
  return aggregated_numbers(aggregate, std::move(numbers));
}

// Values of the columns as one key: what is absent differs from what is empty.
std::string key_of_columns(const Row& row, const std::vector<Column>& columns) {
  std::string key;
  for (const Column& column : columns) {
    const auto value = row.evaluate(column.expression);
    key += value ? "+" + std::to_string(value->text.size()) + ":" + value->text : "-";
  }
  return key;
}

// False: `in_bounds` said that it is too much.
template <class InBounds>
bool run_stats(const Command& command, std::vector<Row>& rows, const InBounds& in_bounds) {
  std::map<std::string, size_t> places;
  std::vector<std::vector<const Row*>> groups;  // in the order of their first rows
  for (const Row& row : rows) {
    const auto [it, added] = places.emplace(key_of_columns(row, command.columns), groups.size());
    if (added) groups.emplace_back();
    groups[it->second].push_back(&row);
  }
  std::vector<Row> out;
  for (const auto& group : groups) {
    Row& made = out.emplace_back();
    for (const Column& column : command.columns) {
      if (auto value = group.front()->evaluate(column.expression))
        made.keep(column.name, std::move(*value));
    }
    for (const Aggregate& aggregate : command.aggregates) {
      if (auto value = aggregated(aggregate, group)) made.keep(aggregate.name, std::move(*value));
    }
    if (!in_bounds(made)) return false;
  }
  rows = std::move(out);
  return true;
}

// std::stable_sort wants memory by a way that libstdc++ has deprecated.
template <class T, class Before>
void sort_keeping_order(std::vector<T>& all, Before before) {
  std::vector<size_t> order(all.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    if (before(all[a], all[b])) return true;
    return !before(all[b], all[a]) && a < b;
  });
  std::vector<T> sorted;
  sorted.reserve(all.size());
  for (const size_t i : order) sorted.push_back(std::move(all[i]));
  all = std::move(sorted);
}

void run_sort(const Command& command, std::vector<Row>& rows) {
  struct Keyed {
    std::vector<MaybeValue> keys;
    Row row;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(rows.size());
  for (Row& row : rows) {
    Keyed& k = keyed.emplace_back();
    for (const Column& column : command.columns) k.keys.push_back(row.evaluate(column.expression));
    k.row = std::move(row);
  }
  sort_keeping_order(keyed, [&](const Keyed& a, const Keyed& b) {
    for (size_t i = 0; i < a.keys.size(); ++i) {
      const MaybeValue &x = a.keys[i], &y = b.keys[i];
      if (!x && !y) continue;
      const int order = !x ? -1 : !y ? 1 : compare_values(*x, *y);
      if (order != 0) return command.columns[i].descending ? order > 0 : order < 0;
    }
    return false;
  });
  rows.clear();
  for (Keyed& k : keyed) rows.push_back(std::move(k.row));
}

void run_parse(const Command& command, Row& row) {
  const ExpressionPtr& subject = command.columns.front().expression;
  const auto value = subject ? row.evaluate(subject) : row.field("@message");
  if (!value) return;
  const std::string& text = value->text;
  size_t at = text.find(command.literals.front());
  if (at == std::string::npos) return;
  at += command.literals.front().size();
  std::vector<std::string> parts;
  for (size_t i = 1; i < command.literals.size(); ++i) {
    const bool rest = i + 1 == command.literals.size() && command.literals[i].empty();
    const size_t end = rest ? text.size() : text.find(command.literals[i], at);
    if (end == std::string::npos) return;
    parts.push_back(text.substr(at, end - at));
    at = end + command.literals[i].size();
  }
  for (size_t i = 0; i < parts.size(); ++i)
    row.keep(command.names[i], InsightsValue{std::move(parts[i]), false});
}

void run_dedup(const Command& command, std::vector<Row>& rows) {
  std::set<std::string> seen;
  std::erase_if(rows, [&](const Row& row) {
    return !seen.insert(key_of_columns(row, command.columns)).second;
  });
}

// The columns that results have, as the commands name them.
void name_columns(const Command& command, std::vector<std::string>& columns) {
  const auto add = [&](const std::string& name) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  };
  if (command.kind == Kind::display || command.kind == Kind::stats) columns.clear();
  const bool names =
      command.kind == Kind::fields || command.kind == Kind::display || command.kind == Kind::stats;
  if (!names) return;
  for (const Column& column : command.columns) add(column.name);
  for (const Aggregate& aggregate : command.aggregates) add(aggregate.name);
}

}  // namespace

MaybeValue record_field(const InsightsRecord& record, std::string_view name) {
  const auto text = [](const std::string& t) { return InsightsValue{t, false}; };
  if (name == "@timestamp") return InsightsValue{std::to_string(record.timestamp), true};
  if (name == "@ingestionTime") return InsightsValue{std::to_string(record.ingested), true};
  if (name == "@message") return text(record.message);
  if (name == "@logStream") return text(record.stream);
  if (name == "@log") return text(record.log);
  if (name == "@ptr") return text(record.pointer);
  if (name.starts_with('@')) {
    if (auto value = lambda_field(record.message, name)) return value;
  }
  return json_field(record.message, name);
}

Result<InsightsQuery> InsightsQuery::parse(std::string_view text) {
  VIRGA_TRY(tokens, InsightsTokens::read(text));
  InsightsQuery query;
  if (tokens.peek().kind == InsightsToken::Kind::end) return query;  // all events as they are
  do {
    if (query.commands_.size() == kCommandsMax) return tokens.unexpected_here();
    VIRGA_TRY(command, parse_command(tokens));
    query.commands_.push_back(std::move(command));
  } while (tokens.accept("|"));
  if (tokens.peek().kind != InsightsToken::Kind::end) return tokens.unexpected_here();
  return query;
}

bool InsightsQuery::wants(const InsightsRecord& record) const {
  const auto field = [&](std::string_view name) { return record_field(record, name); };
  for (const Command& command : commands_) {
    if (command.kind != Kind::filter) return true;
    if (!is_true(command.columns.front().expression->value(field))) return false;
  }
  return true;
}

InsightsQuery::Results InsightsQuery::run(std::vector<InsightsRecord> records, size_t limit) const {
  sort_keeping_order(records,
                     [](const auto& a, const auto& b) { return a.timestamp > b.timestamp; });
  std::vector<Row> rows(records.size());
  for (size_t i = 0; i < records.size(); ++i) rows[i].record = &records[i];
  std::vector<std::string> columns;
  Results out{.rows = {}, .matched = rows.size()};
  bool events = true;
  size_t computed_bytes = 0;
  const auto in_bounds = [&](Row& row) {
    computed_bytes += std::exchange(row.kept_bytes, 0);
    return computed_bytes <= kComputedBytesMax;
  };
  for (const Command& command : commands_) {
    events = events && command.kind != Kind::stats && command.kind != Kind::dedup;
    name_columns(command, columns);
    switch (command.kind) {
      case Kind::fields:
      case Kind::display:
        for (Row& row : rows) {
          for (const Column& column : command.columns) {
            if (auto value = row.evaluate(column.expression))
              row.keep(column.name, std::move(*value));
          }
          if (!in_bounds(row)) return {.rows = {}, .too_much = true};
        }
        break;
      case Kind::filter:
        std::erase_if(rows, [&](const Row& row) {
          return !is_true(row.evaluate(command.columns.front().expression));
        });
        if (events) out.matched = rows.size();
        break;
      case Kind::stats:
        if (!run_stats(command, rows, in_bounds)) return {.rows = {}, .too_much = true};
        break;
      case Kind::sort:
        run_sort(command, rows);
        break;
      case Kind::limit:
        limit = std::min(command.count, kLimitMax);
        break;
      case Kind::parse:
        for (Row& row : rows) {
          run_parse(command, row);
          if (!in_bounds(row)) return {.rows = {}, .too_much = true};
        }
        break;
      case Kind::dedup:
        run_dedup(command, rows);
        break;
    }
  }
  if (columns.empty()) columns = {"@timestamp", "@message"};
  for (const Row& row : rows) {
    if (out.rows.size() == limit) break;
    InsightsFields& result = out.rows.emplace_back();
    for (const std::string& column : columns) {
      if (const auto value = row.field(column)) result.emplace_back(column, shown(*value));
    }
    if (row.record) result.emplace_back("@ptr", row.record->pointer);
  }
  return out;
}

}  // namespace virga::logs
