#include "platform/resource_arns.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "platform/queue_url.h"

namespace virga::platform {
namespace {

using aws::Kind;

void collect(const aws::TypeDesc& type, const void* value, std::string_view path,
             std::vector<std::string>& out);

void collect_member(const aws::StructDesc& shape, const void* object, std::string_view path,
                    std::vector<std::string>& out) {
  const size_t end = path.find_first_of(".[");
  const aws::MemberDesc* member = aws::find_member(shape, path.substr(0, end));
  if (!member) return;
  const void* value = aws::get_member(*member, object);
  if (value)
    collect(*member->type, value,
            end == std::string_view::npos ? std::string_view() : path.substr(end), out);
}

struct KeySink {
  std::vector<std::string>* out;
};

// `path` is what is left of it: empty, ".Member…", "[]…" or ".*".
void collect(const aws::TypeDesc& type, const void* value, std::string_view path,
             std::vector<std::string>& out) {
  switch (type.kind) {
    case Kind::string:
      out.push_back(*static_cast<const std::string*>(value));
      return;
    case Kind::int32:
      out.push_back(std::to_string(*static_cast<const int32_t*>(value)));
      return;
    case Kind::int64:
      out.push_back(std::to_string(*static_cast<const int64_t*>(value)));
      return;
    case Kind::boolean:
      out.push_back(*static_cast<const bool*>(value) ? "true" : "false");
      return;
    case Kind::structure:
      if (path.starts_with(".")) collect_member(*type.structure, value, path.substr(1), out);
      return;
    case Kind::list:
      if (path.starts_with("[]")) path.remove_prefix(2);
      for (size_t i = 0; i < aws::list_size(type, value); ++i)
        collect(*type.element, aws::list_at(type, value, i), path, out);
      return;
    case Kind::map: {
      KeySink sink{&out};
      type.map->each(type, value, &sink, [](void* self, const std::string& key, const void*) {
        static_cast<KeySink*>(self)->out->push_back(key);
      });
      return;
    }
    default:
      return;
  }
}

bool is_present(const aws::StructBox& input, std::string_view name) {
  const aws::MemberDesc* member = aws::find_member(input.desc(), name);
  return member && aws::get_member(*member, input.object()) != nullptr;
}

// Lambda's partial ARNs: "111122223333:function:name".
bool is_partial_function_arn(std::string_view value) {
  return value.size() > 22 && value.substr(12).starts_with(":function:") &&
         parse_int(value.substr(0, 12)).has_value();
}

std::string joined(const std::string& before, const std::string& value) {
  if (value.starts_with("arn:")) return value;
  if (is_partial_function_arn(value) && before.ends_with(":function:")) {
    const auto parts = split(before, ':');
    std::string out;
    for (size_t i = 0; i < 4; ++i) out += std::string(parts[i]) + ":";
    return out + value;
  }
  return before + value;
}

struct Filler {
  const aws::StructBox& input;
  const RequestContext& request;

  // All ARNs of one alternative; empty when a member is absent.
  std::vector<std::string> fill(std::string_view text) const {
    std::vector<std::string> made{""};
    while (!text.empty() && !made.empty()) {
      const size_t open = text.find('{');
      if (open == std::string_view::npos) {
        for (std::string& m : made) m += text;
        break;
      }
      const size_t close = text.find('}', open);
      const bool constant = open > 0 && text[open - 1] == '$';
      for (std::string& m : made) m += text.substr(0, constant ? open - 1 : open);
      const std::string_view name = text.substr(open + 1, close - open - 1);
      text.remove_prefix(close + 1);
      if (constant) {
        const std::string& value = name == "Partition" ? request.partition
                                   : name == "Region"  ? request.region
                                                       : request.account;
        for (std::string& m : made) m += value;
      } else if (name.starts_with("?")) {
        if (!is_present(input, name.substr(1))) made.clear();
      } else {
        made = with_values(made, name);
      }
    }
    return made;
  }

  std::vector<std::string> with_values(const std::vector<std::string>& made,
                                       std::string_view name) const {
    if (name.starts_with("/")) return with_queue_urls(made, name.substr(1));
    const bool encoded = name.starts_with("%");
    if (encoded) name.remove_prefix(1);
    const size_t bar = name.find('|');
    const auto values = texts_at(input.desc(), input.object(), name.substr(0, bar));
    if (values.empty() && bar != std::string_view::npos) return {request.principal.arn};
    std::vector<std::string> out;
    for (const std::string& before : made) {
      for (const std::string& value : values)
        out.push_back(encoded ? before + percent_encode(value) : joined(before, value));
    }
    return out;
  }

  std::vector<std::string> with_queue_urls(const std::vector<std::string>& made,
                                           std::string_view name) const {
    std::vector<std::string> out;
    for (const std::string& value : texts_at(input.desc(), input.object(), name)) {
      const auto url = parse_queue_url(value);
      if (!url) continue;
      std::string queue(url->region.empty() ? std::string_view(request.region) : url->region);
      queue += ':';
      queue += url->account.empty() ? std::string_view(request.account) : url->account;
      queue += ':';
      queue += url->name;
      for (const std::string& before : made) out.push_back(before + queue);
    }
    return out;
  }

  std::vector<std::string> alternatives(std::string_view text) const {
    constexpr std::string_view kElse = " else ";
    while (true) {
      const size_t at = text.find(kElse);
      auto made = fill(text.substr(0, at));
      if (!made.empty() || at == std::string_view::npos) return made;
      text.remove_prefix(at + kElse.size());
    }
  }
};

void add_tags(ConditionContext& context, const aws::StructBox& input,
              std::string_view member_name) {
  const aws::MemberDesc* member = aws::find_member(input.desc(), member_name);
  const void* value = member ? aws::get_member(*member, input.object()) : nullptr;
  if (!value) return;
  const aws::TypeDesc& type = *member->type;
  if (type.kind == Kind::map && type.element->kind == Kind::string) {
    type.map->each(type, value, &context, [](void* self, const std::string& key, const void* v) {
      auto& c = *static_cast<ConditionContext*>(self);
      c.set("aws:RequestTag/" + key, *static_cast<const std::string*>(v));
      c.add("aws:TagKeys", key);
    });
  } else if (type.kind == Kind::list && type.element->kind == Kind::structure) {
    for (size_t i = 0; i < aws::list_size(type, value); ++i) {
      const void* tag = aws::list_at(type, value, i);
      const auto key = texts_at(*type.element->structure, tag, "Key");
      const auto text = texts_at(*type.element->structure, tag, "Value");
      if (key.empty()) continue;
      context.set("aws:RequestTag/" + key[0], text.empty() ? "" : text[0]);
      context.add("aws:TagKeys", key[0]);
    }
  } else if (type.kind == Kind::list) {  // of keys: UntagResource
    for (const std::string& key : texts_at(input.desc(), input.object(), member_name))
      context.add("aws:TagKeys", key);
  }
}

// Who is handed a role that an operation passes on.
std::string service_principal(std::string_view service) {
  if (service == "stepfunctions") return "states.amazonaws.com";
  if (service == "iam") return "ec2.amazonaws.com";  // instance profiles
  if (service == "apigatewayv2") return "apigateway.amazonaws.com";
  return std::string(service) + ".amazonaws.com";
}

}  // namespace

std::vector<std::string> texts_at(const aws::StructDesc& shape, const void* object,
                                  std::string_view path) {
  std::vector<std::string> out;
  collect_member(shape, object, path, out);
  return out;
}

std::vector<NeededAction> needed_actions(const aws::OperationDesc& op, const aws::StructBox& input,
                                         const RequestContext& request) {
  std::vector<NeededAction> out;
  const Filler filler{input, request};
  for (const aws::AuthDesc& auth : op.auth) {
    const bool optional = auth.action.starts_with("?");
    NeededAction needed{auth.action.substr(optional ? 1 : 0), {}};
    for (const std::string_view text : auth.resources) {
      for (std::string& arn : filler.alternatives(text)) {
        if (std::find(needed.resources.begin(), needed.resources.end(), arn) ==
            needed.resources.end())
          needed.resources.push_back(std::move(arn));
      }
    }
    if (needed.resources.empty() && optional) continue;
    if (needed.resources.empty()) needed.resources.emplace_back("*");
    out.push_back(std::move(needed));
  }
  return out;
}

void add_input_keys(ConditionContext& context, const aws::OperationDesc& op,
                    const aws::StructBox& input) {
  for (const aws::AuthDesc& auth : op.auth) {
    if (auth.action.ends_with("iam:PassRole"))
      context.set("iam:PassedToService", service_principal(op.service->name));
    for (const std::string_view text : auth.condition_keys) {
      const size_t equals = text.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view key = text.substr(0, equals);
      const std::string_view path = text.substr(equals + 1);
      if (key == "aws:RequestTag") {
        add_tags(context, input, path);
        continue;
      }
      auto values = texts_at(input.desc(), input.object(), path);
      if (!values.empty()) context.set_all(key, std::move(values));
    }
  }
}

std::string_view account_of_arn(std::string_view arn, std::string_view otherwise) {
  const auto parts = split(arn, ':');
  if (parts.size() < 6 || parts[0] != "arn" || parts[4].empty() || parts[4] == "aws")
    return otherwise;
  return parts[4];
}

}  // namespace virga::platform
