#include "services/apigatewayv2/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/strings.h"

namespace virga::apigatewayv2 {
namespace {

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(BIGNUM* p) const { BN_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIGNUM> big_number(std::string_view base64url) {
  const auto bytes = from_base64url(base64url);
  if (!bytes || bytes->empty()) return nullptr;
  return Owned<BIGNUM>(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes->data()),
                                 static_cast<int>(bytes->size()), nullptr));
}

Owned<EVP_PKEY> rsa_key(std::string_view n, std::string_view e) {
  const auto modulus = big_number(n);
  const auto exponent = big_number(e);
  if (!modulus || !exponent) return nullptr;
  // Short keys are no keys; very long ones are a way to keep us busy.
  const int bits = BN_num_bits(modulus.get());
  if (bits < 2048 || bits > 8192) return nullptr;
  const Owned<OSSL_PARAM_BLD> build(OSSL_PARAM_BLD_new());
  if (!OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) ||
      !OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get())) {
    return nullptr;
  }
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(build.get()));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return Owned<EVP_PKEY>(key);
}

const EVP_MD* digest_of(std::string_view algorithm) {
  if (algorithm == "RS256") return EVP_sha256();
  if (algorithm == "RS384") return EVP_sha384();
  if (algorithm == "RS512") return EVP_sha512();
  return nullptr;
}

std::string number_text(const Document& value) {
  if (value.is_int()) return std::to_string(value.as_int());
  const double d = value.as_double();
  if (d == static_cast<double>(static_cast<int64_t>(d)))
    return std::to_string(static_cast<int64_t>(d));
  std::string text;
  append_json_double(text, d);
  return text;
}

std::string claim_text(const Document& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_number()) return number_text(value);
  if (value.is_array()) {
    std::string text = "[";
    for (const auto& item : value.as_array()) {
      if (text.size() > 1) text += ' ';
      text += claim_text(item);
    }
    return text + "]";
  }
  if (value.is_object()) {
    std::string text = "map[";
    for (const auto& [name, member] : value.as_object()) {
      if (text.size() > 4) text += ' ';
      text += name + ":" + claim_text(member);
    }
    return text + "]";
  }
  return to_json(value);
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// `aud` when the token has it, else `client_id`: Cognito's access tokens carry only that one.
bool audience_fits(const Document& claims, const std::vector<std::string>& audience) {
  if (const Document* aud = claims.find("aud")) {
    if (aud->is_string()) return contains(audience, aud->as_string());
    if (!aud->is_array()) return false;
    return std::any_of(aud->as_array().begin(), aud->as_array().end(), [&](const Document& a) {
      return a.is_string() && contains(audience, a.as_string());
    });
  }
  const Document* client = claims.find("client_id");
  return client && client->is_string() && contains(audience, client->as_string());
}

}  // namespace

std::optional<std::string> from_base64url(std::string_view text) {
  std::string standard(text);
  for (char& c : standard) {
    if (c == '+' || c == '/' || c == '=') return std::nullopt;
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  if (standard.size() % 4 == 1) return std::nullopt;
  while (standard.size() % 4 != 0) standard += '=';
  return from_base64(standard);
}

std::optional<Jwt> Jwt::parse(std::string_view text) {
  const size_t first = text.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
    return std::nullopt;
  const auto header_text = from_base64url(text.substr(0, first));
  const auto claims_text = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!header_text || !claims_text || !signature) return std::nullopt;
  const auto header = parse_json(*header_text);
  auto claims = parse_json(*claims_text);
  if (!header || !claims || !header->is_object() || !claims->is_object()) return std::nullopt;
  // A critical extension we do not know makes the token invalid (RFC 7515 §4.1.11).
  if (header->find("crit")) return std::nullopt;
  Jwt token;
  token.algorithm = header->string_or("alg", "");
  token.key_id = header->string_or("kid", "");
  token.signing_input = text.substr(0, second);
  token.signature = std::move(*signature);
  token.claims = std::move(*claims);
  return token;
}

struct KeySet::Impl {
  std::map<std::string, Owned<EVP_PKEY>, std::less<>> keys;
};

KeySet::KeySet() : impl_(std::make_unique<Impl>()) {}
KeySet::~KeySet() = default;

std::shared_ptr<const KeySet> KeySet::parse(std::string_view json) {
  static constexpr size_t kKeysMax = 100;
  const auto document = parse_json(json);
  if (!document) return nullptr;
  const Document* keys = document->find("keys");
  if (!keys || !keys->is_array()) return nullptr;
  std::shared_ptr<KeySet> set(new KeySet);
  for (const auto& key : keys->as_array()) {
    if (key.string_or("kty", "") != "RSA" || key.string_or("use", "sig") != "sig") continue;
    if (set->impl_->keys.size() == kKeysMax) break;
    auto made = rsa_key(key.string_or("n", ""), key.string_or("e", ""));
    if (made)
      set->impl_->keys.insert_or_assign(std::string(key.string_or("kid", "")), std::move(made));
  }
  return set;
}

bool KeySet::has(std::string_view key_id) const {
  return impl_->keys.find(key_id) != impl_->keys.end();
}

bool KeySet::verify(const Jwt& token) const {
  const auto it = impl_->keys.find(token.key_id);
  const EVP_MD* digest = digest_of(token.algorithm);
  if (it == impl_->keys.end() || !digest) return false;
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  if (EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, it->second.get()) != 1)
    return false;
  return EVP_DigestVerify(context.get(),
                          reinterpret_cast<const unsigned char*>(token.signature.data()),
                          token.signature.size(),
                          reinterpret_cast<const unsigned char*>(token.signing_input.data()),
                          token.signing_input.size()) == 1;
}

std::vector<std::string> token_scopes(const Document& claims) {
  std::vector<std::string> scopes;
  for (const char* name : {"scope", "scp"}) {
    const Document* value = claims.find(name);
    if (!value) continue;
    if (value->is_array()) {
      for (const auto& s : value->as_array()) {
        if (s.is_string()) scopes.push_back(s.as_string());
      }
    } else if (value->is_string()) {
      for (const auto s : split(value->as_string(), ' ')) {
        if (!s.empty()) scopes.emplace_back(s);
      }
    }
    if (!scopes.empty()) break;
  }
  return scopes;
}

std::optional<JwtRefusal> check_claims(const Jwt& token, const CompiledAuthorizer& authorizer,
                                       const std::vector<std::string>& route_scopes,
                                       int64_t now_s) {
  const Document& claims = token.claims;
  const auto time = [&](const char* name) -> std::optional<double> {
    const Document* value = claims.find(name);
    if (!value || !value->is_number()) return std::nullopt;
    return value->as_double();
  };
  const auto now = static_cast<double>(now_s);
  if (claims.string_or("iss", "") != authorizer.issuer) return JwtRefusal{401, "invalid issuer"};
  if (!authorizer.audience.empty() && !audience_fits(claims, authorizer.audience)) {
    return JwtRefusal{401, "the token does not have a valid audience"};
  }
  const auto exp = time("exp");
  if (!exp || *exp <= now) return JwtRefusal{401, "the token has expired"};
  if (const auto nbf = time("nbf"); nbf && *nbf > now)
    return JwtRefusal{401, "the token is not valid yet"};
  // An issuer's clock may be a little ahead of ours.
  static constexpr double kIssuedAheadMaxS = 300;
  if (const auto iat = time("iat"); iat && *iat > now + kIssuedAheadMaxS) {
    return JwtRefusal{401, "the token was issued in the future"};
  }
  if (route_scopes.empty()) return std::nullopt;
  for (const auto& scope : token_scopes(claims)) {
    if (contains(route_scopes, scope)) return std::nullopt;
  }
  return JwtRefusal{403, "the token does not have a required scope"};
}

std::vector<std::pair<std::string, std::string>> claims_as_text(const Document& claims) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [name, value] : claims.as_object()) texts.emplace_back(name, claim_text(value));
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace virga::apigatewayv2
