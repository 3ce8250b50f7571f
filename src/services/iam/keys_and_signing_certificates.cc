// SSH public keys and signing certificates of users. Source: IAM API Reference, the pages of these
// operations; IAM User Guide, "IAM and AWS STS quotas".
#include <algorithm>

#include "api/iam/delete_signing_certificate.h"
#include "api/iam/delete_ssh_public_key.h"
#include "api/iam/get_ssh_public_key.h"
#include "api/iam/list_signing_certificates.h"
#include "api/iam/list_ssh_public_keys.h"
#include "api/iam/shapes/signing_certificate.h"
#include "api/iam/shapes/ssh_public_key.h"
#include "api/iam/shapes/ssh_public_key_metadata.h"
#include "api/iam/update_signing_certificate.h"
#include "api/iam/update_ssh_public_key.h"
#include "api/iam/upload_signing_certificate.h"
#include "api/iam/upload_ssh_public_key.h"
#include "services/iam/errors.h"
#include "services/iam/ids.h"
#include "services/iam/key_material.h"
#include "services/iam/service.h"
#include "services/iam/support.h"
#include "services/iam/user_credentials.h"

namespace virga::iam {
namespace {

constexpr size_t kSshKeysPerUser = 5;
constexpr size_t kSigningCertificatesPerUser = 2;
constexpr const char* kPublicKey = "Public Key";
constexpr const char* kCertificate = "Certificate";

bool holds(const std::vector<Document>& own, std::string_view member, std::string_view text) {
  return std::any_of(own.begin(), own.end(),
                     [&](const Document& d) { return d.string_or(member, "") == text; });
}

api::SSHPublicKey to_ssh_public_key(const Document& d, const std::string& user) {
  api::SSHPublicKey key;
  key.user_name = user;
  key.ssh_public_key_id = text_member(d, "id");
  key.fingerprint = text_member(d, "fingerprint");
  key.ssh_public_key_body = text_member(d, "ssh");
  key.status = text_member(d, "status");
  key.upload_date = time_member(d, "created");
  return key;
}

api::SigningCertificate to_signing_certificate(const Document& d, const std::string& user) {
  api::SigningCertificate c;
  c.user_name = user;
  c.certificate_id = text_member(d, "id");
  c.certificate_body = text_member(d, "body");
  c.status = text_member(d, "status");
  c.upload_date = time_member(d, "created");
  return c;
}

}  // namespace

Task<void> Service::set_credential_status(Ctx ctx, CredentialName which, std::string status) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, credential_owner(*ctx, iam, which.user_name));
    VIRGA_TRY(d, credential_of(iam, which.kind, user, which.id, which.what));
    d.set("status", status);
    iam.put_document(which.kind, which.id, d);
    return {};
  });
  co_return ok();
}

Task<void> Service::delete_credential(Ctx ctx, CredentialName which) {
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, credential_owner(*ctx, iam, which.user_name));
    VIRGA_TRY(d, credential_of(iam, which.kind, user, which.id, which.what));
    iam.txn().allow_in_low_space();
    iam.erase_document(which.kind, which.id);
    return {};
  });
  co_return ok();
}

Task<api::UploadSSHPublicKeyOutput> Service::upload_ssh_public_key(
    Ctx ctx, api::UploadSSHPublicKeyInput input) {
  const SshPublicKey key = co_await parse_ssh_public_key(input.ssh_public_key_body);
  const std::string id = new_unique_id("APKA", ctx->env->random);
  api::UploadSSHPublicKeyOutput output;
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    VIRGA_TRY(own, credentials_of(iam, DocumentKind::ssh_public_key, user));
    if (holds(own, "fingerprint", key.fingerprint)) {
      return fail("DuplicateSSHPublicKeyException", 400,
                  "The request was rejected because the SSH public key is already associated with "
                  "the specified IAM user.");
    }
    if (own.size() >= kSshKeysPerUser)
      return fail(errors::limit_exceeded("Cannot exceed quota for SSHPublicKeysPerUser: 5"));
    Document d = new_credential(id, user, ctx->now.at);
    d.set("ssh", key.ssh).set("pem", key.pem).set("fingerprint", key.fingerprint);
    iam.put_document(DocumentKind::ssh_public_key, id, d);
    output.ssh_public_key = to_ssh_public_key(d, user.name);
    return {};
  });
  co_return output;
}

Task<api::GetSSHPublicKeyOutput> Service::get_ssh_public_key(Ctx ctx,
                                                             api::GetSSHPublicKeyInput input) {
  api::GetSSHPublicKeyOutput output;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(user, iam.entity(Kind::user, input.user_name));
    VIRGA_TRY(d, credential_of(iam, DocumentKind::ssh_public_key, user, input.ssh_public_key_id,
                               kPublicKey));
    auto key = to_ssh_public_key(d, user.name);
    if (input.encoding == "PEM") key.ssh_public_key_body = text_member(d, "pem");
    output.ssh_public_key = std::move(key);
    return {};
  });
  co_return output;
}

Task<api::ListSSHPublicKeysOutput> Service::list_ssh_public_keys(
    Ctx ctx, api::ListSSHPublicKeysInput input) {
  std::vector<api::SSHPublicKeyMetadata> all;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(user, listed_owner(*ctx, iam, input.user_name));
    if (!user) return {};
    VIRGA_TRY(own, credentials_of(iam, DocumentKind::ssh_public_key, *user));
    for (const Document& d : own) {
      auto& entry = all.emplace_back();
      entry.user_name = user->name;
      entry.ssh_public_key_id = text_member(d, "id");
      entry.status = text_member(d, "status");
      entry.upload_date = time_member(d, "created");
    }
    return {};
  });
  api::ListSSHPublicKeysOutput output;
  const auto page = co_await page_of(all, input.marker, input.max_items, output,
                                     [](const auto& k) { return k.ssh_public_key_id; });
  output.ssh_public_keys = page;
  co_return output;
}

Task<api::UpdateSSHPublicKeyOutput> Service::update_ssh_public_key(
    Ctx ctx, api::UpdateSSHPublicKeyInput input) {
  CredentialName which{DocumentKind::ssh_public_key, input.user_name, input.ssh_public_key_id,
                       kPublicKey};
  co_await set_credential_status(ctx, std::move(which), input.status);
  co_return api::UpdateSSHPublicKeyOutput();
}

Task<api::DeleteSSHPublicKeyOutput> Service::delete_ssh_public_key(
    Ctx ctx, api::DeleteSSHPublicKeyInput input) {
  CredentialName which{DocumentKind::ssh_public_key, input.user_name, input.ssh_public_key_id,
                       kPublicKey};
  co_await delete_credential(ctx, std::move(which));
  co_return api::DeleteSSHPublicKeyOutput();
}

Task<api::UploadSigningCertificateOutput> Service::upload_signing_certificate(
    Ctx ctx, api::UploadSigningCertificateInput input) {
  co_await certificate_expiration(input.certificate_body);
  // Signing certificates have ids of 32 characters without a prefix.
  const std::string id =
      new_unique_id(new_unique_id("", ctx->env->random).substr(0, 15), ctx->env->random);
  api::UploadSigningCertificateOutput output;
  co_await write(ctx, [&](IamWriter& iam) -> Result<void> {
    VIRGA_TRY(user, credential_owner(*ctx, iam, input.user_name));
    VIRGA_TRY(own, credentials_of(iam, DocumentKind::signing_certificate, user));
    if (holds(own, "body", input.certificate_body)) {
      return fail("DuplicateCertificateException", 409,
                  "The request was rejected because the same certificate is associated with an "
                  "IAM user in the account.");
    }
    if (own.size() >= kSigningCertificatesPerUser)
      return fail(errors::limit_exceeded("Cannot exceed quota for CertificatesPerUser: 2"));
    Document d = new_credential(id, user, ctx->now.at);
    d.set("body", input.certificate_body);
    iam.put_document(DocumentKind::signing_certificate, id, d);
    output.certificate = to_signing_certificate(d, user.name);
    return {};
  });
  co_return output;
}

Task<api::ListSigningCertificatesOutput> Service::list_signing_certificates(
    Ctx ctx, api::ListSigningCertificatesInput input) {
  std::vector<api::SigningCertificate> all;
  co_await read(ctx, [&](const IamReader& iam) -> Result<void> {
    VIRGA_TRY(user, listed_owner(*ctx, iam, input.user_name));
    if (!user) return {};
    VIRGA_TRY(own, credentials_of(iam, DocumentKind::signing_certificate, *user));
    for (const Document& d : own) all.push_back(to_signing_certificate(d, user->name));
    return {};
  });
  api::ListSigningCertificatesOutput output;
  output.certificates = co_await page_of(all, input.marker, input.max_items, output,
                                         [](const auto& c) { return c.certificate_id; });
  co_return output;
}

Task<api::UpdateSigningCertificateOutput> Service::update_signing_certificate(
    Ctx ctx, api::UpdateSigningCertificateInput input) {
  CredentialName which{DocumentKind::signing_certificate, input.user_name, input.certificate_id,
                       kCertificate};
  co_await set_credential_status(ctx, std::move(which), input.status);
  co_return api::UpdateSigningCertificateOutput();
}

Task<api::DeleteSigningCertificateOutput> Service::delete_signing_certificate(
    Ctx ctx, api::DeleteSigningCertificateInput input) {
  CredentialName which{DocumentKind::signing_certificate, input.user_name, input.certificate_id,
                       kCertificate};
  co_await delete_credential(ctx, std::move(which));
  co_return api::DeleteSigningCertificateOutput();
}

}  // namespace virga::iam
