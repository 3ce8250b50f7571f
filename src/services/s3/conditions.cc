#include "services/s3/conditions.h"

#include "base/document.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

bool matches(std::string_view list, std::string_view etag) {
  for (const std::string_view one : split(list, ',')) {
    const auto text = trim(one);
    if (text == "*" || bare_etag(text) == etag) return true;
  }
  return false;
}

// Conditions have seconds, objects have milliseconds.
int64_t seconds_of(const ObjectVersion& object) {
  return Timestamp::from_millis(object.modified_millis).seconds();
}

AwsError not_modified(const ObjectVersion& object) {
  Document detail = Document::object();
  detail.set("@ETag", quoted(object.etag));
  detail.set("@Last-Modified", format_http_date(Timestamp::from_millis(object.modified_millis)));
  if (object.version_id != "null") detail.set("@x-amz-version-id", object.version_id);
  return {.code = "NotModified",
          .http_status = 304,
          .message = "Not Modified",
          .detail = std::make_shared<const Document>(std::move(detail))};
}

}  // namespace

AwsError precondition_failed(std::string_view condition) {
  return errors::make("PreconditionFailed", 412,
                      "At least one of the pre-conditions you specified did not hold", "Condition",
                      condition);
}

std::string_view bare_etag(std::string_view text) {
  text = trim(text);
  if (text.starts_with("W/")) text.remove_prefix(2);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  return text;
}

std::string quoted(std::string_view etag) {
  std::string out;
  out.reserve(etag.size() + 2);
  return out.append(1, '"').append(etag).append(1, '"');
}

Result<void> check_read(const ReadConditions& c, const ObjectVersion& object) {
  if (c.if_match) {
    if (!matches(*c.if_match, object.etag)) return fail(precondition_failed("If-Match"));
  } else if (c.if_unmodified_since && seconds_of(object) > c.if_unmodified_since->seconds()) {
    return fail(precondition_failed("If-Unmodified-Since"));
  }
  if (c.if_none_match) {
    if (matches(*c.if_none_match, object.etag)) return fail(not_modified(object));
  } else if (c.if_modified_since && seconds_of(object) <= c.if_modified_since->seconds()) {
    return fail(not_modified(object));
  }
  return {};
}

Result<void> check_copy_source(const ReadConditions& c, const ObjectVersion& source) {
  if (c.if_match) {
    if (!matches(*c.if_match, source.etag))
      return fail(precondition_failed("x-amz-copy-source-If-Match"));
  } else if (c.if_unmodified_since && seconds_of(source) > c.if_unmodified_since->seconds()) {
    return fail(precondition_failed("x-amz-copy-source-If-Unmodified-Since"));
  }
  if (c.if_none_match) {
    if (matches(*c.if_none_match, source.etag))
      return fail(precondition_failed("x-amz-copy-source-If-None-Match"));
  } else if (c.if_modified_since && seconds_of(source) <= c.if_modified_since->seconds()) {
    return fail(precondition_failed("x-amz-copy-source-If-Modified-Since"));
  }
  return {};
}

Result<void> check_write(const std::optional<std::string>& if_match,
                         const std::optional<std::string>& if_none_match,
                         const ObjectVersion* current, std::string_view key) {
  if (if_none_match) {
    if (trim(*if_none_match) != "*") return fail(errors::not_implemented_header("If-None-Match"));
    if (current) return fail(precondition_failed("If-None-Match"));
  }
  if (if_match) {
    if (!current) return fail(errors::no_such_key(key));
    if (!matches(*if_match, current->etag)) return fail(precondition_failed("If-Match"));
  }
  return {};
}

}  // namespace virga::s3
