#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/identity.h"

// Temporary credentials that describe themselves. The session token is base64 of
//   version byte (1) | JSON of what they are | HMAC-SHA-256 of all before (32 bytes)
// and the secret is derived from the JSON with the same key, so nothing is stored and a token
// survives a restart. docs/formats: iam.md.
namespace virga::iam {

// Fills in the credential's secret and session_token.
void seal_session_token(std::string_view mac_key, const std::vector<std::string>& policy_documents,
                        platform::Credential& credential);
// nullopt for anything that this key did not seal.
std::optional<platform::Credential> open_session_token(std::string_view mac_key,
                                                       std::string_view token);

}  // namespace virga::iam
