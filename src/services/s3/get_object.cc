#include "api/s3/get_object.h"

#include "api/s3/head_object.h"
#include "base/document.h"
#include "services/s3/checksum_members.h"
#include "services/s3/conditions.h"
#include "services/s3/content.h"
#include "services/s3/lifecycle.h"
#include "services/s3/object_access.h"
#include "services/s3/object_attributes.h"
#include "services/s3/ranges.h"
#include "services/s3/service.h"
#include "storage/latest_view.h"

// GetObject and HeadObject: the same but for the content. Source: S3 API Reference, GetObject,
// HeadObject.
namespace virga::s3 {
namespace {

// What of an object a read wants.
struct Selection {
  ObjectVersion object;
  Versioning versioning = Versioning::off;
  std::optional<CustomerKey> key;
  std::vector<Part> extents;              // when they were needed
  std::optional<ByteRange> range;         // absent: all
  const Part* part = nullptr;             // by partNumber
  std::optional<std::string> expiration;  // of a current object, by the bucket's lifecycle
};

AwsError no_such_part(int32_t number, size_t count) {
  return {.code = "InvalidPartNumber",
          .http_status = 416,
          .message = "The requested partnumber is not satisfiable",
          .detail = std::make_shared<const Document>(
              Document::object()
                  .set("ActualPartCount", static_cast<int64_t>(count))
                  .set("PartNumberRequested", static_cast<int64_t>(number)))};
}

Result<void> choose_part(Selection& s, int32_t number) {
  uint64_t at = 0;
  for (size_t i = 0; i < s.extents.size(); ++i) {
    if (i + 1 == static_cast<size_t>(number)) {
      s.part = &s.extents[i];
      s.range = ByteRange{at, s.extents[i].size};
      return {};
    }
    at += s.extents[i].size;
  }
  return fail(no_such_part(number, s.extents.size()));
}

enum class Wants { content, headers };

// Into a new `s`.
template <class Input>
Result<void> select_in(const S3Reader& s3, const Input& input, Wants wants,
                       const RequestContext& request, Selection& s) {
  const bool overrides = input.response_cache_control || input.response_content_disposition ||
                         input.response_content_encoding || input.response_content_language ||
                         input.response_content_type || input.response_expires;
  if (overrides && request.principal.kind == Principal::Kind::anonymous) {
    return fail(errors::invalid_request(
        "Request specific response headers cannot be used for anonymous GET requests."));
  }
  if (input.part_number && (*input.part_number < 1 || *input.part_number > 10'000)) {
    return fail(
        errors::invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                                 "partNumber", std::to_string(*input.part_number)));
  }
  if (input.part_number && input.range) {
    return fail(
        errors::invalid_request("Cannot specify both Range header and partNumber query parameter"));
  }
  VIRGA_TRY(bucket, open_bucket(s3, input.bucket, input.expected_bucket_owner));
  s.versioning = bucket.versioning;
  Result<ObjectVersion> object = find_object(s3, bucket, input.key, input.version_id,
                                             wants == Wants::content ? "GET" : "HEAD");
  if (!object) return fail(object.error());
  s.object = std::move(*object);
  if (bucket.lifecycle && !input.version_id) {
    VIRGA_TRY(rules, lifecycle_of(s3, bucket));
    s.expiration = expiration_of(rules, s.object);
  }
  VIRGA_TRY(key, matching_key(s.object.encryption, input.sse_customer_algorithm,
                              input.sse_customer_key, input.sse_customer_key_md5));
  s.key = std::move(key);
  VIRGA_TRY_VOID(check_read(
      {input.if_match, input.if_none_match, input.if_modified_since, input.if_unmodified_since},
      s.object));
  if (wants == Wants::content && is_out_of_reach(s.object, request.now.at)) {
    return fail(errors::make("InvalidObjectState", 403,
                             "The operation is not valid for the object's storage class",
                             "StorageClass", s.object.headers.storage_class));
  }
  if (wants == Wants::content || input.part_number) {
    VIRGA_TRY(extents, extents_of(s3, bucket, s.object));
    s.extents = std::move(extents);
  }
  if (input.part_number) {
    VIRGA_TRY_VOID(choose_part(s, *input.part_number));
  } else if (input.range) {
    VIRGA_TRY(range, parse_range(*input.range, s.object.size));
    s.range = range;
  }
  return {};
}

// Most reads need a bucket and an object, one by one. Versions, and objects with their lists of
// parts, hang together and are read from one state. Into a new `s`.
template <class Input>
Result<void> select(storage::Shard& shard, const Input& input, Wants wants,
                    const RequestContext& request, Selection& s) {
  if (!input.version_id) {
    const storage::LatestView latest(shard);
    const Result<void> found = select_in(S3Reader(latest), input, wants, request, s);
    if (!found && found.error().http_status < 500) return found;
    if (found && s.object.manifest == 0) return {};
    s = Selection();
  }
  return select_in(S3Reader(*shard.snapshot()), input, wants, request, s);
}

template <class Input, class Output>
void show_overrides(const Input& input, Output& output) {
  if (input.response_cache_control) output.cache_control = input.response_cache_control;
  if (input.response_content_disposition)
    output.content_disposition = input.response_content_disposition;
  if (input.response_content_encoding) output.content_encoding = input.response_content_encoding;
  if (input.response_content_language) output.content_language = input.response_content_language;
  if (input.response_content_type) output.content_type = input.response_content_type;
  if (input.response_expires) output.expires = format_http_date(*input.response_expires);
}

template <class Output>
void show_headers(const ObjectHeaders& h, Output& output) {
  const auto show = [](std::optional<std::string>& member, const std::string& value) {
    if (!value.empty()) member = value;
  };
  show(output.content_type, h.content_type);
  show(output.cache_control, h.cache_control);
  show(output.content_disposition, h.content_disposition);
  show(output.content_encoding, h.content_encoding);
  show(output.content_language, h.content_language);
  show(output.website_redirect_location, h.website_redirect);
  show(output.expires, h.expires);
  if (h.storage_class != "STANDARD") output.storage_class = h.storage_class;
  if (!h.metadata.empty()) output.metadata = metadata_to_headers(h.metadata);
}

// Source: S3 API Reference, HeadObject, x-amz-restore.
std::optional<std::string> restore_text(const ObjectVersion& object, Timestamp now) {
  if (!is_archived(object) || is_out_of_reach(object, now)) return std::nullopt;
  const Timestamp until = Timestamp::from_millis(object.restored_until_millis);
  return "ongoing-request=\"false\", expiry-date=\"" + format_http_date(until) + "\"";
}

template <class Input, class Output>
void show(const Input& input, const Selection& s, Timestamp now, Output& output) {
  const ObjectVersion& o = s.object;
  output.accept_ranges = "bytes";
  output.last_modified = Timestamp::from_millis(o.modified_millis);
  output.e_tag = quoted(o.etag);
  output.content_length = static_cast<int64_t>(s.range ? s.range->count : o.size);
  // An empty object's only part has no range that could be named.
  if (s.range && s.range->count != 0) output.content_range = content_range(*s.range, o.size);
  if (s.versioning != Versioning::off) output.version_id = o.version_id;
  output.expiration = s.expiration;
  output.restore = restore_text(o, now);
  show_headers(o.headers, output);
  show_overrides(input, output);
  show_encryption(output, o.encryption);
  if (input.checksum_mode == "ENABLED") {
    if (!s.range) {
      set_checksum(output, o.checksum);
      output.checksum_type = std::string(o.checksum.type());
    } else if (s.part) {
      set_checksum(output, s.part->extent.checksum);
      output.checksum_type = std::string(o.checksum.type());
    }
  }
  if (input.part_number && o.parts != 0) output.parts_count = static_cast<int32_t>(o.parts);
  if (!o.tags.empty()) output.tag_count = static_cast<int32_t>(o.tags.size());
  if (!o.lock_mode.empty()) {
    output.object_lock_mode = o.lock_mode;
    output.object_lock_retain_until_date = Timestamp::from_millis(o.retain_until_millis);
  }
  if (o.legal_hold != LegalHold::never_set)
    output.object_lock_legal_hold_status = o.legal_hold == LegalHold::on ? "ON" : "OFF";
}

}  // namespace

Task<api::GetObjectOutput> Service::get_object(Ctx ctx, api::GetObjectInput input) {
  Selection s;
  co_await select(shard_, input, Wants::content, *ctx, s);
  api::GetObjectOutput output;
  show(input, s, ctx->now.at, output);
  const ByteRange all{0, s.object.size};
  const ByteRange wanted = s.range.value_or(all);
  output.body =
      open_content(blobs_, spans_of(s.extents, wanted.begin, wanted.count), std::move(s.key));
  co_return std::move(output);
}

Task<api::HeadObjectOutput> Service::head_object(Ctx ctx, api::HeadObjectInput input) {
  Selection s;
  co_await select(shard_, input, Wants::headers, *ctx, s);
  api::HeadObjectOutput output;
  show(input, s, ctx->now.at, output);
  co_return std::move(output);
}

}  // namespace virga::s3
