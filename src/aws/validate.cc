#include "aws/validate.h"

#include <algorithm>
#include <cmath>

#include "aws/decode_path.h"
#include "aws/pattern.h"
#include "aws/pattern_words.h"
#include "aws/scalar_text.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

// More violations than these are counted no further. Source: recorded answers, as published in
// dynalite's test-suite.
constexpr size_t kViolationsMax = 10;
constexpr size_t kValueTextMax = 2048;
// How IAM begins its own sentences about values; alone they stand without a count.
constexpr std::string_view kSpecifiedValue = "The specified value for ";

size_t code_points(std::string_view text) {
  size_t n = 0;
  for (const char c : text) n += (c & 0xc0) != 0x80;
  return n;
}

std::string number_text(double n) {
  return std::floor(n) == n && std::fabs(n) < 1e15 ? std::to_string(static_cast<int64_t>(n))
                                                   : std::to_string(n);
}

// What a constraint of the type demands, each in AWS's words.
std::string at_most(const Limits& l, bool length) {
  return std::string("Member must have ") + (length ? "length" : "value") +
         " less than or equal to " + number_text(l.max);
}
std::string at_least(const Limits& l, bool length) {
  return std::string("Member must have ") + (length ? "length" : "value") +
         " greater than or equal to " + number_text(l.min);
}
std::string of_pattern(const Limits& l) {
  return "Member must satisfy regular expression pattern: " + std::string(l.pattern);
}
std::string of_set(const Limits& l) {
  std::string out = "Member must satisfy enum value set: [";
  for (size_t i = 0; i < l.values.size(); ++i) {
    if (i) out += ", ";
    out += l.values[i];
  }
  return out + "]";
}

struct Measured {
  double size = 0;
  bool is_length = true;
};

Measured measure(const TypeDesc& type, const void* value) {
  switch (type.kind) {
    case Kind::int32:
      return {static_cast<double>(*static_cast<const int32_t*>(value)), false};
    case Kind::int64:
      return {static_cast<double>(*static_cast<const int64_t*>(value)), false};
    case Kind::real:
      return {*static_cast<const double*>(value), false};
    case Kind::list:
      return {static_cast<double>(list_size(type, value)), true};
    case Kind::map:
      return {static_cast<double>(type.map->size(type, value)), true};
    case Kind::blob:
      return {static_cast<double>(static_cast<const std::string*>(value)->size()), true};
    default:
      return {static_cast<double>(code_points(*static_cast<const std::string*>(value))), true};
  }
}

bool has_size(Kind kind) {
  return kind == Kind::int32 || kind == Kind::int64 || kind == Kind::real || kind == Kind::list ||
         kind == Kind::map || kind == Kind::blob || kind == Kind::string;
}

// The demands that the value breaks, in AWS's order.
std::vector<std::string> broken_demands(const TypeDesc& type, const void* value) {
  std::vector<std::string> out;
  const Limits* l = type.limits;
  if (!l || !has_size(type.kind)) return out;
  if (type.kind == Kind::string) {
    const auto& text = *static_cast<const std::string*>(value);
    if (!l->values.empty() &&
        std::find(l->values.begin(), l->values.end(), text) == l->values.end()) {
      out.push_back(of_set(*l));
    }
    if (!l->pattern.empty() && !matches_pattern(l->pattern, text)) out.push_back(of_pattern(*l));
  }
  const Measured m = measure(type, value);
  if (l->has_min && m.size < l->min) out.push_back(at_least(*l, m.is_length));
  if (l->has_max && m.size > l->max) out.push_back(at_most(*l, m.is_length));
  return out;
}

// All demands of the type at once, as AWS says them of list elements and map keys.
std::string all_demands(const TypeDesc& type) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  const bool length =
      type.kind != Kind::int32 && type.kind != Kind::int64 && type.kind != Kind::real;
  if (type.limits->has_max) add(at_most(*type.limits, length));
  if (type.limits->has_min) add(at_least(*type.limits, length));
  if (!type.limits->pattern.empty()) add(of_pattern(*type.limits));
  if (!type.limits->values.empty()) add(of_set(*type.limits));
  return out;
}

// A value as Java prints it: [a, b], {k=v}.
void print(std::string& out, const TypeDesc& type, const void* value);

struct PrintVisit {
  std::string* out;
  const TypeDesc* element;
  bool first = true;
};

void print_struct(std::string& out, const StructDesc& shape, const void* object) {
  out += shape.name;
  out += '(';
  bool first = true;
  for (const MemberDesc& m : shape.members) {
    if (!first) out += ", ";
    first = false;
    std::string name(m.name);
    if (!name.empty())
      name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
    out += name + "=";
    const void* value = get_member(m, object);
    if (value) {
      print(out, *m.type, value);
    } else {
      out += "null";
    }
  }
  out += ')';
}

void print(std::string& out, const TypeDesc& type, const void* value) {
  if (out.size() > kValueTextMax) return;
  if (type.sensitive) {
    out += "*** Sensitive Data Redacted ***";
    return;
  }
  switch (type.kind) {
    case Kind::list: {
      out += '[';
      const size_t count = list_size(type, value);
      for (size_t i = 0; i < count && out.size() < kValueTextMax; ++i) {
        if (i) out += ", ";
        print(out, *type.element, list_at(type, value, i));
      }
      out += ']';
      return;
    }
    case Kind::map: {
      out += '{';
      PrintVisit visit{&out, type.element};
      type.map->each(type, value, &visit,
                     [](void* self, const std::string& key, const void* entry) {
                       auto& v = *static_cast<PrintVisit*>(self);
                       if (!v.first) *v.out += ", ";
                       v.first = false;
                       *v.out += key + "=";
                       print(*v.out, *v.element, entry);
                     });
      out += '}';
      return;
    }
    case Kind::structure:
      return print_struct(out, *type.structure, value);
    case Kind::blob:
      out += "java.nio.HeapByteBuffer";
      return;
    default:
      append_scalar(out, type, value, TimeFormat::iso8601);
  }
}

class Checker {
 public:
  Checker(std::string_view service, const DecodeNotes& notes)
      : service_(service), missing_(notes.missing) {}

  void structure(const StructDesc& shape, const void* object, const DecodePath* at) {
    for (const MemberDesc& m : shape.members) {
      const DecodePath here = DecodePath::member(at, m.name);
      if (m.required() && !missing_.empty() && is_missing(here)) {
        add("Value null at '" + here.text() +
            "' failed to satisfy constraint: Member must not be null");
        continue;
      }
      if (const void* value = get_member(m, object)) this->value(*m.type, value, here);
    }
  }

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  bool is_missing(const DecodePath& here) const {
    return std::find(missing_.begin(), missing_.end(), here.text()) != missing_.end();
  }
  void add(std::string text) {
    if (violations_.size() < kViolationsMax) violations_.push_back(std::move(text));
  }
  void refuse(const TypeDesc& type, const void* value, const DecodePath& at,
              std::string_view demand) {
    std::string text = "Value '";
    print(text, type, value);
    text += "' at '" + at.text() + "' failed to satisfy constraint: ";
    text += demand;
    add(std::move(text));
  }

  void value(const TypeDesc& type, const void* value, const DecodePath& at) {
    if (at.depth > kDecodeDepthMax) return;
    std::string sentence;
    for (const auto& demand : broken_demands(type, value)) {
      const bool pattern = !type.limits->pattern.empty() && demand == of_pattern(*type.limits);
      const auto words = pattern ? pattern_words(service_, at.text(), type.limits->pattern) : "";
      if (words.empty()) {
        refuse(type, value, at, demand);
      } else {
        sentence = std::string(kSpecifiedValue) + at.text() + " is invalid. " + std::string(words);
      }
    }
    if (!sentence.empty()) add(std::move(sentence));
    inside(type, value, at);
  }

  void inside(const TypeDesc& type, const void* value, const DecodePath& at) {
    if (type.kind == Kind::structure) return structure(*type.structure, value, &at);
    if (type.kind == Kind::list) return list(type, value, at);
    if (type.kind == Kind::map) return map(type, value, at);
  }

  void list(const TypeDesc& type, const void* value, const DecodePath& at) {
    const TypeDesc& element = *type.element;
    const size_t count = list_size(type, value);
    if (is_scalar(element.kind) && !element.limits && missing_.empty()) return;
    for (size_t i = 0; i < count; ++i) {
      const void* item = list_at(type, value, i);
      const DecodePath here = DecodePath::element(&at, i);
      if (!missing_.empty() && is_missing(here)) {
        add("Value null at '" + here.text() +
            "' failed to satisfy constraint: Member must not be null");
      } else if (!is_scalar(element.kind)) {
        this->value(element, item, here);
      } else if (!broken_demands(element, item).empty()) {
        return refuse(type, value, at,
                      "Member must satisfy constraint: [" + all_demands(element) + "]");
      }
    }
  }

  struct Entries {
    Checker* self;
    const TypeDesc* type;
    const DecodePath* at;
    bool bad_key = false;
    bool bad_value = false;
  };
  void map(const TypeDesc& type, const void* value, const DecodePath& at) {
    Entries entries{this, &type, &at};
    type.map->each(type, value, &entries,
                   [](void* context, const std::string& key, const void* item) {
                     auto& e = *static_cast<Entries*>(context);
                     e.bad_key = e.bad_key || !broken_demands(*e.type->key, &key).empty();
                     const TypeDesc& element = *e.type->element;
                     if (element.kind != Kind::structure && element.limits) {
                       e.bad_value = e.bad_value || !broken_demands(element, item).empty();
                     }
                     if (!is_scalar(element.kind)) {
                       const DecodePath here = DecodePath::entry(e.at, key);
                       e.self->inside(element, item, here);
                     }
                   });
    if (entries.bad_key)
      refuse(type, value, at, "Map keys must satisfy constraint: [" + all_demands(*type.key) + "]");
    if (entries.bad_value) {
      refuse(type, value, at,
             "Map value must satisfy constraint: [" + all_demands(*type.element) + "]");
    }
  }

  std::string_view service_;
  const std::vector<std::string>& missing_;
  std::vector<std::string> violations_;
};

std::string joined(const std::vector<std::string>& violations) {
  if (violations.size() == 1 && violations.front().starts_with(kSpecifiedValue))
    return violations.front();
  std::string out = std::to_string(violations.size()) + " validation error" +
                    (violations.size() == 1 ? "" : "s") + " detected: ";
  for (size_t i = 0; i < violations.size(); ++i) {
    if (i) out += "; ";
    out += violations[i];
  }
  return out;
}

// "queueUrl" as the model spells it. A list's entry has its name of the query protocol, whichever
// protocol the call came by ("entries.2.member.id": "SendMessageBatchRequestEntry.2.Id"); of what
// is nested otherwise the last member's name is told.
std::string missing_parameter(const OperationDesc& op, const std::string& path) {
  std::string last = path.substr(path.rfind('.') + 1);
  if (!last.empty()) last[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(last[0])));
  for (const MemberDesc& m : op.input->members) {
    const std::string name = DecodePath::member(nullptr, m.name).text();
    if (name == path) return std::string(m.name);
    const auto parts = split(path, '.');
    if (parts.size() == 4 && parts[0] == name && m.is(kFlattened) && m.type->kind == Kind::list &&
        !m.type->element_name.empty()) {
      return std::string(m.type->element_name) + "." + std::string(parts[1]) + "." + last;
    }
  }
  return last;
}

}  // namespace

Result<void> validate_input(const OperationDesc& op, const StructBox& input,
                            const DecodeNotes& notes) {
  if (op.service->validation_code.empty()) return {};
  if (!op.service->missing_code.empty() && !notes.missing.empty()) {
    return fail(std::string(op.service->missing_code), 400,
                "The request must contain the parameter " +
                    missing_parameter(op, notes.missing.front()) + ".");
  }
  Checker checker(op.service->name, notes);
  checker.structure(input.desc(), input.object(), nullptr);
  if (checker.violations().empty()) return {};
  return fail(std::string(op.service->validation_code), 400, joined(checker.violations()));
}

std::string check_output(const OperationDesc& op, const StructBox& output) {
  if (!output || &output.desc() != op.output) return "the answer is of another operation";
  // AWS's own answers break the models' lengths and patterns here and there; enums they keep.
  std::string wrong;
  const auto walk = [&](auto&& self, const TypeDesc& type, const void* value,
                        const DecodePath& at) -> void {
    if (type.kind == Kind::string && type.limits && !type.limits->values.empty()) {
      const auto& text = *static_cast<const std::string*>(value);
      const auto& values = type.limits->values;
      if (std::find(values.begin(), values.end(), text) == values.end()) {
        wrong += at.text() + ": '" + text + "' is not in the model's set; ";
      }
    } else if (type.kind == Kind::structure) {
      for (const MemberDesc& m : type.structure->members) {
        if (const void* member = get_member(m, value))
          self(self, *m.type, member, DecodePath::member(&at, m.name));
      }
    } else if (type.kind == Kind::list) {
      const size_t count = list_size(type, value);
      for (size_t i = 0; i < count; ++i)
        self(self, *type.element, list_at(type, value, i), DecodePath::element(&at, i));
    }
  };
  for (const MemberDesc& m : output.desc().members) {
    if (const void* value = get_member(m, output.object()))
      walk(walk, *m.type, value, DecodePath::member(nullptr, m.name));
  }
  return wrong;
}

std::string check_error(const OperationDesc& op, const AwsError& error) {
  static constexpr std::string_view kCommon[] = {
      "NotImplemented",      "InternalFailure",           "SerializationException",
      "ValidationException", "AccessDeniedException",     "AccessDenied",
      "ThrottlingException", "UnknownOperationException", "MissingAuthenticationToken"};
  if (error.code == op.service->validation_code) return {};
  for (const auto code : kCommon) {
    if (error.code == code) return {};
  }
  if (find_error(*op.service, error.code)) return {};
  return "the model of " + std::string(op.service->name) + " has no error " + error.code;
}

}  // namespace virga::aws
