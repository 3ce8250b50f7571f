#include "aws/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/hashing.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::sigv4 {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const Timestamp kNow = *parse_iso8601_basic("20150830T123600Z");

Document golden() {
  std::ifstream file(std::string(VIRGA_SOURCE_DIR) + "/tests/golden/sigv4/vectors.json");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = parse_json(text.str());
  CHECK(parsed.has_value());
  return std::move(*parsed);
}

// A request's head and the text it points into.
struct Head {
  explicit Head(std::string t) : text(std::move(t)) {
    const net::HttpRefusal bad = net::parse_request_head(text, {}, head);
    EXPECT_FALSE(bad) << bad.reason << "\n" << text;
  }
  std::string text;
  net::RequestHead head;
};

ErrorFamily family_of(std::string_view service) {
  return service == "s3" ? ErrorFamily::s3 : ErrorFamily::json;
}

TEST(SigV4, verifies_what_botocore_signed) {
  const Document data = golden();
  ASSERT_GE(data.find("vectors")->as_array().size(), 38u);
  for (const Document& vector : data.find("vectors")->as_array()) {
    SCOPED_TRACE(vector.find("name")->as_string());
    const Head request(vector.find("head")->as_string());
    const ErrorFamily family = family_of(vector.find("service")->as_string());
    const auto parsed = parse(request.head, family);
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_TRUE(parsed->has_value());
    const Signature& signature = **parsed;
    EXPECT_EQ(signature.access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(signature.service, vector.find("service")->as_string());
    EXPECT_EQ(signature.region, vector.find("region")->as_string());
    const std::string& payload = vector.find("payload_hash")->as_string();
    const std::string canonical = canonical_request(request.head, signature, payload);
    EXPECT_EQ(canonical, vector.find("canonical_request")->as_string());
    EXPECT_EQ(string_to_sign(signature, canonical), vector.find("string_to_sign")->as_string());
    const auto good = verify(request.head, signature, kSecret, payload, family);
    EXPECT_TRUE(good) << good.error().message;
    EXPECT_TRUE(check_time(signature, kNow, family));
    EXPECT_FALSE(verify(request.head, signature, "another secret", payload, family));
    EXPECT_FALSE(verify(request.head, signature, kSecret, std::string(64, '0'), family));
  }
}

// One change of any byte that is signed must be noticed.
TEST(SigV4, notices_a_changed_byte_in_line_query_or_signed_header) {
  const Document data = golden();
  for (const Document& vector : data.find("vectors")->as_array()) {
    SCOPED_TRACE(vector.find("name")->as_string());
    const std::string& payload = vector.find("payload_hash")->as_string();
    for (const char* change : {"?x=y", "extra"}) {
      std::string text = vector.find("head")->as_string();
      text.insert(text.find(" HTTP/1.1"), change);
      const Head request(text);
      const auto parsed = parse(request.head, ErrorFamily::query);
      if (!parsed) continue;
      EXPECT_FALSE(verify(request.head, **parsed, kSecret, payload, ErrorFamily::query));
    }
    std::string text = vector.find("head")->as_string();
    text.replace(text.find("example.amazonaws"), 7, "attacks");
    const Head request(text);
    const auto parsed = parse(request.head, ErrorFamily::query);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(verify(request.head, **parsed, kSecret, payload, ErrorFamily::query).error().code,
              "SignatureDoesNotMatch");
  }
}

std::string get(std::string_view headers, std::string_view target = "/") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}

AwsError refusal(const std::string& text, ErrorFamily family = ErrorFamily::json) {
  const Head request(text);
  const auto parsed = parse(request.head, family);
  if (parsed) return {.code = "accepted"};
  return parsed.error();
}

TEST(SigV4, no_signature_is_not_an_error_of_the_parser) {
  for (const char* headers :
       {"", "Authorization: Bearer abc\r\n", "Authorization: Basic abc\r\n"}) {
    const Head request(get(headers));
    const auto parsed = parse(request.head, ErrorFamily::json);
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(parsed->has_value());
  }
  EXPECT_EQ(missing_token(ErrorFamily::json).code, "MissingAuthenticationTokenException");
  EXPECT_EQ(missing_token(ErrorFamily::query).code, "MissingAuthenticationToken");
  EXPECT_EQ(missing_token(ErrorFamily::query).http_status, 403);
  EXPECT_EQ(missing_token(ErrorFamily::s3).code, "AccessDenied");
  EXPECT_EQ(invalid_token(ErrorFamily::json).code, "UnrecognizedClientException");
  EXPECT_EQ(invalid_token(ErrorFamily::query).code, "InvalidClientTokenId");
}

TEST(SigV4, names_every_missing_part_of_the_header) {
  const AwsError all = refusal(get("Authorization: AWS4-HMAC-SHA256 \r\n"));
  EXPECT_EQ(all.code, "IncompleteSignatureException");
  EXPECT_THAT(all.message, StartsWith("Authorization header requires 'Credential' parameter. "
                                      "Authorization header requires 'Signature' "
                                      "parameter. Authorization header requires 'SignedHeaders' "
                                      "parameter. Authorization header requires "
                                      "existence of either a 'X-Amz-Date' or a 'Date' header. "));
  const AwsError one =
      refusal(get("Authorization: AWS4-HMAC-SHA256 "
                  "Credential=a/20150830/r/s/aws4_request,Signature=x,SignedHeaders=host\r\n"));
  EXPECT_THAT(one.message,
              StartsWith("Authorization header requires existence of either a 'X-Amz-Date'"));
  EXPECT_EQ(refusal(get("Authorization: AWS4-HMAC-SHA256 \r\n"), ErrorFamily::query).code,
            "IncompleteSignature");
  EXPECT_EQ(refusal(get("Authorization: AWS4-HMAC-SHA256 \r\n"), ErrorFamily::s3).code,
            "AuthorizationHeaderMalformed");
}

TEST(SigV4, names_every_missing_part_of_the_query) {
  const AwsError error = refusal(get("", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256"));
  EXPECT_EQ(error.message,
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string "
            "parameters must include "
            "'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. "
            "AWS query-string parameters "
            "must include 'X-Amz-Date'. Re-examine the query-string parameters.");
  EXPECT_EQ(refusal(get("", "/?X-Amz-Signature=a"), ErrorFamily::s3).code,
            "AuthorizationQueryParametersError");
}

TEST(SigV4, refuses_a_header_and_a_query_signature_together) {
  const std::string both =
      get("Authorization: AWS4-HMAC-SHA256 x\r\n", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256");
  EXPECT_EQ(refusal(both).code, "InvalidSignatureException");
  EXPECT_EQ(
      refusal(both).message,
      "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
  EXPECT_EQ(refusal(both, ErrorFamily::query).code, "InvalidSignature");
  EXPECT_EQ(refusal(both, ErrorFamily::s3).code, "InvalidArgument");
}

std::string with_credential(std::string_view credential,
                            std::string_view date = "20150830T123600Z") {
  return get("X-Amz-Date: " + std::string(date) +
             "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=" + std::string(credential) +
             ",SignedHeaders=host;x-amz-date,Signature=ab\r\n");
}

TEST(SigV4, spaces_after_commas_are_optional) {
  EXPECT_EQ(refusal(with_credential("AKID/20150830/us-east-1/sqs/aws4_request")).code, "accepted");
}

TEST(SigV4, refuses_malformed_credentials_and_dates) {
  EXPECT_EQ(refusal(with_credential("AKID/20150830/us-east-1/aws4_request")).message,
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got "
            "'AKID/20150830/us-east-1/aws4_request'");
  EXPECT_EQ(refusal(with_credential("AKID/20150830/us-east-1/sqs/aws5")).message,
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'.");
  EXPECT_EQ(refusal(with_credential("AKID/20150830/us east/sqs/aws4_request")).message,
            "Credential should be scoped to a valid region. ");
  EXPECT_EQ(refusal(with_credential("AKID/20150829/us-east-1/sqs/aws4_request")).message,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '20150829' != "
            "'20150830', from '20150830T123600Z'.");
  EXPECT_THAT(
      refusal(with_credential("AKID/20150830/us-east-1/sqs/aws4_request", "yesterday")).message,
      StartsWith("Date must be in ISO-8601 'basic format'. Got 'yesterday'."));
  EXPECT_THAT(refusal(get("Authorization: AWS4-HMAC-SHA256 nonsense\r\n")).message,
              StartsWith("Invalid key=value pair (missing equal-sign) in Authorization header"));
  EXPECT_EQ(refusal(get("Authorization: AWS4-HMAC-SHA1 a=b\r\n")).message,
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.");
  EXPECT_EQ(refusal(get("Authorization: Bearer x\r\n"), ErrorFamily::s3).code, "InvalidArgument");
}

TEST(SigV4, s3_leaves_an_unusual_region_to_the_check_that_names_the_right_one) {
  Head request(with_credential("AKID/20150830/US/s3/aws4_request"));
  const auto parsed = parse(request.head, ErrorFamily::s3);
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto checked = check_scope(**parsed, "s3", "us-east-1", ErrorFamily::s3);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(checked.error().message,
            "The authorization header is malformed; the region 'US' is wrong; expecting "
            "'us-east-1'");
  EXPECT_EQ(refusal(with_credential("AKID/20150830//s3/aws4_request"), ErrorFamily::s3).message,
            "The authorization header is malformed; a non-empty region must be provided in the "
            "credential.");
}

TEST(SigV4, takes_the_date_from_a_date_header) {
  const Head request(
      get("Date: Sun, 30 Aug 2015 12:36:00 GMT\r\nAuthorization: AWS4-HMAC-SHA256 "
          "Credential=A/20150830/r/s/aws4_request,SignedHeaders=date;host,Signature=ab\r\n"));
  const auto parsed = parse(request.head, ErrorFamily::json);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ((*parsed)->amz_date, "20150830T123600Z");
}

Signature signature_at(Head& request) {
  auto parsed = parse(request.head, ErrorFamily::json);
  CHECK(parsed && *parsed);
  return std::move(**parsed);
}

TEST(SigV4, refuses_expired_and_future_signatures_with_aws_texts) {
  Head request(with_credential("AKID/20150830/us-east-1/sqs/aws4_request"));
  const Signature signature = signature_at(request);
  const Timestamp late{kNow.micros + 301'000'000};
  EXPECT_EQ(check_time(signature, late, ErrorFamily::json).error().message,
            "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
            "(20150830T124101Z - 5 min.)");
  EXPECT_EQ(check_time(signature, late, ErrorFamily::json).error().code,
            "InvalidSignatureException");
  EXPECT_EQ(check_time(signature, late, ErrorFamily::query).error().code, "SignatureDoesNotMatch");
  EXPECT_TRUE(check_time(signature, late, ErrorFamily::s3));
  const Timestamp early{kNow.micros - 901'000'000};
  EXPECT_EQ(check_time(signature, early, ErrorFamily::json).error().message,
            "Signature not yet current: 20150830T123600Z is still later than 20150830T122559Z "
            "(20150830T122059Z + 5 min.)");
  EXPECT_EQ(check_time(signature, early, ErrorFamily::s3).error().code, "RequestTimeTooSkewed");
}

TEST(SigV4, checks_the_scope) {
  Head request(with_credential("AKID/20150830/us-east-1/sqs/aws4_request"));
  const Signature signature = signature_at(request);
  EXPECT_TRUE(check_scope(signature, "sqs", "us-east-1", ErrorFamily::json));
  EXPECT_TRUE(check_scope(signature, "sqs", "", ErrorFamily::json));
  EXPECT_EQ(check_scope(signature, "sts", "", ErrorFamily::query).error().message,
            "Credential should be scoped to correct service: 'sts'. ");
  EXPECT_FALSE(check_scope(signature, "sqs", "eu-west-1", ErrorFamily::query));
  EXPECT_THAT(check_scope(signature, "sqs", "eu-west-1", ErrorFamily::s3).error().message,
              HasSubstr("the region 'us-east-1' is wrong; expecting 'eu-west-1'"));
}

TEST(SigV4, a_mismatch_explains_itself_where_aws_does) {
  Head request(with_credential("AKID/20150830/us-east-1/sqs/aws4_request"));
  const Signature signature = signature_at(request);
  const auto json = verify(request.head, signature, kSecret, kEmptyHash, ErrorFamily::json).error();
  EXPECT_EQ(json.code, "InvalidSignatureException");
  EXPECT_THAT(json.message,
              HasSubstr("The Canonical String for this request should have been\n'GET\n/\n"));
  const auto s3 = verify(request.head, signature, kSecret, kEmptyHash, ErrorFamily::s3).error();
  EXPECT_EQ(s3.code, "SignatureDoesNotMatch");
  ASSERT_TRUE(s3.detail);
  EXPECT_THAT(s3.detail->string_or("StringToSignBytes", ""), StartsWith("41 57 53 34 2d"));
  const auto query =
      verify(request.head, signature, kSecret, kEmptyHash, ErrorFamily::query).error();
  EXPECT_EQ(query.http_status, 403);
  EXPECT_THAT(query.message, Not(HasSubstr("Canonical")));
}

TEST(SigV4, host_must_be_signed) {
  Head request(
      get("X-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 "
          "Credential=A/20150830/r/s/aws4_request,SignedHeaders=x-amz-date,Signature=ab\r\n"));
  const Signature signature = signature_at(request);
  EXPECT_EQ(verify(request.head, signature, kSecret, kEmptyHash, ErrorFamily::json).error().message,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
}

TEST(SigV4, presigned_links_expire) {
  RequestToSign request{.path = "/bucket/key", .headers = {{"Host", "h"}}};
  const SigningCredentials credentials{"AKID", std::string(kSecret), "tok/en"};
  const std::string query = presigned_query(request, credentials, "us-east-1", "s3", 600, kNow);
  Head head("GET /bucket/key?" + query + " HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto parsed = parse(head.head, ErrorFamily::s3);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ((*parsed)->session_token, "tok/en");
  EXPECT_TRUE(verify(head.head, **parsed, kSecret, kUnsignedPayload, ErrorFamily::s3));
  EXPECT_TRUE(check_time(**parsed, {kNow.micros + 600'000'000}, ErrorFamily::s3));
  const auto late = check_time(**parsed, {kNow.micros + 601'000'000}, ErrorFamily::s3);
  EXPECT_EQ(late.error().message, "Request has expired");
  EXPECT_EQ(late.error().detail->string_or("Expires", ""), "2015-08-30T12:46:00Z");
}

TEST(SigV4, presigned_expiry_has_limits) {
  const auto link = [](const char* expires) {
    return get("", std::string("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%"
                               "2Fr%2Fs3%2Faws4_request&"
                               "X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-"
                               "Signature=a&X-Amz-Expires=") +
                       expires);
  };
  EXPECT_EQ(refusal(link("604800"), ErrorFamily::s3).code, "accepted");
  EXPECT_THAT(refusal(link("604801"), ErrorFamily::s3).message,
              HasSubstr("must be less than a week"));
  EXPECT_THAT(refusal(link("-1"), ErrorFamily::s3).message, HasSubstr("non-negative"));
  EXPECT_THAT(refusal(link("x"), ErrorFamily::s3).message, HasSubstr("number"));
}

TEST(SigV4, what_it_signs_it_verifies) {
  RequestToSign request{.method = "POST",
                        .path = "/a%20b/../c",
                        .query = "b=2&a=1",
                        .headers = {{"Host", "h"}, {"X-B", "1  2"}}};
  const SigningCredentials credentials{"AKID", std::string(kSecret), "token"};
  sign(request, credentials, "eu-west-1", "lambda", kEmptyHash, kNow);
  std::string text = "POST /a%20b/../c?b=2&a=1 HTTP/1.1\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  Head head(text + "\r\n");
  const Signature signature = signature_at(head);
  EXPECT_EQ(signature.session_token, "token");
  EXPECT_TRUE(verify(head.head, signature, kSecret, kEmptyHash, ErrorFamily::rest_json));
}

TEST(SigV4, reads_what_the_payload_is_declared_to_be) {
  using Kind = PayloadDeclaration::Kind;
  const auto kind = [](const std::string& text) {
    const Head request(get("x-amz-content-sha256: " + text + "\r\n"));
    return declared_payload(request.head).kind;
  };
  EXPECT_EQ(kind(std::string(kEmptyHash)), Kind::hash);
  EXPECT_EQ(kind("UNSIGNED-PAYLOAD"), Kind::unsigned_payload);
  EXPECT_EQ(kind("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), Kind::streaming_signed);
  EXPECT_EQ(kind("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), Kind::streaming_signed_trailer);
  EXPECT_EQ(kind("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), Kind::streaming_unsigned_trailer);
  EXPECT_EQ(kind("nonsense"), Kind::unknown);
}

}  // namespace
}  // namespace virga::sigv4
