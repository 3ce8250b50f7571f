// Names and passwords for single services. Nothing here takes them; they are made, listed and
// withdrawn. Source: IAM API Reference, CreateServiceSpecificCredential and its kin.
#include <algorithm>
#include <array>

#include "api/iam/create_service_specific_credential.h"
#include "api/iam/delete_service_specific_credential.h"
#include "api/iam/list_service_specific_credentials.h"
#include "api/iam/reset_service_specific_credential.h"
#include "api/iam/shapes/service_specific_credential.h"
#include "api/iam/shapes/service_specific_credential_metadata.h"
#include "api/iam/update_service_specific_credential.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/service.h"
#include "services/iam/support.h"
#include "services/iam/user_credentials.h"

namespace virga::iam {
namespace {

constexpr size_t kPerUserAndService = 2;
constexpr std::string_view kBedrock = "bedrock.amazonaws.com";
constexpr auto kServiceCredential = DocumentKind::service_credential;
constexpr int64_t kDayMicros = int64_t{24} * 3600 * 1'000'000;

Result<void> check_service(const std::string& service) {
  static constexpr std::array<std::string_view, 3> kServices = {
      "codecommit.amazonaws.com", "cassandra.amazonaws.com", kBedrock};
  if (std::find(kServices.begin(), kServices.end(), service) != kServices.end()) return {};
  return fail("ServiceNotSupportedException", 404,
              "No such service " + service + " is supported for Service Specific Credentials");
}

std::string new_service_password() {
  return to_base64(secure_random_bytes(33));
}

CredentialName named(const std::optional<std::string>& user_name, const std::string& id) {
  return {kServiceCredential, user_name, id, "Service Specific Credential"};
}

// Bedrock has an alias and a secret in place of a user name and a password.
api::ServiceSpecificCredential to_service_credential(const Document& d, const std::string& user) {
  api::ServiceSpecificCredential c;
  c.create_date = time_member(d, "created");
  if (d.find("expires")) c.expiration_date = time_member(d, "expires");
  c.service_name = text_member(d, "service");
  if (c.service_name == kBedrock) {
    c.service_credential_alias = text_member(d, "login");
    c.service_credential_secret = "ABSK" + text_member(d, "password");
  } else {
    c.service_user_name = text_member(d, "login");
    c.service_password = text_member(d, "password");
  }
  c.service_specific_credential_id = text_member(d, "id");
  c.user_name = user;
  c.status = text_member(d, "status");
  return c;
}

// What lists tell: all but the secret.
api::ServiceSpecificCredentialMetadata service_credential_metadata(const Document& d,
                                                                   const std::string& user) {
  const auto full = to_service_credential(d, user);
  api::ServiceSpecificCredentialMetadata m;
  m.user_name = full.user_name;
  m.status = full.status;
  m.service_user_name = full.service_user_name;
  m.service_credential_alias = full.service_credential_alias;
  m.create_date = full.create_date;
  m.expiration_date = full.expiration_date;
  m.service_specific_credential_id = full.service_specific_credential_id;
  m.service_name = full.service_name;
  return m;
}

}  // namespace

Task<api::CreateServiceSpecificCredentialOutput> Service::create_service_specific_credential(
    Ctx ctx, api::CreateServiceSpecificCredentialInput input) {
  co_await check_service(input.service_name);
  const std::string id = new_unique_id("ACCA", ctx->env->random);
  api::CreateServiceSpecificCredentialOutput output;
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    VIRGA_TRY(own, credentials_of(iam, kServiceCredential, user));
    std::vector<std::string> logins;
    for (const Document& other : own) {
      if (other.string_or("service", "") == input.service_name)
        logins.push_back(text_member(other, "login"));
    }
    if (logins.size() >= kPerUserAndService) {
      return fail(
          errors::limit_exceeded("Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2"));
    }
    // bob-at-111122223333, and bob+1-at-111122223333 beside it.
    std::string login = user.name + "-at-" + ctx->account;
    if (std::find(logins.begin(), logins.end(), login) != logins.end())
      login = user.name + "+1-at-" + ctx->account;
    Document d = new_credential(id, user, ctx->now.at);
    d.set("service", input.service_name).set("login", login);
    d.set("password", new_service_password());
    if (input.credential_age_days)
      d.set("expires", ctx->now.at.micros + *input.credential_age_days * kDayMicros);
    iam.put_document(kServiceCredential, id, d);
    output.service_specific_credential = to_service_credential(d, user.name);
    return {};
  });
  co_return output;
}

Task<api::ListServiceSpecificCredentialsOutput> Service::list_service_specific_credentials(
    Ctx ctx, api::ListServiceSpecificCredentialsInput input) {
  std::vector<api::ServiceSpecificCredentialMetadata> all;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    std::vector<Entity> users;
    if (input.all_users.value_or(false)) {
      VIRGA_TRY_VOID(iam.each_entity(Kind::user, "", [&](Entity&& e) {
        users.push_back(std::move(e));
        return true;
      }));
    } else {
      VIRGA_TRY(user, listed_owner(*ctx, iam, input.user_name));
      if (user) users.push_back(std::move(*user));
    }
    for (const Entity& user : users) {
      VIRGA_TRY(own, credentials_of(iam, kServiceCredential, user));
      for (const Document& d : own) {
        if (!input.service_name || *input.service_name == d.string_or("service", ""))
          all.push_back(service_credential_metadata(d, user.name));
      }
    }
    return {};
  });
  const auto key = [](const api::ServiceSpecificCredentialMetadata& m) {
    return m.service_specific_credential_id;
  };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  api::ListServiceSpecificCredentialsOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output, key);
  output.service_specific_credentials = page;
  co_return output;
}

Task<api::ResetServiceSpecificCredentialOutput> Service::reset_service_specific_credential(
    Ctx ctx, api::ResetServiceSpecificCredentialInput input) {
  api::ResetServiceSpecificCredentialOutput output;
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    const auto which = named(input.user_name, input.service_specific_credential_id);
    VIRGA_TRY(user, credential_owner(*ctx, iam, which.user_name));
    VIRGA_TRY(d, credential_of(iam, which.kind, user, which.id, which.what));
    d.set("password", new_service_password());
    iam.put_document(which.kind, which.id, d);
    output.service_specific_credential = to_service_credential(d, user.name);
    return {};
  });
  co_return output;
}

Task<api::UpdateServiceSpecificCredentialOutput> Service::update_service_specific_credential(
    Ctx ctx, api::UpdateServiceSpecificCredentialInput input) {
  auto which = named(input.user_name, input.service_specific_credential_id);
  co_await set_credential_status(ctx, std::move(which), input.status);
  co_return api::UpdateServiceSpecificCredentialOutput();
}

Task<api::DeleteServiceSpecificCredentialOutput> Service::delete_service_specific_credential(
    Ctx ctx, api::DeleteServiceSpecificCredentialInput input) {
  auto which = named(input.user_name, input.service_specific_credential_id);
  co_await delete_credential(ctx, std::move(which));
  co_return api::DeleteServiceSpecificCredentialOutput();
}

}  // namespace virga::iam
