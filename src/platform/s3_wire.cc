#include "platform/s3_wire.h"

#include <algorithm>
#include <array>

#include "aws/checksums.h"
#include "aws/router.h"
#include "aws/sigv4.h"
#include "aws/sigv4_errors.h"
#include "base/document.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::platform {
namespace {

bool is_s3_label(std::string_view label) {
  return label == "s3" || label.starts_with("s3-");
}

// "us-east-1", "us-gov-west-1": letters, hyphens, and a digit at the end.
bool looks_like_region(std::string_view label) {
  return std::count(label.begin(), label.end(), '-') >= 2 && label.size() <= 20 &&
         label[label.size() - 2] == '-' && label.back() >= '1' && label.back() <= '9' &&
         label.find_first_of("0123456789") == label.size() - 1;
}

// Parameters of signatures are no headers.
bool is_signature_parameter(std::string_view name) {
  for (const std::string_view mine :
       {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
        "X-Amz-Signature", "X-Amz-Security-Token", "x-amz-content-sha256"}) {
    if (iequals(mine, name)) return true;
  }
  return false;
}

// The model asks SDKs for a checksum of every configuration; S3 itself refuses only these without one. s3cmd, minio-go
// and SDKs older than the model's trait never send one with an ACL, a policy, a website, a payer, logging or versioning.
bool refused_without_checksum(const aws::OperationDesc& op) {
  if (!op.checksum_required) return false;
  constexpr auto kAsked = std::to_array<std::string_view>({
      "DeleteObjects",
      "PutBucketCors",
      "PutBucketLifecycle",
      "PutBucketLifecycleConfiguration",
      "PutBucketReplication",
      "PutBucketTagging",
      "PutObjectLegalHold",
      "PutObjectLockConfiguration",
      "PutObjectRetention",
  });
  return std::ranges::find(kAsked, op.name) != kAsked.end();
}

std::optional<std::string_view> find(const std::vector<net::HeaderView>& headers,
                                     std::string_view name) {
  for (const auto& h : headers) {
    if (iequals(h.name, name)) return h.value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view bucket_of_host(std::string_view host) {
  size_t at = 0;
  while (at != std::string_view::npos) {
    const auto end = host.find('.', at);
    const auto label = host.substr(at, end == std::string_view::npos ? end : end - at);
    if (end != std::string_view::npos && is_s3_label(label))
      return at == 0 ? std::string_view() : host.substr(0, at - 1);
    at = end == std::string_view::npos ? end : end + 1;
  }
  for (const std::string_view base : {".localhost", ".localhost.localstack.cloud"}) {
    if (!host.ends_with(base)) continue;
    const auto rest = host.substr(0, host.size() - base.size());
    return looks_like_region(rest) ? std::string_view() : rest;
  }
  return {};
}

std::string_view website_bucket_of_host(std::string_view host) {
  constexpr std::string_view kLabel = "s3-website";
  for (size_t dot = host.find('.'); dot != std::string_view::npos; dot = host.find('.', dot + 1)) {
    const std::string_view rest = host.substr(dot + 1);
    const std::string_view label = rest.substr(0, rest.find('.'));
    const bool website =
        label.starts_with(kLabel) && (label.size() == kLabel.size() || label[kLabel.size()] == '-');
    if (website && label.size() < rest.size()) return host.substr(0, dot);
  }
  return {};
}

bool is_s3_host(std::string_view host) {
  size_t at = 0;
  for (;;) {
    const auto end = host.find('.', at);
    if (end == std::string_view::npos) return false;
    if (is_s3_label(host.substr(at, end - at))) return true;
    at = end + 1;
  }
}

S3Wire::S3Wire(const net::HttpRequest& request) : path(request.path()), headers(request.headers()) {
  std::string host = to_lower(request.authority());
  if (const auto colon = host.rfind(':');
      colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    host.resize(colon);
  }
  if (const auto bucket = bucket_of_host(host); !bucket.empty())
    path = "/" + std::string(bucket) + path;
  for (auto& [name, value] : aws::parse_query(request.query())) {
    if (name.size() < 6 || !iequals(name.substr(0, 6), "x-amz-") || is_signature_parameter(name) ||
        find(headers, name))
      continue;
    const std::string& stored_name = storage_.emplace_back(std::move(name));
    const std::string& stored_value = storage_.emplace_back(std::move(value));
    headers.push_back({stored_name, stored_value});
  }
}

Result<void> check_s3_headers(const std::vector<net::HeaderView>& headers,
                              const aws::OperationDesc& op) {
  if (op.name != "GetObject" && op.name != "HeadObject") return {};
  constexpr std::string_view kHeader = "x-amz-server-side-encryption";
  const auto value = find(headers, kHeader);
  if (!value) return {};
  return fail(
      AwsError{.code = "InvalidArgument",
               .http_status = 400,
               .message = std::string(kHeader) + " header is not supported for this operation.",
               .detail = std::make_shared<const Document>(
                   Document::object().set("ArgumentName", kHeader).set("ArgumentValue", *value))});
}

Result<void> check_s3_body(const std::vector<net::HeaderView>& headers,
                           const aws::OperationDesc& op, std::string_view body) {
  if (const auto hash = find(headers, "x-amz-content-sha256"); hash && hash->size() == 64) {
    const bool nothing = body.empty() && *hash == sigv4::kEmptyHash;  // what most requests say
    if (!nothing && !iequals(to_hex(as_bytes(sha256(body))), *hash))
      return fail(sigv4::payload_mismatch(sigv4::ErrorFamily::s3));
  }
  bool told = false;
  if (const auto text = find(headers, "content-md5")) {
    told = true;
    const auto digest = from_base64(trim(*text));
    if (!digest || digest->size() != 16)
      return fail("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
    if (*digest != md5(body))
      return fail("BadDigest", 400,
                  "The Content-MD5 you specified did not match what we received.");
  }
  for (const auto& header : headers) {
    const auto algorithm = aws::algorithm_of_header(header.name);
    if (!algorithm) continue;
    told = true;
    const auto value = from_base64(trim(header.value));
    if (!value || value->size() != aws::bytes_of(*algorithm)) {
      return fail("InvalidRequest", 400,
                  "Value for " + aws::header_of(*algorithm) + " header is invalid.");
    }
    if (*value != aws::checksum(*algorithm, body)) {
      return fail("BadDigest", 400,
                  "The " + std::string(aws::name_of(*algorithm)) +
                      " you specified did not match the calculated checksum.");
    }
  }
  // What has no content (a canned ACL in a header) needs no proof of it.
  if (!told && !body.empty() && refused_without_checksum(op)) {
    return fail("InvalidRequest", 400,
                "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  return {};
}

}  // namespace virga::platform
