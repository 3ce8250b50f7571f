#include "services/iam/identity.h"

#include <algorithm>

#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"
#include "platform/managed_policies.h"
#include "services/iam/ids.h"
#include "services/iam/session_token.h"

namespace virga::iam {
namespace {

using platform::Credential;
using platform::PolicyDocument;
using platform::PolicyKind;
using platform::PolicyRef;
using platform::PrincipalPolicies;
using platform::RoleInfo;
using platform::SessionInfo;

constexpr size_t kCacheEntriesMax =
    10'000;  // a flood of made-up keys or tokens must not fill the memory

std::string mac_key_key() {
  storage::Key key(storage::Space::sts);
  key.account("").region(storage::kGlobalRegion).text("mac-key");
  return std::move(key).take();
}

Principal principal_of(const AccessKeyRecord& key, const std::optional<Entity>& user) {
  Principal p;
  p.account = key.account;
  p.access_key_id = key.id;
  if (key.user.empty()) {
    p.kind = Principal::Kind::root;
    p.arn = "arn:aws:iam::" + key.account + ":root";
    p.user_id = key.account;
  } else {
    p.kind = Principal::Kind::user;
    p.arn = entity_arn("aws", key.account, *user);
    p.user_id = user->id;
  }
  return p;
}

// A stored document was checked when it came; one that does not parse any more grants nothing.
void add_policy(std::vector<PolicyRef>& out, std::string_view document) {
  auto parsed = PolicyDocument::parse(document, PolicyKind::identity);
  if (parsed) out.push_back(std::move(*parsed));
}

Result<PolicyRef> load_managed(const IamReader& iam, const std::string& arn) {
  if (const platform::ManagedPolicy* m = platform::find_managed_policy(arn)) return m->compiled;
  VIRGA_TRY(own, iam.find_policy_by_arn(arn));
  if (!own) return PolicyRef();
  auto parsed = PolicyDocument::parse(own->document(), PolicyKind::identity);
  return parsed ? *parsed : PolicyRef();
}

Result<void> add_policies_of(const IamReader& iam, const Entity& e, std::vector<PolicyRef>& out) {
  for (const auto& [name, document] : e.inline_policies) add_policy(out, document);
  for (const std::string& arn : e.attached) {
    VIRGA_TRY(policy, load_managed(iam, arn));
    if (policy) out.push_back(std::move(policy));
  }
  return {};
}

// A boundary whose policy cannot be read any more allows nothing.
Result<PolicyRef> load_boundary(const IamReader& iam, const std::string& arn) {
  VIRGA_TRY(policy, load_managed(iam, arn));
  if (policy) return policy;
  return std::make_shared<const PolicyDocument>();
}

std::string_view last_part(std::string_view text) {
  return text.substr(text.rfind('/') + 1);
}

// "app" of arn:aws:sts::…:assumed-role/app/session
std::string_view role_of_session(std::string_view arn) {
  const auto parts = split(arn, '/');
  return parts.size() == 3 ? parts[1] : std::string_view();
}

}  // namespace

Task<std::unique_ptr<Identity>> Identity::open(storage::Shard& shard, async::Env& env) {
  std::unique_ptr<Identity> self(new Identity(shard, env));
  const std::string fresh = secure_random_bytes(32);
  storage::Committed<std::string> done = co_await shard.transact(
      storage::CommitClass::durable, [&](storage::Txn& txn) -> Result<std::string> {
        const std::string key = mac_key_key();
        VIRGA_TRY(found, txn.get(key));
        if (found) return std::move(*found);
        txn.put(key, fresh);
        return fresh;
      });
  self->mac_key_ = co_await std::move(done.result);
  co_await shard.wait_durable(done.lsn);
  co_return std::move(self);
}

void Identity::changing(storage::Lsn lsn) {
  storage::Lsn before = last_write_.load();
  while (before < lsn && !last_write_.compare_exchange_weak(before, lsn)) {
  }
}

Identity::Stamp Identity::now() const {
  return {shard_.published(), shard_.generation()};
}

bool Identity::valid(const Stamp& at) const {
  return at.lsn >= last_write_.load() && at.generation == shard_.generation();
}

Task<std::optional<Credential>> Identity::find_access_key(std::string id, std::string token) {
  const bool temporary = id.starts_with("ASIA");
  {
    const std::lock_guard lock(mutex_);
    if (temporary) {
      const auto it = tokens_.find(id);
      if (it != tokens_.end() && equal_constant_time(it->second.session_token, token))
        co_return it->second;
    } else {
      const auto it = keys_.find(id);
      if (it != keys_.end() && valid(it->second.at)) co_return it->second.value;
    }
  }
  if (temporary) {
    auto opened = open_token(id, token);
    if (opened) {
      const std::lock_guard lock(mutex_);
      if (tokens_.size() >= kCacheEntriesMax) tokens_.clear();
      tokens_.insert_or_assign(id, *opened);
    }
    co_return opened;
  }
  const Stamp at = now();
  auto loaded = co_await load_key(id);
  const std::lock_guard lock(mutex_);
  if (keys_.size() >= kCacheEntriesMax) keys_.clear();
  keys_.insert_or_assign(std::move(id), Cached<std::optional<Credential>>{at, loaded});
  co_return loaded;
}

Result<std::optional<Credential>> Identity::load_key(const std::string& id) const {
  const auto view = shard_.snapshot();
  VIRGA_TRY(key, iam::find_access_key(*view, id));
  if (!key) return std::optional<Credential>();
  std::optional<Entity> user;
  if (!key->user.empty()) {
    const IamReader reader(*view, key->account);
    VIRGA_TRY(found, reader.find_entity(Kind::user, key->user));
    if (!found) return std::optional<Credential>();
    user = std::move(found);
  }
  Credential c;
  c.access_key_id = key->id;
  c.secret = key->secret;
  c.active = key->active;
  c.principal = principal_of(*key, user);
  return std::optional<Credential>(std::move(c));
}

Task<std::optional<std::string>> Identity::account_of_access_key(std::string id) {
  if (id.starts_with("ASIA")) co_return iam::account_of_access_key(id);
  const auto found = co_await find_access_key(id, "");
  if (!found) co_return std::optional<std::string>();
  co_return found->principal.account;
}

std::optional<Credential> Identity::open_token(const std::string& id,
                                               const std::string& token) const {
  auto session = open_session_token(mac_key_, token);
  if (!session || session->access_key_id != id) return std::nullopt;
  return std::move(*session);
}

Task<Credential> Identity::issue_session(platform::SessionRequest request) {
  Credential c;
  c.access_key_id = new_access_key_id("ASIA", request.principal.account, env_.random);
  c.principal = std::move(request.principal);
  c.principal.access_key_id = c.access_key_id;
  c.expires_at = async::WallTime{
      Timestamp::from_seconds(env_.wall.now().at.seconds() + request.duration_seconds)};
  auto session = std::make_shared<SessionInfo>();
  session->role_arn = std::move(request.role_arn);
  session->limited = request.limited;
  session->tags = std::move(request.tags);
  session->policy_arns = std::move(request.policy_arns);
  for (const std::string& document : request.policy_documents) {
    auto parsed = co_await PolicyDocument::parse(document, PolicyKind::session);
    session->policies.push_back(std::move(parsed));
  }
  c.session = std::move(session);
  seal_session_token(mac_key_, request.policy_documents, c);
  co_return c;
}

Task<PrincipalPolicies> Identity::policies_for(Principal principal,
                                               std::shared_ptr<const SessionInfo> session) {
  std::optional<PrincipalPolicies> got;
  {
    const std::lock_guard lock(mutex_);
    const auto it = policies_.find(principal.arn);
    if (it != policies_.end() && valid(it->second.at)) got = it->second.value;
  }
  if (!got) {
    const Stamp at = now();
    got = co_await load_policies(principal);
    const std::lock_guard lock(mutex_);
    if (policies_.size() >= kCacheEntriesMax) policies_.clear();
    policies_.insert_or_assign(principal.arn, Cached<PrincipalPolicies>{at, *got});
  }
  if (!session) session = seen_session(principal);
  if (session) co_await apply_session(principal, *session, *got);
  if (got->principal_arn.empty()) got->principal_arn = principal.arn;
  co_return std::move(*got);
}

std::shared_ptr<const SessionInfo> Identity::seen_session(const Principal& principal) const {
  if (!principal.access_key_id.starts_with("ASIA")) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto it = tokens_.find(principal.access_key_id);
  if (it != tokens_.end()) return it->second.session;
  auto nothing = std::make_shared<SessionInfo>();
  nothing->limited = true;
  return nothing;
}

Result<void> Identity::apply_session(const Principal& principal, const SessionInfo& session,
                                     PrincipalPolicies& out) const {
  out.limited_by_session = session.limited;
  out.session = session.policies;
  if (!session.policy_arns.empty()) {
    const auto view = shard_.snapshot();
    const IamReader iam(*view, principal.account);
    for (const std::string& arn : session.policy_arns) {
      VIRGA_TRY(policy, load_managed(iam, arn));
      if (policy) out.session.push_back(std::move(policy));
    }
  }
  // A session tag hides the role's own tag of that key.
  platform::TagList tags = session.tags;
  for (auto& tag : out.tags) {
    const auto same_key = [&](const auto& other) { return iequals(other.first, tag.first); };
    if (std::none_of(session.tags.begin(), session.tags.end(), same_key))
      tags.push_back(std::move(tag));
  }
  out.tags = std::move(tags);
  if (out.principal_arn.empty()) out.principal_arn = session.role_arn;
  return {};
}

Result<PrincipalPolicies> Identity::load_policies(const Principal& principal) const {
  PrincipalPolicies out;
  const bool user = principal.kind == Principal::Kind::user;
  if (!user && principal.kind != Principal::Kind::assumed_role) return out;
  const auto view = shard_.snapshot();
  const IamReader iam(*view, principal.account);
  const std::string_view name = user ? last_part(principal.arn) : role_of_session(principal.arn);
  if (user) out.user_name = std::string(name);
  VIRGA_TRY(found, iam.find_entity(user ? Kind::user : Kind::role, name));
  if (!found) return out;
  // A new role of an old name is another principal: its sessions have another id.
  if (!user && !principal.user_id.starts_with(found->id + ":")) return out;
  if (user && principal.user_id != found->id) return out;
  const auto arn_parts = split(principal.arn, ':');
  out.principal_arn = entity_arn(arn_parts[1], principal.account, *found);
  out.tags = found->tags;
  VIRGA_TRY_VOID(add_policies_of(iam, *found, out.identity));
  for (const std::string& group : found->groups) {
    VIRGA_TRY(g, iam.find_entity(Kind::group, group));
    if (g) VIRGA_TRY_VOID(add_policies_of(iam, *g, out.identity));
  }
  if (!found->boundary.empty()) {
    VIRGA_TRY(boundary, load_boundary(iam, found->boundary));
    out.boundary = std::move(boundary);
  }
  return out;
}

Task<std::optional<RoleInfo>> Identity::find_role(std::string role_arn) {
  auto role = co_await load_role(role_arn);
  co_return std::move(role);
}

Result<std::optional<RoleInfo>> Identity::load_role(const std::string& arn) const {
  const std::string_view name = platform::role_name_of(arn);
  if (name.empty()) return std::optional<RoleInfo>();
  const auto parts = split(arn, ':');
  const auto view = shard_.snapshot();
  const IamReader iam(*view, parts[4]);
  VIRGA_TRY(role, iam.find_entity(Kind::role, name));
  if (!role || entity_arn(parts[1], parts[4], *role) != arn) return std::optional<RoleInfo>();
  RoleInfo info;
  info.arn = arn;
  info.name = role->name;
  info.role_id = role->id;
  info.max_session_seconds = role->max_session_seconds;
  info.tags = role->tags;
  auto trust = PolicyDocument::parse(role->trust, PolicyKind::trust);
  if (trust) info.trust = std::move(*trust);
  return std::optional<RoleInfo>(std::move(info));
}

}  // namespace virga::iam
