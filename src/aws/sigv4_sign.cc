// SigV4's keys and the signing side.
#include <algorithm>
#include <array>

#include "aws/sigv4.h"
#include "aws/sigv4_canonical.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::sigv4 {
namespace {

// Deriving a key costs four MACs, more than all the rest of a check; a server sees few (key, day,
// region, service).
struct CachedKey {
  std::string secret;
  std::string date;
  std::string region;
  std::string service;
  std::string key;
  HmacSha256Key mac;
};
constexpr size_t kCachedKeys = 256;

size_t cache_slot(std::string_view secret, std::string_view date, std::string_view region,
                  std::string_view service) {
  size_t h = std::hash<std::string_view>{}(secret);
  for (const std::string_view part : {date, region, service})
    h = h * 31 + std::hash<std::string_view>{}(part);
  return h % kCachedKeys;
}

std::string derive_key(std::string_view secret, std::string_view date, std::string_view region,
                       std::string_view service) {
  Sha256 key = hmac_sha256("AWS4" + std::string(secret), date);
  for (const std::string_view part : {region, service, std::string_view("aws4_request")}) {
    key = hmac_sha256(as_bytes(key), part);
  }
  return std::string(as_bytes(key));
}

std::string scope_of(std::string_view amz_date, std::string_view region, std::string_view service) {
  std::string scope(amz_date.substr(0, 8));
  scope += '/';
  scope += region;
  scope += '/';
  scope += service;
  scope += "/aws4_request";
  return scope;
}

std::vector<net::HeaderView> views_of(const RequestToSign& request) {
  std::vector<net::HeaderView> views;
  for (const auto& [name, value] : request.headers) views.push_back({name, value});
  return views;
}

// Every header is signed: names in lower case, each once, in order.
std::string signed_headers_of(const RequestToSign& request) {
  std::vector<std::string> names;
  for (const auto& [name, value] : request.headers) names.push_back(to_lower(name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return join(names, ";");
}

std::string sign_canonical(const CanonicalInput& input, std::string_view secret_key,
                           std::string_view amz_date, std::string_view region,
                           std::string_view service) {
  std::string canonical;
  append_canonical_request(canonical, input);
  std::string to_sign;
  append_string_to_sign(to_sign, amz_date, scope_of(amz_date, region, service), canonical);
  return sign_text(secret_key, amz_date.substr(0, 8), region, service, to_sign);
}

}  // namespace

namespace {

const CachedKey& cached_key(std::string_view secret, std::string_view date, std::string_view region,
                            std::string_view service) {
  thread_local std::array<CachedKey, kCachedKeys> cache;
  CachedKey& entry = cache[cache_slot(secret, date, region, service)];
  if (entry.secret != secret || entry.date != date || entry.region != region ||
      entry.service != service) {
    std::string key = derive_key(secret, date, region, service);
    const HmacSha256Key mac(key);
    entry = {std::string(secret),  std::string(date), std::string(region),
             std::string(service), std::move(key),    mac};
  }
  return entry;
}

}  // namespace

std::string signing_key(std::string_view secret, std::string_view date, std::string_view region,
                        std::string_view service) {
  return cached_key(secret, date, region, service).key;
}

std::string sign_text(std::string_view secret, std::string_view date, std::string_view region,
                      std::string_view service, std::string_view string_to_sign) {
  const Sha256 mac = cached_key(secret, date, region, service).mac.sign(string_to_sign);
  return to_hex(as_bytes(mac));
}

void sign(RequestToSign& request, const SigningCredentials& credentials, std::string_view region,
          std::string_view service, std::string_view payload_hash, Timestamp now) {
  const std::string amz_date = format_iso8601_basic(now);
  request.headers.emplace_back("X-Amz-Date", amz_date);
  if (!credentials.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  if (encodes_path_once(service))
    request.headers.emplace_back("x-amz-content-sha256", payload_hash);
  const std::string signed_headers = signed_headers_of(request);
  const std::vector<net::HeaderView> headers = views_of(request);
  const CanonicalInput input{.method = request.method,
                             .path = request.path,
                             .query = request.query,
                             .headers = &headers,
                             .signed_headers = signed_headers,
                             .payload_hash = payload_hash,
                             .s3 = encodes_path_once(service)};
  const std::string signature =
      sign_canonical(input, credentials.secret_key, amz_date, region, service);
  request.headers.emplace_back(
      "Authorization", "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id + "/" +
                           scope_of(amz_date, region, service) +
                           ", SignedHeaders=" + signed_headers + ", Signature=" + signature);
}

std::string presigned_query(const RequestToSign& request, const SigningCredentials& credentials,
                            std::string_view region, std::string_view service, int64_t expires_s,
                            Timestamp now) {
  const std::string amz_date = format_iso8601_basic(now);
  const std::string signed_headers = signed_headers_of(request);
  std::string query = request.query;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    query += name;
    query += '=';
    query += percent_encode(value);
  };
  add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  add("X-Amz-Credential", credentials.access_key_id + "/" + scope_of(amz_date, region, service));
  add("X-Amz-Date", amz_date);
  add("X-Amz-Expires", std::to_string(expires_s));
  add("X-Amz-SignedHeaders", signed_headers);
  if (!credentials.session_token.empty()) add("X-Amz-Security-Token", credentials.session_token);
  const std::vector<net::HeaderView> headers = views_of(request);
  const bool s3 = encodes_path_once(service);
  const CanonicalInput input{.method = request.method,
                             .path = request.path,
                             .query = query,
                             .headers = &headers,
                             .signed_headers = signed_headers,
                             .payload_hash = s3 ? kUnsignedPayload : kEmptyHash,
                             .s3 = s3,
                             .presigned = true};
  add("X-Amz-Signature", sign_canonical(input, credentials.secret_key, amz_date, region, service));
  return query;
}

}  // namespace virga::sigv4
