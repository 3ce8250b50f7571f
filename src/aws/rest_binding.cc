#include "aws/rest_binding.h"

#include <algorithm>

#include "aws/router.h"
#include "aws/scalar_text.h"
#include "base/document.h"
#include "base/strings.h"

namespace virga::aws {
namespace {

// S3's own words for a header or parameter that cannot be read. Source: recorded answers.
AwsError s3_invalid_argument(const MemberDesc& m, std::string_view text) {
  std::string message = "Invalid value for " + std::string(m.wire);
  if (m.wire == "partNumber") {
    message = "Part number must be an integer between 1 and 10000, inclusive";
  } else if (m.type->kind == Kind::int32 || m.type->kind == Kind::int64) {
    message = "Provided " + std::string(m.wire) + " not an integer or within integer range";
  } else if (m.type->kind == Kind::timestamp && m.wire.starts_with("x-amz-object-lock-")) {
    message = "The retain until date must be provided in ISO 8601 format";
  }
  return {.code = "InvalidArgument",
          .http_status = 400,
          .message = std::move(message),
          .detail = std::make_shared<const Document>(
              Document::object().set("ArgumentName", m.wire).set("ArgumentValue", text))};
}

std::unexpected<AwsError> malformed(const Match& match, const MemberDesc& m,
                                    std::string_view text) {
  if (match.operation->service->bare_errors) return fail(s3_invalid_argument(m, text));
  std::string message =
      "STRING_VALUE cannot be converted to " + std::string(type_word(m.type->kind));
  if (m.type->kind == Kind::timestamp)
    message = "Unable to parse " + std::string(text) + " as a timestamp";
  return fail("SerializationException", 400, std::move(message));
}

TimeFormat default_format(Location location) {
  return location == Location::header ? TimeFormat::http_date : TimeFormat::iso8601;
}

// A header's list: comma separated, quoted strings, and dates with a comma of their own.
std::vector<std::string> split_header_list(std::string_view text, const TypeDesc& element) {
  std::vector<std::string> out;
  const bool dates =
      element.kind == Kind::timestamp &&
      (element.time_format == TimeFormat::unset || element.time_format == TimeFormat::http_date);
  size_t at = 0;
  while (at <= text.size()) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
    if (at < text.size() && text[at] == '"') {
      std::string item;
      for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        item.push_back(text[at]);
      }
      out.push_back(std::move(item));
      at = text.find(',', at);
    } else {
      size_t end = text.find(',', at);
      if (dates && end != std::string_view::npos) end = text.find(',', end + 1);
      out.emplace_back(trim(text.substr(at, end == std::string_view::npos ? end : end - at)));
      at = end;
    }
    if (at == std::string_view::npos) break;
    ++at;
  }
  return out;
}

Result<void> read_text(const Match& match, const MemberDesc& m, std::string_view text,
                       const StructDesc& shape, void* object, MemberSet& seen) {
  const TypeDesc& type = *m.type;
  if (type.kind == Kind::list) {
    void* list = set_member(m, object);
    if (trim(text).empty()) return seen.add(shape, m), Result<void>();
    for (const auto& item : split_header_list(text, *type.element)) {
      if (!parse_scalar(*type.element, item, default_format(m.location), list_append(type, list))) {
        return malformed(match, m, item);
      }
    }
  } else {
    std::string decoded;
    if (m.is(kJsonValue) && m.location == Location::header) {
      auto json = from_base64(text);
      if (!json) return malformed(match, m, text);
      decoded = std::move(*json);
      text = decoded;
    }
    if (!parse_scalar(type, text, default_format(m.location), set_member(m, object)))
      return malformed(match, m, text);
  }
  seen.add(shape, m);
  return {};
}

// A map bound to the query takes every parameter, those of other members too. Its values are texts
// or lists of texts. Source: Smithy documentation, "httpQueryParams trait", what servers do.
void read_query_map(const MemberDesc& m,
                    const std::vector<std::pair<std::string, std::string>>& query,
                    const StructDesc& shape, void* object, MemberSet& seen) {
  const TypeDesc& type = *m.type;
  void* map = nullptr;
  for (const auto& [key, value] : query) {
    if (!map) map = set_member(m, object);
    void* slot = type.map->insert(type, map, key);
    if (type.element->kind == Kind::list) slot = list_append(*type.element, slot);
    *static_cast<std::string*>(slot) = value;
  }
  if (map) seen.add(shape, m);
}

Result<void> read_query_member(const Match& match, const MemberDesc& m,
                               const std::vector<std::pair<std::string, std::string>>& query,
                               const StructDesc& shape, void* object, MemberSet& seen) {
  if (m.type->kind == Kind::map) {
    read_query_map(m, query, shape, object, seen);
    return {};
  }
  void* list = nullptr;
  for (const auto& [key, value] : query) {
    if (key != m.wire) continue;
    if (m.type->kind != Kind::list) return read_text(match, m, value, shape, object, seen);
    if (!list) list = set_member(m, object);
    if (!parse_scalar(*m.type->element, value, TimeFormat::iso8601, list_append(*m.type, list))) {
      return malformed(match, m, value);
    }
  }
  if (list) seen.add(shape, m);
  return {};
}

void read_prefix_headers(const MemberDesc& m, const WireRequest& request, const StructDesc& shape,
                         void* object, MemberSet& seen) {
  void* map = nullptr;
  for (const auto& header : *request.headers) {
    if (header.name.size() < m.wire.size() ||
        !iequals(header.name.substr(0, m.wire.size()), m.wire))
      continue;
    if (!map) map = set_member(m, object);
    const std::string key =
        m.wire.empty() ? std::string(header.name) : to_lower(header.name.substr(m.wire.size()));
    // Fields of one name are one list. Source: S3 User Guide, "Working with object metadata".
    std::string& value = *static_cast<std::string*>(m.type->map->insert(*m.type, map, key));
    if (!value.empty()) value += ',';
    value += header.value;
  }
  if (map) seen.add(shape, m);
}

std::string header_text(const MemberDesc& m, const TypeDesc& type, const void* value) {
  std::string out;
  if (type.kind == Kind::list) {
    const size_t count = list_size(type, value);
    for (size_t i = 0; i < count; ++i) {
      if (i) out += ", ";
      std::string item = header_text(m, *type.element, list_at(type, value, i));
      if (type.element->kind == Kind::string && item.find_first_of(",\"") != std::string::npos) {
        std::string quoted = "\"";
        for (const char c : item) {
          if (c == '"' || c == '\\') quoted += '\\';
          quoted += c;
        }
        item = quoted + "\"";
      }
      out += item;
    }
    return out;
  }
  append_scalar(out, type, value, TimeFormat::http_date);
  if (m.is(kJsonValue)) return to_base64(out);
  return out;
}

// The lengths of a request's header names: an input of S3 has forty members that are headers, and
// the length tells for most of them that they are not there.
class HeaderLengths {
 public:
  explicit HeaderLengths(const WireRequest& request) {
    if (!request.headers) return;
    for (const auto& h : *request.headers) bits_ |= bit(h.name.size());
  }
  bool has(size_t length) const { return (bits_ & bit(length)) != 0; }

 private:
  static uint64_t bit(size_t length) { return uint64_t{1} << std::min<size_t>(length, 63); }
  uint64_t bits_ = 0;
};

struct PrefixVisit {
  const MemberDesc* member;
  net::HttpResponse* response;
};

}  // namespace

Result<void> read_bindings(const Match& match, const WireRequest& request, const StructDesc& shape,
                           void* object, MemberSet& seen) {
  std::vector<std::pair<std::string, std::string>> query;
  bool parsed = false;
  const HeaderLengths lengths(request);
  for (const MemberDesc& m : shape.members) {
    switch (m.location) {
      case Location::uri:
        for (const auto& [name, value] : match.labels) {
          if (name == m.wire) VIRGA_TRY_VOID(read_text(match, m, value, shape, object, seen));
        }
        break;
      case Location::query:
        if (!parsed) query = parse_query(request.query);
        parsed = true;
        VIRGA_TRY_VOID(read_query_member(match, m, query, shape, object, seen));
        break;
      case Location::header:
        if (lengths.has(m.wire.size()) && request.has_header(m.wire))
          VIRGA_TRY_VOID(read_text(match, m, request.header(m.wire), shape, object, seen));
        break;
      case Location::headers:
        read_prefix_headers(m, request, shape, object, seen);
        break;
      default:
        break;
    }
  }
  return {};
}

// Into a new answer; a shape names each header once.
void write_bindings(const StructDesc& shape, const void* object, net::HttpResponse& response) {
  for (const MemberDesc& m : shape.members) {
    if (m.location == Location::body) continue;
    const void* value = get_member(m, object);
    if (!value) continue;
    if (m.location == Location::header) {
      response.headers.add(m.wire, header_text(m, *m.type, value));
    } else if (m.location == Location::status) {
      // A required status that nobody set stays the operation's.
      const int32_t status = *static_cast<const int32_t*>(value);
      if (status) response.status = status;
    } else if (m.location == Location::headers) {
      PrefixVisit visit{&m, &response};
      m.type->map->each(*m.type, value, &visit,
                        [](void* self, const std::string& key, const void* text) {
                          const auto& v = *static_cast<PrefixVisit*>(self);
                          v.response->headers.add(std::string(v.member->wire) + key,
                                                  *static_cast<const std::string*>(text));
                        });
    }
  }
}

}  // namespace virga::aws
