#include "platform/identify.h"

#include <algorithm>

#include "aws/account_id.h"
#include "aws/sigv4_canonical.h"
#include "base/hashing.h"
#include "base/strings.h"

namespace virga::platform {
namespace {

// Letters, digits and hyphens, as every region has been named so far.
bool is_region(std::string_view text) {
  const auto usual = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), usual) &&
         text.front() != '-' && text.back() != '-';
}

// The canonical request's last line, after the body has been held against it.
Result<std::string> payload_hash(const net::RequestHead& head, std::string_view body,
                                 sigv4::ErrorFamily family) {
  const sigv4::PayloadDeclaration declared = sigv4::declared_payload(head);
  switch (declared.kind) {
    case sigv4::PayloadDeclaration::Kind::absent:
      return to_hex(as_bytes(sha256(body)));
    case sigv4::PayloadDeclaration::Kind::hash:
      if (!iequals(to_hex(as_bytes(sha256(body))), declared.text))
        return fail(sigv4::payload_mismatch(family));
      return std::string(declared.text);
    case sigv4::PayloadDeclaration::Kind::unknown:
      return fail(sigv4::payload_mismatch(family));
    default:
      return std::string(declared.text);
  }
}

// The canonical request's last line when the body is not at hand or does not matter.
Result<std::optional<std::string_view>> told_hash(const IdentifyQuestion& question,
                                                  const sigv4::Signature& signature,
                                                  sigv4::ErrorFamily family) {
  if (!question.body_streams && family != sigv4::ErrorFamily::s3) return std::nullopt;
  return sigv4::canonical_payload(*question.head, signature, family);
}

constexpr std::string_view kVersion2 = "AWS";
constexpr std::string_view kVersion4 = "AWS4-HMAC-SHA256";

Result<void> check_credential(const Credential& credential, async::WallTime now,
                              sigv4::ErrorFamily family) {
  if (!credential.active) return fail(sigv4::invalid_token(family));
  if (credential.expires_at && *credential.expires_at < now)
    return fail(sigv4::expired_token(family));
  return {};
}

}  // namespace

sigv4::ErrorFamily error_family(const aws::ServiceDesc& service) {
  if (service.bare_errors) return sigv4::ErrorFamily::s3;
  switch (service.protocols[0]) {
    case aws::Protocol::rest_json:
      return sigv4::ErrorFamily::rest_json;
    case aws::Protocol::query:
    case aws::Protocol::rest_xml:
      return sigv4::ErrorFamily::query;
    default:
      return sigv4::ErrorFamily::json;
  }
}

Principal root_principal(std::string_view account, std::string_view region,
                         std::string access_key_id) {
  Principal p;
  p.kind = Principal::Kind::root;
  p.account = account;
  p.arn.reserve(48);
  p.arn.append("arn:").append(partition_of(region)).append(":iam::").append(account);
  p.arn.append(":root");
  p.user_id = p.account;
  p.access_key_id = std::move(access_key_id);
  return p;
}

Task<Identified> Identifier::identify(IdentifyQuestion question) {
  const sigv4::ErrorFamily family = error_family(*question.service);
  if (family == sigv4::ErrorFamily::s3) {
    std::optional<sigv2::Signature> older = co_await sigv2::parse(*question.head);
    if (older) {
      Identified who = co_await identify_v2(question, std::move(*older));
      co_return std::move(who);
    }
  }
  const std::optional<sigv4::Signature> signature = co_await sigv4::parse(*question.head, family);
  Identified who;
  if (!signature) {
    if (!question.anonymous_allowed) co_return fail(sigv4::missing_token(family));
    who.account = options_.default_account;
    who.region = options_.default_region;
    co_return std::move(who);
  }
  who.region = signature->region;
  who.presigned = signature->presigned;
  who.signature_type = signature->presigned ? "REST-QUERY-STRING" : "REST-HEADER";
  who.signature_version = kVersion4;
  if (!is_region(signature->region)) {
    co_await sigv4::check_scope(*signature, question.service->signing_name, options_.default_region,
                                family);
  }

  const std::string key_id(signature->access_key_id);
  const std::string token(signature->session_token);
  const std::optional<Credential> credential = co_await store_.find_access_key(key_id, token);
  if (options_.strict) {
    if (!credential) co_return fail(sigv4::invalid_token(family));
    co_await check_credential(*credential, env_.wall.now(), family);
    co_await sigv4::check_scope(*signature, question.service->signing_name, {}, family);
    co_await sigv4::check_time(*signature, env_.wall.now().at, family);
    const std::optional<std::string_view> told = co_await told_hash(question, *signature, family);
    std::string hash;
    if (told) {
      hash = *told;
    } else {
      hash = co_await payload_hash(*question.head, question.body, family);
    }
    co_await sigv4::verify(*question.head, *signature, credential->secret, hash, family);
    if (sigv4::declared_payload(*question.head).streaming()) {
      who.chunk_signing = sigv4::chunk_signing(*signature, credential->secret);
    }
  } else {
    // Whoever made a link said how long it shall work: that is no secret to be passed over.
    co_await sigv4::check_link(*signature, env_.wall.now().at, family);
  }
  fill_in(who, credential, key_id);
  co_return std::move(who);
}

void Identifier::fill_in(Identified& who, const std::optional<Credential>& credential,
                         std::string_view key_id) const {
  if (credential) {
    who.principal = credential->principal;
  } else {
    who.principal =
        root_principal(is_account_id(key_id) ? key_id : std::string_view(options_.default_account),
                       who.region, std::string(key_id));
  }
  who.account = who.principal.account;
}

Task<Identified> Identifier::identify_v2(IdentifyQuestion question, sigv2::Signature signature) {
  if (signature.presigned && env_.wall.now().at.seconds() > signature.expires_s) {
    co_return fail("AccessDenied", 403, "Request has expired");
  }
  const std::optional<Credential> credential =
      co_await store_.find_access_key(signature.access_key_id, signature.session_token);
  if (options_.strict) {
    if (!credential) co_return fail(sigv4::invalid_token(sigv4::ErrorFamily::s3));
    co_await check_credential(*credential, env_.wall.now(), sigv4::ErrorFamily::s3);
    co_await sigv2::verify(*question.head, question.path, signature, credential->secret);
  }
  Identified who;
  who.region = options_.default_region;
  who.presigned = signature.presigned;
  who.signature_type = signature.presigned ? "REST-QUERY-STRING" : "REST-HEADER";
  who.signature_version = kVersion2;
  fill_in(who, credential, signature.access_key_id);
  co_return std::move(who);
}

Task<Identified> Identifier::identify_form(FormSignature signature) {
  Identified who;
  who.region = signature.region.empty() ? options_.default_region : signature.region;
  who.presigned = true;
  if (signature.access_key_id.empty()) {
    who.account = options_.default_account;
    co_return std::move(who);
  }
  const std::optional<Credential> credential =
      co_await store_.find_access_key(signature.access_key_id, signature.session_token);
  if (options_.strict) {
    if (!credential) co_return fail(sigv4::invalid_token(sigv4::ErrorFamily::s3));
    co_await check_credential(*credential, env_.wall.now(), sigv4::ErrorFamily::s3);
    const std::string expected =
        signature.date.empty()
            ? sigv2::sign(credential->secret, signature.policy)
            : sigv4::signature_of(
                  sigv4::signing_key(credential->secret, signature.date, signature.region, "s3"),
                  signature.policy);
    if (!equal_constant_time(expected, signature.signature)) {
      co_return fail("SignatureDoesNotMatch", 403,
                     "The request signature we calculated does not match the signature you "
                     "provided. Check your key and "
                     "signing method.");
    }
  }
  who.signature_type = "POST";
  who.signature_version = signature.date.empty() ? kVersion2 : kVersion4;
  fill_in(who, credential, signature.access_key_id);
  co_return std::move(who);
}

}  // namespace virga::platform
