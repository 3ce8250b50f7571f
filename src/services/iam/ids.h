#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/clock.h"

// Identifiers in IAM's form. Source: IAM User Guide, "IAM identifiers", unique identifiers.
namespace virga::iam {

// "AIDA", "AROA", "AGPA", "ANPA" or "AIPA" and 17 characters.
std::string new_unique_id(std::string_view prefix, async::Random& random);

// "AKIA" or "ASIA" and 16 characters, which carry the account in AWS's way: anyone can read it off
// a key.
std::string new_access_key_id(std::string_view prefix, std::string_view account,
                              async::Random& random);
// The account of such an id; nullopt when it has not the form.
std::optional<std::string> account_of_access_key(std::string_view id);

std::string new_secret();  // 40 characters of base64

}  // namespace virga::iam
