#include "services/iam/session_token.h"

#include "base/document.h"
#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::iam {
namespace {

constexpr char kFormat = 1;
constexpr size_t kMacBytes = 32;
constexpr size_t kTokenBytesMax = 16 * 1024;

using platform::Credential;
using platform::SessionInfo;

Document describe(const std::vector<std::string>& policy_documents, const Credential& c) {
  Document d = Document::object();
  d.set("key", c.access_key_id);
  d.set("kind", static_cast<int64_t>(c.principal.kind));
  d.set("account", c.principal.account);
  d.set("arn", c.principal.arn);
  d.set("id", c.principal.user_id);
  d.set("expires", c.expires_at->at.seconds());
  if (!c.session->role_arn.empty()) d.set("role", c.session->role_arn);
  if (c.session->limited) d.set("limited", true);
  if (!policy_documents.empty()) {
    Document list = Document::array();
    for (const std::string& p : policy_documents) list.push(p);
    d.set("policies", std::move(list));
  }
  if (!c.session->policy_arns.empty()) {
    Document list = Document::array();
    for (const std::string& arn : c.session->policy_arns) list.push(arn);
    d.set("policy_arns", std::move(list));
  }
  if (!c.session->tags.empty()) {
    Document tags = Document::object();
    for (const auto& [key, value] : c.session->tags) tags.set(key, value);
    d.set("tags", std::move(tags));
  }
  return d;
}

std::string secret_of(std::string_view mac_key, std::string_view body) {
  const Sha256 digest = hmac_sha256(mac_key, std::string("secret") + std::string(body));
  return to_base64(as_bytes(digest).substr(0, 30));
}

// The body was sealed by us: its members are there.
Credential read(const Document& d) {
  Credential c;
  c.access_key_id = std::string(d.string_or("key", ""));
  c.principal.kind = static_cast<Principal::Kind>(d.find("kind")->as_int());
  c.principal.account = std::string(d.string_or("account", ""));
  c.principal.arn = std::string(d.string_or("arn", ""));
  c.principal.user_id = std::string(d.string_or("id", ""));
  c.principal.access_key_id = c.access_key_id;
  c.expires_at = async::WallTime{Timestamp::from_seconds(d.find("expires")->as_int())};
  auto session = std::make_shared<SessionInfo>();
  session->role_arn = std::string(d.string_or("role", ""));
  session->limited = d.find("limited") != nullptr;
  if (const Document* policies = d.find("policies")) {
    for (const Document& p : policies->as_array()) {
      auto parsed = platform::PolicyDocument::parse(p.as_string(), platform::PolicyKind::session);
      if (parsed) session->policies.push_back(std::move(*parsed));
    }
  }
  if (const Document* arns = d.find("policy_arns")) {
    for (const Document& arn : arns->as_array()) session->policy_arns.push_back(arn.as_string());
  }
  if (const Document* tags = d.find("tags")) {
    for (const auto& [key, value] : tags->as_object())
      session->tags.emplace_back(key, value.as_string());
  }
  c.session = std::move(session);
  return c;
}

}  // namespace

void seal_session_token(std::string_view mac_key, const std::vector<std::string>& policy_documents,
                        Credential& c) {
  std::string body(1, kFormat);
  append_json(body, describe(policy_documents, c));
  c.secret = secret_of(mac_key, body);
  const Sha256 mac = hmac_sha256(mac_key, body);
  c.session_token = to_base64(body + std::string(as_bytes(mac)));
}

std::optional<Credential> open_session_token(std::string_view mac_key, std::string_view token) {
  if (token.size() > kTokenBytesMax) return std::nullopt;
  const auto bytes = from_base64(token);
  if (!bytes || bytes->size() <= kMacBytes + 1 || bytes->front() != kFormat) return std::nullopt;
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - kMacBytes);
  const Sha256 mac = hmac_sha256(mac_key, body);
  if (!equal_constant_time(as_bytes(mac), std::string_view(*bytes).substr(body.size())))
    return std::nullopt;
  const auto parsed = parse_json(body.substr(1));
  if (!parsed) return std::nullopt;
  Credential c = read(*parsed);
  c.secret = secret_of(mac_key, body);
  c.session_token = std::string(token);
  return c;
}

}  // namespace virga::iam
