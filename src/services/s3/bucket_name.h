#pragma once

#include <string>
#include <string_view>

namespace virga::s3 {

// Whether a new general purpose bucket may be called so. Source: S3 User Guide, "General purpose
// bucket naming rules".
bool is_legal_bucket_name(std::string_view name);

// The canonical user id of an account that has none in the configuration (owners.h): 64 hexadecimal
// digits, the last twelve of them the account's.
std::string canonical_user_id(std::string_view account);

}  // namespace virga::s3
