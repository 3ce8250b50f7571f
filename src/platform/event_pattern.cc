#include "platform/event_pattern.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/strings.h"

namespace virga::platform {
namespace {

constexpr std::string_view kOr = "$or";

Result<void> refuse(std::string_view where, std::string_view why) {
  return fail("InvalidEventPattern", 400,
              "Event pattern is not valid. Reason: " + std::string(why) + " at " +
                  (where.empty() ? "the top" : std::string(where)));
}

bool is_text_or_texts(const Document& value) {
  if (value.is_string()) return true;
  if (!value.is_array() || value.as_array().empty()) return false;
  return std::all_of(value.as_array().begin(), value.as_array().end(),
                     [](const Document& d) { return d.is_string(); });
}

// A network in CIDR notation: its address bytes and the length of the prefix.
struct Network {
  std::string address;
  int bits = 0;
};

std::optional<std::string> address_bytes(std::string_view text) {
  const std::string address(text);
  unsigned char bytes[16];
  if (inet_pton(AF_INET, address.c_str(), bytes) == 1)
    return std::string(reinterpret_cast<char*>(bytes), 4);
  if (inet_pton(AF_INET6, address.c_str(), bytes) == 1)
    return std::string(reinterpret_cast<char*>(bytes), 16);
  return std::nullopt;
}

std::optional<Network> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = address_bytes(text.substr(0, slash));
  const auto bits = parse_int(text.substr(slash + 1));
  if (!address || !bits || *bits < 0 || *bits > static_cast<int64_t>(address->size() * 8))
    return std::nullopt;
  return Network{*address, static_cast<int>(*bits)};
}

bool contains(const Network& network, const std::string& address) {
  if (address.size() != network.address.size()) return false;
  for (int bit = 0; bit < network.bits; ++bit) {
    const auto at = static_cast<size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((address[at] & mask) != (network.address[at] & mask)) return false;
  }
  return true;
}

bool is_comparison(const Document& d) {
  return d.is_string() && (d.as_string() == "=" || d.as_string() == "<" || d.as_string() == "<=" ||
                           d.as_string() == ">" || d.as_string() == ">=");
}

bool compare(double a, const std::string& how, double b) {
  if (how == "=") return a == b;
  if (how == "<") return a < b;
  if (how == "<=") return a <= b;
  if (how == ">") return a > b;
  return a >= b;
}

// {"prefix": "a"} or {"prefix": {"equals-ignore-case": "a"}}
bool is_affix(const Document& operand) {
  if (operand.is_string()) return true;
  const Document* folded = operand.find("equals-ignore-case");
  return folded && folded->is_string() && operand.as_object().size() == 1;
}

bool has_affix(const Document& operand, const std::string& text, bool at_end) {
  const bool fold = !operand.is_string();
  std::string affix = fold ? operand.find("equals-ignore-case")->as_string() : operand.as_string();
  if (affix.size() > text.size()) return false;
  const std::string_view part =
      std::string_view(text).substr(at_end ? text.size() - affix.size() : 0, affix.size());
  return fold ? iequals(part, affix) : part == affix;
}

Result<void> check_anything_but(const Document& operand, std::string_view where) {
  if (operand.is_string() || operand.is_number() || operand.is_bool()) return {};
  if (operand.is_array()) {
    const auto& list = operand.as_array();
    const bool good = !list.empty() && std::all_of(list.begin(), list.end(), [](const Document& d) {
      return d.is_string() || d.is_number() || d.is_bool();
    });
    if (good) return {};
    return refuse(where, "anything-but list must contain strings or numbers");
  }
  if (operand.is_object() && operand.as_object().size() == 1) {
    const auto& [name, inner] = operand.as_object().front();
    if ((name == "prefix" || name == "suffix" || name == "wildcard" ||
         name == "equals-ignore-case") &&
        is_text_or_texts(inner))
      return {};
  }
  return refuse(where, "Unsupported anything-but pattern");
}

Result<void> check_numeric(const Document& operand, std::string_view where) {
  const std::string_view why = "Value of numeric must be an array of operators and numbers";
  if (!operand.is_array()) return refuse(where, why);
  const auto& list = operand.as_array();
  if (list.size() != 2 && list.size() != 4) return refuse(where, why);
  for (size_t i = 0; i < list.size(); i += 2) {
    if (!is_comparison(list[i]) || !list[i + 1].is_number()) return refuse(where, why);
  }
  return {};
}

Result<void> check_operator(const Document& matcher, std::string_view where) {
  if (matcher.as_object().size() != 1)
    return refuse(where, "Only one key allowed in match expression");
  const auto& [name, operand] = matcher.as_object().front();
  if (name == "prefix" || name == "suffix") {
    if (is_affix(operand)) return {};
    return refuse(where, name + " match pattern must be a string");
  }
  if (name == "exists") {
    if (operand.is_bool()) return {};
    return refuse(where, "exists match pattern must be either true or false.");
  }
  if (name == "anything-but") return check_anything_but(operand, where);
  if (name == "numeric") return check_numeric(operand, where);
  if (name == "equals-ignore-case" || name == "wildcard") {
    if (operand.is_string()) return {};
    return refuse(where, name + " match pattern must be a string");
  }
  if (name == "cidr") {
    if (operand.is_string() && parse_network(operand.as_string())) return {};
    return refuse(where, "Malformed CIDR");
  }
  return refuse(where, "Unrecognized match type " + name);
}

Result<void> check_object(const Document& pattern, const std::string& where);

Result<void> check_alternatives(const Document& list, const std::string& where) {
  if (list.as_array().empty()) return refuse(where, "Empty arrays are not allowed");
  for (const Document& one : list.as_array()) {
    if (one.is_array()) return refuse(where, "Match value must be String, number, true, or null");
    if (one.is_object()) VIRGA_TRY_VOID(check_operator(one, where));
  }
  return {};
}

Result<void> check_object(const Document& pattern, const std::string& where) {
  if (pattern.as_object().empty()) return refuse(where, "Empty objects are not allowed");
  for (const auto& [name, value] : pattern.as_object()) {
    const std::string place = where.empty() ? name : where + "." + name;
    if (name == kOr && value.is_array()) {
      for (const Document& one : value.as_array()) {
        if (!one.is_object()) return refuse(place, "$or must be a list of patterns");
        VIRGA_TRY_VOID(check_object(one, place));
      }
      continue;
    }
    if (value.is_object()) {
      VIRGA_TRY_VOID(check_object(value, place));
    } else if (value.is_array()) {
      VIRGA_TRY_VOID(check_alternatives(value, place));
    } else {
      return refuse(place, "\"" + name + "\" must be an object or an array");
    }
  }
  return {};
}

bool equal(const Document& wanted, const Document& value) {
  if (wanted.is_number() && value.is_number()) return wanted.as_double() == value.as_double();
  return wanted == value;
}

bool any_text(const Document& operand, auto&& test) {
  if (operand.is_string()) return test(operand);
  return std::any_of(operand.as_array().begin(), operand.as_array().end(), test);
}

bool anything_but(const Document& operand, const Document& value) {
  if (operand.is_array()) {
    return std::none_of(operand.as_array().begin(), operand.as_array().end(),
                        [&](const Document& d) { return equal(d, value); });
  }
  if (!operand.is_object()) return !equal(operand, value);
  if (!value.is_string()) return true;
  const auto& [name, inner] = operand.as_object().front();
  const std::string& text = value.as_string();
  if (name == "prefix")
    return !any_text(inner, [&](const Document& d) { return has_affix(d, text, false); });
  if (name == "suffix")
    return !any_text(inner, [&](const Document& d) { return has_affix(d, text, true); });
  if (name == "wildcard")
    return !any_text(inner, [&](const Document& d) { return wildcard_match(d.as_string(), text); });
  return !any_text(inner, [&](const Document& d) { return iequals(d.as_string(), text); });
}

// One value that is there, no list.
bool matches_operator(const Document& matcher, const Document& value) {
  const auto& [name, operand] = matcher.as_object().front();
  if (name == "exists") return operand.as_bool();
  if (name == "anything-but") return anything_but(operand, value);
  if (name == "numeric") {
    if (!value.is_number()) return false;
    const auto& list = operand.as_array();
    for (size_t i = 0; i < list.size(); i += 2) {
      if (!compare(value.as_double(), list[i].as_string(), list[i + 1].as_double())) return false;
    }
    return true;
  }
  if (!value.is_string()) return false;
  const std::string& text = value.as_string();
  if (name == "prefix") return has_affix(operand, text, false);
  if (name == "suffix") return has_affix(operand, text, true);
  if (name == "equals-ignore-case") return iequals(operand.as_string(), text);
  if (name == "wildcard") return wildcard_match(operand.as_string(), text);
  const auto network = parse_network(operand.as_string());
  const auto address = address_bytes(text);
  return network && address && contains(*network, *address);
}

bool matches_one(const Document& alternatives, const Document& value) {
  return std::any_of(alternatives.as_array().begin(), alternatives.as_array().end(),
                     [&](const Document& one) {
                       return one.is_object() ? matches_operator(one, value) : equal(one, value);
                     });
}

bool wants_absence(const Document& alternatives) {
  return std::any_of(alternatives.as_array().begin(), alternatives.as_array().end(),
                     [](const Document& one) {
                       const Document* exists = one.find("exists");
                       return exists && !exists->as_bool();
                     });
}

// `value` null: the event has no such field. An object is no leaf: for leaves it is not there.
bool matches_leaf(const Document& alternatives, const Document* value) {
  if (!value || value->is_object()) return wants_absence(alternatives);
  if (!value->is_array()) return matches_one(alternatives, *value);
  if (value->as_array().empty()) return wants_absence(alternatives);
  return std::any_of(value->as_array().begin(), value->as_array().end(),
                     [&](const Document& one) { return matches_one(alternatives, one); });
}

bool matches_object(const Document& pattern, const Document* event) {
  for (const auto& [name, wanted] : pattern.as_object()) {
    if (name == kOr && wanted.is_array()) {
      const bool any = std::any_of(wanted.as_array().begin(), wanted.as_array().end(),
                                   [&](const Document& one) { return matches_object(one, event); });
      if (!any) return false;
      continue;
    }
    const Document* value = event ? event->find(name) : nullptr;
    if (wanted.is_array()) {
      if (!matches_leaf(wanted, value)) return false;
    } else if (value && value->is_array()) {  // of objects: one of them
      const bool any =
          std::any_of(value->as_array().begin(), value->as_array().end(),
                      [&](const Document& one) { return matches_object(wanted, &one); });
      if (!any) return false;
    } else if (!matches_object(wanted, value)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<EventPattern> EventPattern::parse(std::string_view json) {
  auto parsed = parse_json(json);
  if (!parsed)
    return fail("InvalidEventPattern", 400,
                "Event pattern is not valid. Reason: Filter is not JSON");
  if (!parsed->is_object())
    return fail("InvalidEventPattern", 400,
                "Event pattern is not valid. Reason: Filter is not an object");
  VIRGA_TRY_VOID(check_object(*parsed, ""));
  return EventPattern(std::move(*parsed));
}

bool EventPattern::matches(const Document& event) const {
  return matches_object(pattern_, &event);
}

}  // namespace virga::platform
