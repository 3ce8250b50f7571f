#include "aws/sigv2.h"

#include <algorithm>
#include <map>
#include <vector>

#include "aws/router.h"
#include "base/document.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::sigv2 {
namespace {

constexpr std::string_view kScheme = "AWS ";

// Query parameters that are part of what is asked for.
constexpr std::string_view kSubresources[] = {"accelerate",
                                              "acl",
                                              "analytics",
                                              "cors",
                                              "delete",
                                              "inventory",
                                              "legal-hold",
                                              "lifecycle",
                                              "location",
                                              "logging",
                                              "metrics",
                                              "notification",
                                              "object-lock",
                                              "partNumber",
                                              "policy",
                                              "replication",
                                              "requestPayment",
                                              "response-cache-control",
                                              "response-content-disposition",
                                              "response-content-encoding",
                                              "response-content-language",
                                              "response-content-type",
                                              "response-expires",
                                              "restore",
                                              "retention",
                                              "select",
                                              "select-type",
                                              "storageClass",
                                              "tagging",
                                              "torrent",
                                              "uploadId",
                                              "uploads",
                                              "versionId",
                                              "versioning",
                                              "versions",
                                              "website"};

std::string header_text(const net::RequestHead& head, std::string_view name) {
  const net::HeaderView* const found = head.find(name);
  return found ? std::string(found->value) : std::string();
}

std::string amz_headers(const net::RequestHead& head) {
  std::map<std::string, std::string> by_name;
  for (const auto& h : head.headers) {
    std::string name = to_lower(h.name);
    if (!name.starts_with("x-amz-")) continue;
    std::string& values = by_name[std::move(name)];
    values += (values.empty() ? "" : ",") + std::string(trim(h.value));
  }
  std::string out;
  for (const auto& [name, value] : by_name) out += name + ":" + value + "\n";
  return out;
}

std::string subresources(const net::RequestHead& head) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : aws::parse_query(head.query)) {
    if (std::find(std::begin(kSubresources), std::end(kSubresources), name) ==
        std::end(kSubresources))
      continue;
    const bool bare = value.empty() && head.query.find(name + "=") == std::string_view::npos;
    parts.push_back(bare ? name : name + "=" + value);
  }
  std::sort(parts.begin(), parts.end());
  return parts.empty() ? std::string() : "?" + join(parts, "&");
}

std::string string_to_sign(const net::RequestHead& head, std::string_view path,
                           const Signature& signature) {
  std::string date = header_text(head, "date");
  if (head.find("x-amz-date")) date.clear();
  if (signature.presigned) date = std::to_string(signature.expires_s);
  std::string token;
  if (signature.presigned && !signature.session_token.empty() &&
      !head.find("x-amz-security-token")) {
    token = "x-amz-security-token:" + signature.session_token + "\n";
  }
  return std::string(head.method) + "\n" + header_text(head, "content-md5") + "\n" +
         header_text(head, "content-type") + "\n" + date + "\n" + amz_headers(head) + token +
         std::string(path) + subresources(head);
}

// RFC 2104 over SHA-1.
std::string hmac_sha1(std::string_view key, std::string_view text) {
  constexpr size_t kBlock = 64;
  std::string block(key.size() > kBlock ? sha1(key) : std::string(key));
  block.resize(kBlock, '\0');
  std::string inner, outer;
  for (const char c : block) {
    inner.push_back(static_cast<char>(c ^ 0x36));
    outer.push_back(static_cast<char>(c ^ 0x5c));
  }
  return sha1(outer + sha1(inner.append(text)));
}

}  // namespace

std::string sign(std::string_view secret_key, std::string_view text) {
  return to_base64(hmac_sha1(secret_key, text));
}

Result<std::optional<Signature>> parse(const net::RequestHead& head) {
  Signature out;
  if (const net::HeaderView* const header = head.find("authorization");
      header && header->value.starts_with(kScheme)) {
    const std::string_view text = trim(header->value.substr(kScheme.size()));
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
      return fail("InvalidArgument", 400,
                  "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature");
    }
    out.access_key_id = text.substr(0, colon);
    out.signature = text.substr(colon + 1);
    out.session_token = header_text(head, "x-amz-security-token");
    return std::optional<Signature>(std::move(out));
  }
  if (head.query.find("AWSAccessKeyId=") == std::string_view::npos) return std::nullopt;
  out.presigned = true;
  std::string expires;
  for (auto& [name, value] : aws::parse_query(head.query)) {
    if (name == "AWSAccessKeyId")
      out.access_key_id = std::move(value);
    else if (name == "Signature")
      out.signature = std::move(value);
    else if (name == "Expires")
      expires = std::move(value);
    else if (iequals(name, "x-amz-security-token"))
      out.session_token = std::move(value);
  }
  const auto until = parse_int(expires);
  if (out.access_key_id.empty() || out.signature.empty() || expires.empty()) {
    return fail("AccessDenied", 403,
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                "parameters");
  }
  if (!until)
    return fail("AccessDenied", 403, "Invalid date (should be seconds since epoch): " + expires);
  out.expires_s = *until;
  return std::optional<Signature>(std::move(out));
}

Result<void> verify(const net::RequestHead& head, std::string_view path, const Signature& signature,
                    std::string_view secret_key) {
  const std::string text = string_to_sign(head, path, signature);
  if (equal_constant_time(sign(secret_key, text), signature.signature)) return {};
  Document detail = Document::object();
  detail.set("AWSAccessKeyId", signature.access_key_id)
      .set("StringToSign", text)
      .set("SignatureProvided", signature.signature);
  return std::unexpected(
      AwsError{.code = "SignatureDoesNotMatch",
               .http_status = 403,
               .message = "The request signature we calculated does not match the signature you "
                          "provided. Check your key and signing method.",
               .detail = std::make_shared<const Document>(std::move(detail))});
}

}  // namespace virga::sigv2
