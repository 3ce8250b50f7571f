#pragma once

#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "services/iam/identity.h"

namespace virga::iam {

// The configuration file's "accounts":
//   [{"id": "111122223333",
//     "access_keys": [{"id": "AKIA…", "secret": "…"}],                       the account's root
//     "users": [{"name": "ci", "policies": ["arn:aws:iam::aws:policy/AdministratorAccess"],
//                "access_keys": [{"id": "AKIA…", "secret": "…"}]}]}]
// Null: none. Errors: code "Usage" and a sentence that says where.
Result<std::vector<BootstrapKey>> parse_accounts(const Document& accounts);

}  // namespace virga::iam
