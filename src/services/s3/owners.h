#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/document.h"
#include "base/error.h"

namespace virga::s3 {

// An account as ACLs name it.
struct Owner {
  std::string account;       // 12 digits
  std::string canonical_id;  // 64 hexadecimal digits
  std::string display_name;  // empty unless configured: S3 returns none since October 2025
  std::string email;         // empty unless configured
};

// Between accounts and their canonical user ids. Every account has one: that of the configuration,
// or one made of its number in a way that can be read back, so that a grant to an account that
// nobody has used yet is understood. Immutable; any thread.
class Owners {
 public:
  Owners() = default;
  // The configuration file's "accounts": beside what IAM reads of them, "canonical_id",
  // "display_name" and "email". Errors: code "Usage" and a sentence that says where.
  static Result<Owners> parse(const Document& accounts);

  Owner of_account(std::string_view account) const;
  std::optional<Owner> find_canonical_id(std::string_view id) const;
  std::optional<Owner> find_email(std::string_view email) const;

 private:
  std::map<std::string, Owner, std::less<>> by_account_;
};

}  // namespace virga::s3
