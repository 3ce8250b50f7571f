#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aws/context.h"
#include "base/document.h"
#include "base/error.h"
#include "services/iam/iam_store.h"

// What users own beside access keys and passwords: SSH public keys, signing certificates,
// credentials of single services, MFA devices. Each is a document with the members id, user_id,
// status and created (and its own); the owner is known by the user's unique id, so that renaming a
// user changes nothing.
namespace virga::iam {

// A credential as calls name it; `what` is for the refusal: "Public Key".
struct CredentialName {
  DocumentKind kind;
  std::optional<std::string> user_name;
  std::string id;
  const char* what;
};

// The named user, else the calling one. Errors: NoSuchEntity, ValidationError.
Result<Entity> credential_owner(const RequestContext& context, const IamReader& iam,
                                const std::optional<std::string>& user_name);
// The same for lists: nullopt when the call names no user and comes from none.
Result<std::optional<Entity>> listed_owner(const RequestContext& context, const IamReader& iam,
                                           const std::optional<std::string>& user_name);

// In the order of their ids.
Result<std::vector<Document>> credentials_of(const IamReader& iam, DocumentKind kind,
                                             const Entity& user);
// Errors: NoSuchEntity, which calls the credential `what`: "Public Key".
Result<Document> credential_of(const IamReader& iam, DocumentKind kind, const Entity& user,
                               const std::string& id, const char* what);

Document new_credential(const std::string& id, const Entity& user, Timestamp created);
std::string text_member(const Document& d, std::string_view name);
Timestamp time_member(const Document& d, std::string_view name);

// What keeps a user from being deleted. Errors: DeleteConflict.
Result<void> owns_no_credentials(const IamReader& iam, const Entity& user);

}  // namespace virga::iam
