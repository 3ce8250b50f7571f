#include "services/apigatewayv2/key_cache.h"

#include "base/json.h"

namespace virga::apigatewayv2 {
namespace {

std::unexpected<AwsError> cannot_fetch(std::string why) {
  return fail("UnauthorizedException", 401, std::move(why));
}

}  // namespace

Task<std::shared_ptr<const KeySet>> KeyCache::keys(std::string issuer, std::string key_id) {
  const async::SteadyTime now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    const auto it = entries_.find(issuer);
    if (it != entries_.end()) {
      const int64_t age_ms = (now - it->second.fetched) / 1'000'000;
      const bool fresh = it->second.keys->has(key_id) ? age_ms < kKeepMs : age_ms < kRefetchMs;
      if (fresh) co_return it->second.keys;
    }
  }
  auto keys = co_await fetch(issuer);
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kIssuersMax && !entries_.contains(issuer)) entries_.clear();
  entries_[issuer] = Entry{keys, now};
  co_return keys;
}

Task<std::shared_ptr<const KeySet>> KeyCache::fetch(std::string issuer) {
  std::string base = issuer;
  while (base.ends_with('/')) base.pop_back();
  const std::string discovery = co_await get(base + "/.well-known/openid-configuration");
  const auto document = parse_json(discovery);
  if (!document) co_return cannot_fetch("OIDC discovery endpoint communication error");
  if (document->string_or("issuer", "") != issuer) {
    co_return cannot_fetch("issuer of OIDC discovery endpoint doesn't match the configured issuer");
  }
  const std::string uri(document->string_or("jwks_uri", ""));
  if (!uri.starts_with("http://") && !uri.starts_with("https://")) {
    co_return cannot_fetch("OIDC discovery endpoint communication error");
  }
  const std::string text = co_await get(uri);
  auto keys = KeySet::parse(text);
  if (!keys) co_return cannot_fetch("JWKS communication error");
  co_return keys;
}

Task<std::string> KeyCache::get(std::string url) {
  UpstreamRequest request;
  request.url = std::move(url);
  request.headers = {{"accept", "application/json"}};
  request.timeout_ms = kFetchMs;
  request.body_bytes_max = kBodyBytesMax;
  auto reply = co_await as_result(upstream_.send(std::move(request)));
  if (!reply || reply->status != 200)
    co_return cannot_fetch("OIDC discovery endpoint communication error");
  co_return std::move(reply->body);
}

}  // namespace virga::apigatewayv2
