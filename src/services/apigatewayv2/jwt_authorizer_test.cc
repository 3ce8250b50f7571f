#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "services/apigatewayv2/jwt.h"
#include "services/apigatewayv2/test_gateway.h"

namespace virga::apigatewayv2 {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

// An issuer with a key of its own.
struct Issuer {
  EVP_PKEY* key = EVP_RSA_gen(2048);
  ~Issuer() { EVP_PKEY_free(key); }

  std::string number(const char* name) const {
    BIGNUM* n = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &n), 1);
    std::string bytes(static_cast<size_t>(BN_num_bytes(n)), '\0');
    BN_bn2bin(n, reinterpret_cast<unsigned char*>(bytes.data()));
    BN_free(n);
    return base64url(bytes);
  }
  std::string jwks(const std::string& kid = "k1") const {
    return R"({"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":")" + kid + R"(","n":")" +
           number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" + number(OSSL_PKEY_PARAM_RSA_E) + R"("}]})";
  }
  std::string token(const std::string& claims,
                    const std::string& header = R"({"alg":"RS256","kid":"k1","typ":"JWT"})") const {
    const std::string input = base64url(header) + "." + base64url(claims);
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key), 1);
    size_t size = 0;
    const auto* bytes = reinterpret_cast<const unsigned char*>(input.data());
    EVP_DigestSign(context, nullptr, &size, bytes, input.size());
    std::string signature(size, '\0');
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                   input.size());
    EVP_MD_CTX_free(context);
    return input + "." + base64url(signature.substr(0, size));
  }
};

struct JwtGateway : Gateway {
  Issuer issuer;
  CompiledRoute* r;
  JwtGateway() {
    auto* a = authorizer(CompiledAuthorizer::Kind::jwt, {"$request.header.Authorization"});
    a->issuer = "https://issuer.example/pool";
    a->audience = {"client-1"};
    r = &route("$default", lambda("f"));
    r->auth = CompiledRoute::Auth::jwt;
    r->authorizer = a;
    functions.answer("f", "{}");
    publish("https://issuer.example/pool", issuer.jwks());
  }
  void publish(const std::string& name, const std::string& jwks) {
    upstream.replies["https://issuer.example/pool/.well-known/openid-configuration"] = {
        .status = 200,
        .headers = {},
        .body = R"({"issuer":")" + name + R"(","jwks_uri":"https://issuer.example/keys"})"};
    upstream.replies["https://issuer.example/keys"] = {.status = 200, .headers = {}, .body = jwks};
  }
  std::string claims(const std::string& more = "", int64_t valid_s = 600,
                     const std::string& aud = "client-1") {
    return R"({"iss":"https://issuer.example/pool","sub":"me","aud":")" + aud + R"(","exp":)" +
           std::to_string(env.env().wall.now().at.seconds() + valid_s) + more + "}";
  }
  Answer with(const std::string& token) {
    return call("GET", "/x", {{"authorization", "Bearer " + token}});
  }
};

TEST(JwtAuthorizer, lets_a_good_token_pass_and_hands_its_claims_on) {
  JwtGateway g;
  const auto r =
      g.with(g.issuer.token(g.claims(R"(,"groups":["a","b"],"ok":true,"scope":"read write")")));
  EXPECT_EQ(r.status, 200) << r.header("www-authenticate");
  const Document event = g.functions.event(0);
  const Document& jwt = *event.find("requestContext")->find("authorizer")->find("jwt");
  EXPECT_EQ(jwt.find("claims")->string_or("sub", ""), "me");
  EXPECT_EQ(jwt.find("claims")->string_or("groups", ""), "[a b]");
  EXPECT_EQ(jwt.find("claims")->string_or("ok", ""), "true");
  EXPECT_TRUE(jwt.find("scopes")->is_null());
  EXPECT_EQ(g.call("GET", "/x", {{"authorization", g.issuer.token(g.claims())}}).status,
            200);  // without Bearer
}

TEST(JwtAuthorizer, asks_the_issuer_once) {
  JwtGateway g;
  g.with(g.issuer.token(g.claims()));
  g.with(g.issuer.token(g.claims()));
  EXPECT_THAT(g.upstream.requests, SizeIs(2));  // discovery and keys
  EXPECT_EQ(g.upstream.requests[0].timeout_ms, 1'500);
  EXPECT_EQ(g.upstream.requests[0].body_bytes_max, 150'000u);
}

TEST(JwtAuthorizer, fetches_a_rotated_key) {
  JwtGateway g;
  g.with(g.issuer.token(g.claims()));
  g.publish("https://issuer.example/pool", g.issuer.jwks("k2"));
  const auto token = g.issuer.token(g.claims(), R"({"alg":"RS256","kid":"k2"})");
  EXPECT_EQ(g.with(token).status, 401);  // too soon to ask again
  g.env.advance_millis(10'001);
  EXPECT_EQ(g.with(token).status, 200);
}

TEST(JwtAuthorizer, answers_401_to_every_flaw) {
  JwtGateway g;
  const auto refused = [&](const std::string& token, const char* why) {
    const auto r = g.with(token);
    EXPECT_EQ(r.status, 401) << why;
    EXPECT_EQ(r.body, R"({"message":"Unauthorized"})") << why;
    EXPECT_THAT(r.header("www-authenticate"), HasSubstr(why));
    EXPECT_THAT(r.header("www-authenticate"), HasSubstr("error=\"invalid_token\""));
  };
  const std::string good = g.issuer.token(g.claims());
  refused("nonsense", "not a valid JWT");
  refused("a.b.c", "not a valid JWT");
  refused(g.issuer.token(g.claims("", -1)), "the token has expired");
  refused(g.issuer.token(g.claims("", 600, "other")), "valid audience");
  refused(g.issuer.token(g.claims(",\"nbf\":99999999999")), "not valid yet");
  refused(g.issuer.token(R"({"iss":"https://other.example","exp":99999999999,"aud":"client-1"})"),
          "issuer");
  refused(g.issuer.token(R"({"iss":"https://issuer.example/pool","aud":"client-1"})"), "expired");
  refused(g.issuer.token(g.claims(), R"({"alg":"none","kid":"k1"})"), "signature");
  refused(g.issuer.token(g.claims(), R"({"alg":"HS256","kid":"k1"})"), "signature");
  refused(g.issuer.token(g.claims(), R"({"alg":"RS256","kid":"other"})"), "signature");
  refused(good.substr(0, good.rfind('.')) + ".", "signature");
  Issuer forger;
  refused(forger.token(g.claims()), "signature");
  EXPECT_TRUE(g.functions.calls.empty());
  const auto none = g.call("GET", "/x");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.header("www-authenticate"), "Bearer");
}

TEST(JwtAuthorizer, answers_401_when_the_issuer_cannot_be_asked_or_names_another) {
  JwtGateway g;
  g.publish("https://somebody.else", g.issuer.jwks());
  EXPECT_EQ(g.with(g.issuer.token(g.claims())).status, 401);
  g.upstream.replies.clear();
  const auto r = g.with(g.issuer.token(g.claims()));
  EXPECT_EQ(r.status, 401);
  EXPECT_THAT(r.header("www-authenticate"),
              HasSubstr("OIDC discovery endpoint communication error"));
}

TEST(JwtAuthorizer, answers_403_without_one_of_the_routes_scopes) {
  JwtGateway g;
  g.r->scopes = {"notes.read", "notes.admin"};
  const auto r = g.with(g.issuer.token(g.claims(R"(,"scope":"mail")")));
  EXPECT_EQ(r.status, 403);
  EXPECT_EQ(r.body, R"({"message":"Forbidden"})");
  EXPECT_THAT(r.header("www-authenticate"), HasSubstr("insufficient_scope"));
  EXPECT_EQ(g.with(g.issuer.token(g.claims(R"(,"scope":"mail notes.read")"))).status, 200);
  EXPECT_EQ(g.with(g.issuer.token(g.claims(R"(,"scp":["notes.admin"])"))).status, 200);
  const Document event = g.functions.event(1);
  EXPECT_EQ(to_json(*event.find("requestContext")->find("authorizer")->find("jwt")->find("scopes")),
            R"(["notes.admin"])");
}

TEST(JwtAuthorizer, takes_client_id_for_the_audience_when_there_is_none) {
  JwtGateway g;
  const std::string exp = std::to_string(g.env.env().wall.now().at.seconds() + 60);
  EXPECT_EQ(g.with(g.issuer.token(
                       R"({"iss":"https://issuer.example/pool","client_id":"client-1","exp":)" +
                       exp + "}"))
                .status,
            200);
  EXPECT_EQ(
      g.with(g.issuer.token(R"({"iss":"https://issuer.example/pool","exp":)" + exp + "}")).status,
      401);
}

}  // namespace
}  // namespace virga::apigatewayv2
