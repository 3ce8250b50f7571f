#include "services/apigatewayv2/lambda_authorizer.h"

#include "base/document.h"
#include "base/json.h"

namespace virga::apigatewayv2 {

bool AuthorizerVerdict::allows(const std::string& request_arn) const {
  if (simple) return authorized;
  if (!policy) return false;
  const platform::ConditionContext context;
  const platform::PolicyRequest request{
      .action = "execute-api:Invoke", .resource = request_arn, .context = context, .caller = {}};
  const auto verdict = policy->evaluate(request);
  return verdict.allowed() && !verdict.denied;
}

std::optional<AuthorizerVerdict> parse_authorizer_answer(std::string_view payload,
                                                         bool simple_responses) {
  const auto parsed = parse_json(payload);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  AuthorizerVerdict verdict;
  if (const Document* context = parsed->find("context"); context && !context->is_null()) {
    if (!context->is_object()) return std::nullopt;
    verdict.context = to_json(*context);
  }
  verdict.principal_id = parsed->string_or("principalId", "");
  if (simple_responses) {
    const Document* authorized = parsed->find("isAuthorized");
    if (!authorized || !authorized->is_bool()) return std::nullopt;
    verdict.simple = true;
    verdict.authorized = authorized->as_bool();
    return verdict;
  }
  const Document* document = parsed->find("policyDocument");
  if (!document || !document->is_object()) return std::nullopt;
  auto policy = platform::PolicyDocument::parse(to_json(*document), platform::PolicyKind::identity);
  if (!policy) return std::nullopt;
  verdict.policy = std::move(*policy);
  return verdict;
}

std::string AuthorizerCache::key(std::string_view api_id, std::string_view authorizer_id,
                                 const std::vector<std::string>& identities) {
  std::string key(api_id);
  key += '/';
  key += authorizer_id;
  for (const auto& identity : identities) {  // lengths keep ["a","b"] apart from ["ab"]
    key += '/' + std::to_string(identity.size()) + ':' + identity;
  }
  return key;
}

std::shared_ptr<const AuthorizerVerdict> AuthorizerCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  const auto entry = it->second;
  if (entry->until <= clock_.now()) {
    index_.erase(it);
    entries_.erase(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->verdict;
}

void AuthorizerCache::put(const std::string& key, std::shared_ptr<const AuthorizerVerdict> verdict,
                          int64_t ttl_s) {
  const std::lock_guard lock(mutex_);
  if (const auto it = index_.find(key); it != index_.end()) {
    const auto entry = it->second;
    index_.erase(it);
    entries_.erase(entry);
  }
  entries_.push_front(Entry{key, std::move(verdict), clock_.now().plus_millis(ttl_s * 1000)});
  index_.emplace(entries_.front().key, entries_.begin());
  if (entries_.size() > entries_max_) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

void AuthorizerCache::clear() {
  const std::lock_guard lock(mutex_);
  index_.clear();
  entries_.clear();
}

}  // namespace virga::apigatewayv2
