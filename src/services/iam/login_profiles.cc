// Users' passwords for a console, and the account's rules for them. Only a salted hash is kept;
// there is no console yet that would ask for one. Source: IAM API Reference, the pages of these
// operations.
#include "api/iam/change_password.h"
#include "api/iam/create_login_profile.h"
#include "api/iam/delete_account_password_policy.h"
#include "api/iam/delete_login_profile.h"
#include "api/iam/get_account_password_policy.h"
#include "api/iam/get_login_profile.h"
#include "api/iam/shapes/login_profile.h"
#include "api/iam/shapes/password_policy.h"
#include "api/iam/update_account_password_policy.h"
#include "api/iam/update_login_profile.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/service.h"
#include "services/iam/support.h"

namespace virga::iam {
namespace {

constexpr int32_t kMinimumLengthDefault =
    6;  // of UpdateAccountPasswordPolicy; without a policy it is 8
constexpr int32_t kMinimumLengthWithoutPolicy = 8;

AwsError no_login_profile(const std::string& user) {
  return errors::no_such_entity_text("Login Profile for User " + user + " cannot be found.");
}

AwsError no_password_policy(const RequestContext& context) {
  return errors::no_such_entity_text("The Password Policy with domain name " + context.account +
                                     " cannot be found.");
}

api::PasswordPolicy to_policy(const Document& d) {
  const auto flag = [&](const char* name) { return d.find(name) && d.find(name)->as_bool(); };
  const auto number = [&](const char* name) {
    return d.find(name) ? static_cast<int32_t>(d.find(name)->as_int()) : 0;
  };
  api::PasswordPolicy p;
  p.minimum_password_length = number("length");
  p.require_symbols = flag("symbols");
  p.require_numbers = flag("numbers");
  p.require_uppercase_characters = flag("upper");
  p.require_lowercase_characters = flag("lower");
  p.allow_users_to_change_password = flag("change");
  p.expire_passwords = number("age") > 0;
  if (number("age") > 0) p.max_password_age = number("age");
  if (number("reuse") > 0) p.password_reuse_prevention = number("reuse");
  if (d.find("hard")) p.hard_expiry = flag("hard");
  return p;
}

// What the policy asks of a password; the text of the first that it lacks.
Result<void> check_password(const std::optional<Document>& policy, const std::string& password) {
  const auto violation = [](std::string what) {
    return fail("PasswordPolicyViolationException", 400, "Password should have " + std::move(what));
  };
  api::PasswordPolicy p;
  p.minimum_password_length = kMinimumLengthWithoutPolicy;
  if (policy) p = to_policy(*policy);
  bool upper = false, lower = false, digit = false, symbol = false;
  for (const char c : password) {
    upper = upper || (c >= 'A' && c <= 'Z');
    lower = lower || (c >= 'a' && c <= 'z');
    digit = digit || (c >= '0' && c <= '9');
    symbol = symbol || std::string_view("!@#$%^&*()_+-=[]{}|'").find(c) != std::string_view::npos;
  }
  const int32_t length = p.minimum_password_length.value_or(kMinimumLengthWithoutPolicy);
  if (static_cast<int32_t>(password.size()) < length) {
    return violation("a minimum length of " + std::to_string(length));
  }
  if (p.require_symbols.value_or(false) && !symbol) return violation("at least one symbol");
  if (p.require_numbers.value_or(false) && !digit) return violation("at least one number");
  if (p.require_uppercase_characters.value_or(false) && !upper)
    return violation("at least one uppercase letter");
  if (p.require_lowercase_characters.value_or(false) && !lower)
    return violation("at least one lowercase letter");
  return {};
}

std::string hashed(const std::string& password, const std::string& salt) {
  return to_hex(salt) + ":" + to_hex(as_bytes(sha256(salt + password)));
}

api::LoginProfile to_profile(const Entity& user) {
  api::LoginProfile out;
  out.user_name = user.name;
  out.create_date = user.login_created;
  out.password_reset_required = user.login_reset_required;
  return out;
}

Result<std::string> name_or_caller(const RequestContext& context,
                                   const std::optional<std::string>& name) {
  const auto user = name ? name : calling_user(context);
  if (!user) return fail(errors::must_specify_user_name());
  return *user;
}

}  // namespace

Task<api::CreateLoginProfileOutput> Service::create_login_profile(
    Ctx ctx, api::CreateLoginProfileInput input) {
  const std::string name = co_await name_or_caller(*ctx, input.user_name);
  if (!input.password) co_return fail(errors::validation("Password is required."));
  const std::string salt = ctx->env->random.bytes(16);
  const Entity user = co_await write(ctx, [&](IamWriter& iam) -> Result<Entity> {
    VIRGA_TRY(found, iam.entity(Kind::user, name));
    if (!found.login.empty()) {
      return fail(
          errors::already_exists_text("Login Profile for user " + found.name + " already exists."));
    }
    VIRGA_TRY(policy, iam.find_document(DocumentKind::password_policy, ""));
    VIRGA_TRY_VOID(check_password(policy, *input.password));
    found.login = hashed(*input.password, salt);
    found.login_created = ctx->now.at;
    found.login_reset_required = input.password_reset_required.value_or(false);
    iam.put(found);
    return std::move(found);
  });
  api::CreateLoginProfileOutput output;
  output.login_profile = to_profile(user);
  co_return output;
}

Task<api::GetLoginProfileOutput> Service::get_login_profile(Ctx ctx,
                                                            api::GetLoginProfileInput input) {
  const std::string name = co_await name_or_caller(*ctx, input.user_name);
  const Entity user =
      co_await read(ctx, [&](const IamReader& iam) { return iam.entity(Kind::user, name); });
  if (user.login.empty()) co_return fail(no_login_profile(user.name));
  api::GetLoginProfileOutput output;
  output.login_profile = to_profile(user);
  co_return output;
}

Task<api::UpdateLoginProfileOutput> Service::update_login_profile(
    Ctx ctx, api::UpdateLoginProfileInput input) {
  const std::string salt = ctx->env->random.bytes(16);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    if (user.login.empty()) return fail(no_login_profile(user.name));
    if (input.password) {
      VIRGA_TRY(policy, iam.find_document(DocumentKind::password_policy, ""));
      VIRGA_TRY_VOID(check_password(policy, *input.password));
      user.login = hashed(*input.password, salt);
    }
    if (input.password_reset_required) user.login_reset_required = *input.password_reset_required;
    iam.put(user);
    return {};
  });
  co_return api::UpdateLoginProfileOutput();
}

// A user's own password. Source: IAM API Reference, ChangePassword.
Task<api::ChangePasswordOutput> Service::change_password(Ctx ctx, api::ChangePasswordInput input) {
  const auto name = calling_user(*ctx);
  if (!name) {
    co_return fail("InvalidUserTypeException", 400, "Only IAM Users can change their own password");
  }
  const std::string salt = ctx->env->random.bytes(16);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, *name));
    if (user.login.empty()) return fail(no_login_profile(user.name));
    const auto old_salt = from_hex(std::string_view(user.login).substr(0, user.login.find(':')));
    if (!old_salt || hashed(input.old_password, *old_salt) != user.login)
      return fail("AccessDenied", 403, "The old password was incorrect.");
    VIRGA_TRY(policy, iam.find_document(DocumentKind::password_policy, ""));
    VIRGA_TRY_VOID(check_password(policy, input.new_password));
    user.login = hashed(input.new_password, salt);
    user.login_reset_required = false;
    iam.put(user);
    return {};
  });
  co_return api::ChangePasswordOutput();
}

Task<api::DeleteLoginProfileOutput> Service::delete_login_profile(
    Ctx ctx, api::DeleteLoginProfileInput input) {
  const std::string name = co_await name_or_caller(*ctx, input.user_name);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, name));
    if (user.login.empty()) return fail(no_login_profile(user.name));
    user.login.clear();
    iam.put(user);
    return {};
  });
  co_return api::DeleteLoginProfileOutput();
}

// Every call replaces the whole policy. Source: IAM API Reference, UpdateAccountPasswordPolicy:
// parameters that are not given return to their defaults.
Task<api::UpdateAccountPasswordPolicyOutput> Service::update_account_password_policy(
    Ctx ctx, api::UpdateAccountPasswordPolicyInput input) {
  Document d = Document::object();
  d.set("length",
        static_cast<int64_t>(input.minimum_password_length.value_or(kMinimumLengthDefault)));
  d.set("symbols", input.require_symbols.value_or(false))
      .set("numbers", input.require_numbers.value_or(false));
  d.set("upper", input.require_uppercase_characters.value_or(false));
  d.set("lower", input.require_lowercase_characters.value_or(false));
  d.set("change", input.allow_users_to_change_password.value_or(false));
  if (input.max_password_age) d.set("age", static_cast<int64_t>(*input.max_password_age));
  if (input.password_reuse_prevention)
    d.set("reuse", static_cast<int64_t>(*input.password_reuse_prevention));
  if (input.hard_expiry) d.set("hard", *input.hard_expiry);
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    iam.put_document(DocumentKind::password_policy, "", d);
    return {};
  });
  co_return api::UpdateAccountPasswordPolicyOutput();
}

Task<api::GetAccountPasswordPolicyOutput> Service::get_account_password_policy(
    Ctx ctx, api::GetAccountPasswordPolicyInput input) {
  const auto policy = co_await read(ctx, [](const IamReader& iam) {
    return iam.find_document(DocumentKind::password_policy, "");
  });
  if (!policy) co_return fail(no_password_policy(*ctx));
  api::GetAccountPasswordPolicyOutput output;
  output.password_policy = to_policy(*policy);
  co_return output;
}

Task<api::DeleteAccountPasswordPolicyOutput> Service::delete_account_password_policy(
    Ctx ctx, api::DeleteAccountPasswordPolicyInput input) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(found, iam.find_document(DocumentKind::password_policy, ""));
    if (!found) return fail(no_password_policy(*ctx));
    iam.erase_document(DocumentKind::password_policy, "");
    return {};
  });
  co_return api::DeleteAccountPasswordPolicyOutput();
}

}  // namespace virga::iam
