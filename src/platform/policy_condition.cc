#include "platform/policy_condition.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "base/strings.h"
#include "base/time.h"

namespace virga::platform {
namespace {

using Operator = Condition::Operator;

struct NamedOperator {
  std::string_view name;  // lower case
  Operator op;
  bool negated;
};

constexpr std::array kOperators{
    NamedOperator{"stringequals", Operator::string_equals, false},
    NamedOperator{"stringnotequals", Operator::string_equals, true},
    NamedOperator{"stringequalsignorecase", Operator::string_equals_ignore_case, false},
    NamedOperator{"stringnotequalsignorecase", Operator::string_equals_ignore_case, true},
    NamedOperator{"stringlike", Operator::string_like, false},
    NamedOperator{"stringnotlike", Operator::string_like, true},
    NamedOperator{"numericequals", Operator::numeric_equals, false},
    NamedOperator{"numericnotequals", Operator::numeric_equals, true},
    NamedOperator{"numericlessthan", Operator::numeric_less, false},
    NamedOperator{"numericlessthanequals", Operator::numeric_less_equals, false},
    NamedOperator{"numericgreaterthan", Operator::numeric_greater, false},
    NamedOperator{"numericgreaterthanequals", Operator::numeric_greater_equals, false},
    NamedOperator{"dateequals", Operator::date_equals, false},
    NamedOperator{"datenotequals", Operator::date_equals, true},
    NamedOperator{"datelessthan", Operator::date_less, false},
    NamedOperator{"datelessthanequals", Operator::date_less_equals, false},
    NamedOperator{"dategreaterthan", Operator::date_greater, false},
    NamedOperator{"dategreaterthanequals", Operator::date_greater_equals, false},
    NamedOperator{"bool", Operator::boolean, false},
    NamedOperator{"binaryequals", Operator::binary, false},
    NamedOperator{"ipaddress", Operator::ip_address, false},
    NamedOperator{"notipaddress", Operator::ip_address, true},
    NamedOperator{"arnequals", Operator::arn_like, false},
    NamedOperator{"arnlike", Operator::arn_like, false},
    NamedOperator{"arnnotequals", Operator::arn_like, true},
    NamedOperator{"arnnotlike", Operator::arn_like, true},
    NamedOperator{"null", Operator::null, false},
};

bool is_date(Operator op) {
  return op >= Operator::date_equals && op <= Operator::date_greater_equals;
}

// W3C dates (a day, or a day and a time) and seconds since 1970.
std::optional<int64_t> parse_date_micros(std::string_view text) {
  if (const auto seconds = parse_int(text)) {
    constexpr int64_t kSecondsMax = 9'000'000'000'000;
    if (*seconds > kSecondsMax || *seconds < -kSecondsMax) return std::nullopt;
    return *seconds * 1'000'000;
  }
  std::string full(text);
  if (full.size() == 10) full += "T00:00:00Z";
  for (char& c : full) {
    if (c == 't') c = 'T';
    if (c == 'z') c = 'Z';
  }
  if (full.size() == 17 && full.back() == 'Z') full.insert(16, ":00");  // 2017-07-01T00:00Z
  const auto at = parse_iso8601(full);
  if (!at) return std::nullopt;
  return at->micros;
}

template <class T>
bool compare(T actual, T expected, int relation /* 0 =, 1 <, 2 <=, 3 >, 4 >= */) {
  switch (relation) {
    case 0:
      return actual == expected;
    case 1:
      return actual < expected;
    case 2:
      return actual <= expected;
    case 3:
      return actual > expected;
    default:
      return actual >= expected;
  }
}

struct Address {
  std::array<unsigned char, 16> bytes{};
  int bits = 0;  // 32 or 128
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string owned(text);
  Address a;
  if (inet_pton(AF_INET, owned.c_str(), a.bytes.data()) == 1) {
    a.bits = 32;
    return a;
  }
  if (inet_pton(AF_INET6, owned.c_str(), a.bytes.data()) == 1) {
    static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(a.bytes.data(), kMapped, sizeof kMapped) ==
        0) {  // ::ffff:1.2.3.4 is the IPv4 address
      std::memmove(a.bytes.data(), a.bytes.data() + 12, 4);
      a.bits = 32;
    } else {
      a.bits = 128;
    }
    return a;
  }
  return std::nullopt;
}

// Whether `actual` lies in `range`, an address or a CIDR block (RFC 4632, RFC 4291).
bool in_range(std::string_view actual, std::string_view range) {
  const size_t slash = range.find('/');
  const auto base = parse_address(range.substr(0, slash));
  const auto address = parse_address(actual);
  if (!base || !address || base->bits != address->bits) return false;
  int prefix = base->bits;
  if (slash != std::string_view::npos) {
    const auto parsed = parse_int(range.substr(slash + 1));
    if (!parsed || *parsed < 0 || *parsed > base->bits) return false;
    prefix = static_cast<int>(*parsed);
  }
  const int whole = prefix / 8;
  if (std::memcmp(base->bytes.data(), address->bytes.data(), static_cast<size_t>(whole)) != 0)
    return false;
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return (base->bytes[static_cast<size_t>(whole)] & mask) ==
         (address->bytes[static_cast<size_t>(whole)] & mask);
}

}  // namespace

std::optional<Condition::Kind> Condition::parse_operator(std::string_view name) {
  Kind kind{};
  std::string text = to_lower(name);
  std::string_view rest = text;
  if (rest.starts_with("forallvalues:")) {
    kind.quantifier = Quantifier::all;
    rest.remove_prefix(13);
  } else if (rest.starts_with("foranyvalue:")) {
    kind.quantifier = Quantifier::any;
    rest.remove_prefix(12);
  }
  if (rest.ends_with("ifexists")) {
    kind.if_exists = true;
    rest.remove_suffix(8);
  }
  for (const NamedOperator& n : kOperators) {
    if (n.name != rest) continue;
    if (n.op == Operator::null && kind.if_exists) return std::nullopt;  // "except Null"
    kind.op = n.op;
    kind.negated = n.negated;
    return kind;
  }
  return std::nullopt;
}

bool Condition::value_is_valid(Kind kind, std::string_view value) {
  return !is_date(kind.op) || value.find("${") != std::string_view::npos ||
         parse_date_micros(value).has_value();
}

Condition::Condition(Kind kind, std::string_view key, const std::vector<std::string>& values,
                     Variables variables)
    : kind_(kind), key_(to_lower(key)) {
  values_.reserve(values.size());
  for (const std::string& v : values) values_.emplace_back(v, variables);
}

bool Condition::holds(const ConditionContext& context) const {
  const std::vector<std::string>* actual = context.find(key_);
  if (kind_.op == Operator::null) {
    const bool absent = actual == nullptr || actual->empty();
    for (const Pattern& v : values_) {
      if (iequals(v.text(), absent ? "true" : "false")) return true;
    }
    return false;
  }
  if (actual == nullptr || actual->empty()) {
    if (kind_.quantifier == Quantifier::all || kind_.if_exists) return true;
    return kind_.quantifier == Quantifier::none && kind_.negated;
  }
  switch (kind_.quantifier) {
    case Quantifier::all:
      for (const std::string& a : *actual) {
        if (one_matches(a, context) == kind_.negated) return false;
      }
      return true;
    case Quantifier::any:
      for (const std::string& a : *actual) {
        if (one_matches(a, context) != kind_.negated) return true;
      }
      return false;
    case Quantifier::none:
      break;
  }
  bool any = false;
  for (const std::string& a : *actual) any = any || one_matches(a, context);
  return any != kind_.negated;
}

bool Condition::one_matches(std::string_view actual, const ConditionContext& context) const {
  for (const Pattern& v : values_) {
    if (value_matches(v, actual, context)) return true;
  }
  return false;
}

bool Condition::value_matches(const Pattern& expected, std::string_view actual,
                              const ConditionContext& context) const {
  switch (kind_.op) {
    case Operator::string_equals:
      return expected.equals(actual, context);
    case Operator::string_equals_ignore_case:
      return expected.equals(actual, context, Case::ignore);
    case Operator::string_like:
      return expected.matches(actual, context);
    case Operator::arn_like:
      return expected.matches_arn(actual, context);
    default:
      break;
  }
  const auto text = expected.resolve(context);
  if (!text) return false;
  switch (kind_.op) {
    case Operator::boolean:
      return iequals(*text, actual);
    case Operator::ip_address:
      return in_range(actual, *text);
    case Operator::binary: {
      const auto a = from_base64(actual);
      const auto b = from_base64(*text);
      return a && b && *a == *b;
    }
    default:
      break;
  }
  if (is_date(kind_.op)) {
    const auto a = parse_date_micros(actual);
    const auto b = parse_date_micros(*text);
    return a && b &&
           compare(*a, *b, static_cast<int>(kind_.op) - static_cast<int>(Operator::date_equals));
  }
  const auto a = parse_double(actual);
  const auto b = parse_double(*text);
  return a && b &&
         compare(*a, *b, static_cast<int>(kind_.op) - static_cast<int>(Operator::numeric_equals));
}

}  // namespace virga::platform
