#include "services/s3/bucket_policy.h"

#include <gtest/gtest.h>

#include "services/s3/bucket_place.h"

namespace virga::s3 {
namespace {

std::string policy(std::string_view statement) {
  return R"({"Version":"2012-10-17","Statement":[)" + std::string(statement) + "]}";
}
std::string refusal(std::string_view text) {
  const auto parsed = parse_bucket_policy(text, "bucket", "aws");
  return parsed ? std::string() : parsed.error().code + ": " + parsed.error().message;
}

TEST(BucketPolicy, refuses_what_s3_refuses_in_its_words) {
  EXPECT_EQ(refusal("no"),
            "MalformedPolicy: Policies must be valid JSON and the first byte must be '{'");
  EXPECT_EQ(refusal(R"({"Version":"2012-10-17"})"),
            "MalformedPolicy: Missing required field Statement");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"})")),
      "MalformedPolicy: Missing required field Principal");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"})")),
      "MalformedPolicy: Policy has invalid resource");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"arn:aws:s3:::bucket/*"})")),
      "MalformedPolicy: Policy has invalid action");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Deny","Principal":"*","Action":"s3:HeadObject","Resource":"arn:aws:s3:::bucket/*"})")),
      "MalformedPolicy: Policy has invalid action");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket"})")),
      "MalformedPolicy: Action does not apply to any resource(s) in statement");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket/*"})")),
      "MalformedPolicy: Action does not apply to any resource(s) in statement");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":{"AWS":"someone"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"})")),
      "MalformedPolicy: Invalid principal in policy");
}

TEST(BucketPolicy, takes_what_s3_takes) {
  EXPECT_EQ(
      refusal(policy(
          R"({"Sid":"a","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"],
                               "Condition":{"Bool":{"aws:SecureTransport":"false"}}})")),
      "");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/path/r"]},
                               "Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/a*"]})")),
      "");
  EXPECT_EQ(
      refusal(policy(
          R"({"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::bucket"})")),
      "");
}

TEST(BucketPolicy, is_public_unless_a_condition_ties_it_down) {
  const auto with = [](std::string_view condition) {
    return policy(
        R"({"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*")" +
        std::string(condition) + "}");
  };
  EXPECT_TRUE(is_public_policy(with("")));
  EXPECT_TRUE(is_public_policy(with(R"(,"Condition":{"StringLike":{"aws:SourceVpc":"vpc-*"}})")));
  EXPECT_FALSE(
      is_public_policy(with(R"(,"Condition":{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}})")));
  EXPECT_FALSE(
      is_public_policy(with(R"(,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}})")));
  EXPECT_TRUE(is_public_policy(with(R"(,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})")));
  EXPECT_TRUE(is_public_policy(
      with(R"(,"Condition":{"StringNotEquals":{"aws:SourceVpc":"vpc-91237329"}})")));
  EXPECT_FALSE(is_public_policy(
      policy(R"({"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"})")));
  EXPECT_FALSE(is_public_policy(policy(
      R"({"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"})")));
}

TEST(BucketPlace, follows_the_endpoint) {
  EXPECT_EQ(place_bucket("us-east-1", std::nullopt)->region, "us-east-1");
  EXPECT_EQ(place_bucket("us-east-1", "EU")->region, "eu-west-1");
  EXPECT_EQ(place_bucket("us-east-1", "EU")->constraint, "EU");
  EXPECT_EQ(place_bucket("eu-west-1", "eu-west-1")->region, "eu-west-1");
  EXPECT_EQ(place_bucket("us-east-1", "us-east-1").error().code, "InvalidLocationConstraint");
  EXPECT_EQ(place_bucket("us-east-1", "the-moon").error().code, "InvalidLocationConstraint");
  EXPECT_EQ(place_bucket("eu-west-1", std::nullopt).error().message,
            "The unspecified location constraint is incompatible for the region specific endpoint "
            "this request was sent to.");
  EXPECT_EQ(place_bucket("eu-west-1", "eu-west-2").error().code,
            "IllegalLocationConstraintException");
}

TEST(BucketPolicy, evaluates_canonical_user_ids_as_their_accounts) {
  const Owners owners;
  const std::string id = owners.of_account("111122223333").canonical_id;
  const std::string policy =
      R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666","CanonicalUser":")" +
      id + R"("},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]})";
  const std::string evaluated = with_account_principals(policy, owners);
  EXPECT_NE(evaluated.find(R"("AWS":["444455556666","111122223333"])"), std::string::npos)
      << evaluated;
  EXPECT_EQ(with_account_principals("{}", owners), "{}");
}

}  // namespace
}  // namespace virga::s3
