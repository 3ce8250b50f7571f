#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/document.h"
#include "services/apigatewayv2/compiled_api.h"

// JSON Web Tokens as HTTP APIs check them: JWS compact form with RSA signatures.
// Sources: RFC 7515, 7517, 7518, 7519; API Gateway Developer Guide, "Control access to HTTP APIs
// with JWT authorizers".
namespace virga::apigatewayv2 {

// A token taken apart; nothing in it is trusted yet.
struct Jwt {
  std::string algorithm;  // "RS256"
  std::string key_id;
  std::string signing_input;  // header.payload as sent
  std::string signature;      // raw bytes
  Document claims;            // an object

  // nullopt when the text is no JWS whose payload is a JSON object.
  static std::optional<Jwt> parse(std::string_view text);
};

// The RSA keys of one issuer. Immutable; verify() from any thread.
class KeySet {
 public:
  // nullopt when the text is no key set. Keys of other kinds and uses are left out.
  static std::shared_ptr<const KeySet> parse(std::string_view json);
  ~KeySet();

  bool has(std::string_view key_id) const;
  // True when the token is signed by the key it names. RS256, RS384 and RS512.
  bool verify(const Jwt& token) const;

 private:
  KeySet();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Why a token is refused. The description goes into WWW-Authenticate as API Gateway words it.
struct JwtRefusal {
  int status = 401;  // or 403 for missing scopes
  std::string description;
};

// Issuer, audience, times and scopes; the signature is the caller's part. nullopt: all in order.
std::optional<JwtRefusal> check_claims(const Jwt& token, const CompiledAuthorizer& authorizer,
                                       const std::vector<std::string>& route_scopes, int64_t now_s);

// Claims as texts, as events carry them: lists as [a b], numbers in plain digits.
std::vector<std::pair<std::string, std::string>> claims_as_text(const Document& claims);
// The token's scopes, from `scope` (blank-separated or a list) or `scp`.
std::vector<std::string> token_scopes(const Document& claims);

// RFC 4648 §5 without padding.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace virga::apigatewayv2
