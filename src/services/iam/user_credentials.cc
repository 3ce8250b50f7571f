#include "services/iam/user_credentials.h"

#include "services/iam/errors.h"
#include "services/iam/support.h"

namespace virga::iam {

Result<Entity> credential_owner(const RequestContext& context, const IamReader& iam,
                                const std::optional<std::string>& user_name) {
  const std::optional<std::string> name = user_name ? user_name : calling_user(context);
  if (!name) return fail(errors::must_specify_user_name());
  return iam.entity(Kind::user, *name);
}

Result<std::optional<Entity>> listed_owner(const RequestContext& context, const IamReader& iam,
                                           const std::optional<std::string>& user_name) {
  if (!user_name && !calling_user(context)) return std::optional<Entity>();
  VIRGA_TRY(user, credential_owner(context, iam, user_name));
  return std::optional<Entity>(std::move(user));
}

Result<std::vector<Document>> credentials_of(const IamReader& iam, DocumentKind kind,
                                             const Entity& user) {
  std::vector<Document> own;
  if (user.id.empty()) return own;  // the root
  VIRGA_TRY_VOID(iam.each_document(kind, [&](Document&& d) {
    if (d.string_or("user_id", "") == user.id) own.push_back(std::move(d));
  }));
  return own;
}

Result<Document> credential_of(const IamReader& iam, DocumentKind kind, const Entity& user,
                               const std::string& id, const char* what) {
  VIRGA_TRY(found, iam.find_document(kind, id));
  if (!found || found->string_or("user_id", "") != user.id) {
    return fail(errors::no_such_entity_text(std::string("The ") + what + " with id " + id +
                                            " cannot be found."));
  }
  return std::move(*found);
}

Document new_credential(const std::string& id, const Entity& user, Timestamp created) {
  Document d = Document::object();
  d.set("id", id).set("user_id", user.id).set("status", "Active").set("created", created.micros);
  return d;
}

std::string text_member(const Document& d, std::string_view name) {
  return std::string(d.string_or(name, ""));
}

Timestamp time_member(const Document& d, std::string_view name) {
  const Document* value = d.find(name);
  return {value && value->is_int() ? value->as_int() : 0};
}

Result<void> owns_no_credentials(const IamReader& iam, const Entity& user) {
  const std::pair<DocumentKind, const char*> kinds[] = {
      {DocumentKind::mfa_device, "must delete MFA device first."},
      {DocumentKind::signing_certificate, "must delete signing certificates first."},
      {DocumentKind::ssh_public_key, "must remove referenced objects first."},
      {DocumentKind::service_credential, "must remove referenced objects first."}};
  for (const auto& [kind, advice] : kinds) {
    VIRGA_TRY(own, credentials_of(iam, kind, user));
    if (!own.empty())
      return fail(errors::delete_conflict(std::string("Cannot delete entity, ") + advice));
  }
  return {};
}

}  // namespace virga::iam
