#include "platform/policy.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace virga::platform {
namespace {

std::string message_of(std::string_view json, PolicyKind kind = PolicyKind::identity) {
  const auto got = PolicyDocument::parse(json, kind);
  return got ? "valid" : got.error().code + ": " + got.error().message;
}

std::string statement(std::string_view body) {
  return R"({"Version":"2012-10-17","Statement":{)" + std::string(body) + "}}";
}

struct Refusal {
  const char* body;
  const char* message;
};

TEST(PolicyValidation, refuses_what_iam_refuses_in_its_words) {
  const Refusal cases[] = {
      {R"("Effect":"Allow","Action":"invalid","Resource":"*")",
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {R"("Effect":"Allow","NotAction":"","Resource":"*")",
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {R"("Effect":"Allow","Action":"a a:ListBucket","Resource":"*")", "Vendor a a is not valid"},
      {R"("Effect":"Allow","Action":"s3:List:Bucket","Resource":"*")",
       "Actions/Condition can contain only one colon."},
      {R"("Effect":"Allow","Action":"s3:ListBucket","Resource":"no arn")",
       "Resource no arn must be in ARN format or \"*\"."},
      {R"("Effect":"Allow","Action":"s:3:ListBucket","Resource":"nonsense")",
       "Resource nonsense must be in ARN format or \"*\"."},
      {R"("Effect":"Allow","Action":"s3:ListBucket","Resource":"")",
       "Resource  must be in ARN format or \"*\"."},
      {R"("Effect":"Allow","NotAction":"s3s:L","Resource":"a:b:c")",
       "Partition \"b\" is not valid for resource \"arn:b:c:*:*:*\"."},
      {R"("Effect":"Allow","Action":"s3:L","Resource":["arn:error:s3:::e","arn:error:s3::e"])",
       "Partition \"error\" is not valid for resource \"arn:error:s3:::e\"."},
      {R"("Effect":"Allow","Action":"s3:L")", "Policy statement must contain resources."},
      {R"("Effect":"Allow","Action":"s3:L","Resource":[])",
       "Policy statement must contain resources."},
      {R"("Effect":"Allow","Resource":"*")", "Policy statement must contain actions."},
      {R"("Effect":"Allow","Action":"invalid")",
       "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
      {R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws:iam:::example")",
       "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, "
       "group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, "
       "oidc-provider/, report/, access-report/."},
      {R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws:s3::example_bucket")",
       "The policy failed legacy parsing"},
      {R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws::thing")",
       "The policy failed legacy parsing"},
      {R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws")",
       "Resource vendor must be fully qualified and cannot contain regexes."},
      {R"("Effect":"denY","Action":"s3:L","Resource":"*")", "The policy failed legacy parsing"},
      {R"("Effect":"Allow","Condition":{"DateGreaterThan":{"a":"yesterday"}})",
       "The policy failed legacy parsing"},
      {R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws:iam:us-east-1::x")",
       "IAM resource arn:aws:iam:us-east-1::x cannot contain region information."},
      {R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws:s3:us-east-1::x")",
       "Resource arn:aws:s3:us-east-1::x can not contain region information."},
      {R"("Effect":"Allow","Principal":"*","Action":"s3:L","Resource":"*")",
       "Policy document should not specify a principal."},
      {R"("Sid":"a b","Effect":"Allow","Action":"s3:L","Resource":"*")",
       "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
       "expression [0-9A-Za-z]*"},
  };
  for (const Refusal& c : cases) {
    EXPECT_EQ(message_of(statement(c.body)),
              "MalformedPolicyDocumentException: " + std::string(c.message))
        << c.body;
  }
}

TEST(PolicyValidation, names_syntax_errors) {
  const char* bodies[] = {
      R"("Effect":"invalid","Action":"s3:L","Resource":"*")",
      R"("Action":"s3:L","Resource":"*")",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Extra":"x")",
      R"("Effect":"Allow","Action":"s3:L","Resource":{"a":"b"})",
      R"("Effect":"Deny","Action":"s3:L","Resource":["x",{}])",
      R"("Effect":"Allow","NotAction":"s3:L","Resource":"*","NotResource":[])",
      R"("Effect":"Allow","Action":[[]],"Resource":"*")",
      R"("Effect":"Allow","Action":"s3:L","NotAction":"s3:M","Resource":"*")",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":[])",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"a":"b"})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"x":{"a":"1"}})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"DateGreaterThan":{"a":{}}})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"ForAnyValue::StringEqualsIfExists":{"a":"x"}})",
      R"("Sid":{},"Effect":"Allow","Action":"s3:L","Resource":"*")",
      R"("Effect":"Allow","Action":"s3:a\u0001b","Resource":"*")",
  };
  for (const char* body : bodies) {
    EXPECT_EQ(message_of(statement(body)),
              "MalformedPolicyDocumentException: Syntax errors in policy.")
        << body;
  }
  for (const char* text :
       {"This is not a json document", "[]", R"({"Version":"2012-10-17"})",
        R"({"Version":"2012-10-17","Statement":[]})",
        R"({"Version":"2013-10-17","Statement":{"Effect":"Allow","Action":"s3:L","Resource":"*"}})",
        R"({"Version":"2012-10-17","Statement":["text"]})"}) {
    EXPECT_EQ(message_of(text), "MalformedPolicyDocumentException: Syntax errors in policy.")
        << text;
  }
}

TEST(PolicyValidation, wants_the_current_version_and_unique_sids) {
  EXPECT_EQ(
      message_of(R"({"Statement":{"Effect":"denY","Action":"s3:L","Resource":"*"}})"),
      "MalformedPolicyDocumentException: Policy document must be version 2012-10-17 or greater.");
  EXPECT_EQ(
      message_of(
          R"({"Version":"2012-10-17","Statement":[{"Sid":"s","Effect":"Allow","Action":"s3:L","Resource":"*"},{"Sid":"s","Effect":"Allow"}]})"),
      "MalformedPolicyDocumentException: Statement IDs (SID) in a single policy must be unique.");
}

TEST(PolicyValidation, accepts_what_iam_accepts) {
  const char* bodies[] = {
      R"("Effect":"Allow","Action":"iam: any text goes ","Resource":"arn:aws:s3:::b")",
      R"("Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b")",
      R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws:iam:::user/example")",
      R"("Effect":"Allow","Action":"s3:L","Resource":"arn:aws:thing")",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"a":{}})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"DateGreaterThan":{"a":[]}})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"ForAnyValue:StringEqualsIfExists":{"a":"x"}})",
      R"("Effect":"Allow","Action":"s3:L","Resource":"*","Condition":{"DateLessThanEquals":{"a":"2016-12-13T21:20:37.593194+00:00"}})",
      R"("Effect":"Deny","Action":"s3:*","NotResource":["arn:aws:s3:::HR/P","arn:aws:s3:::HR/P/*"])",
      R"("Effect":"Allow","Action":"s3-s:L","Resource":"arn:aws:cloudwatch:us-east-1::x")",
      R"("Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::*:user/${aws:username}")",
  };
  for (const char* body : bodies) EXPECT_EQ(message_of(statement(body)), "valid") << body;
}

TEST(PolicyValidation, trust_policies_have_rules_of_their_own) {
  const auto trust = [](std::string_view body) {
    return message_of(statement(body), PolicyKind::trust);
  };
  EXPECT_EQ(
      trust(
          R"("Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole")"),
      "valid");
  EXPECT_EQ(
      trust(
          R"("Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:root","*"]},"Action":["sts:AssumeRole","sts:TagSession"])"),
      "valid");
  EXPECT_EQ(trust(R"("Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*")"),
            "MalformedPolicyDocumentException: Has prohibited field Resource");
  EXPECT_EQ(trust(R"("Effect":"Allow","Action":"sts:AssumeRole")"),
            "MalformedPolicyDocumentException: Missing required field Principal");
  EXPECT_EQ(trust(R"("Effect":"Allow","Principal":{"AWS":"bob"},"Action":"sts:AssumeRole")"),
            "MalformedPolicyDocumentException: Invalid principal in policy: \"AWS\":\"bob\"");
  EXPECT_EQ(trust(R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject")"),
            "MalformedPolicyDocumentException: AssumeRole policy may only specify STS AssumeRole "
            "actions.");
  EXPECT_EQ(message_of("nonsense", PolicyKind::trust),
            "MalformedPolicyDocumentException: This policy contains invalid Json");
}

// Evaluates one identity statement against an action, a resource and a context: "allow", "deny" or
// "none".
std::string says(std::string_view body, std::string_view action, std::string_view resource,
                 const ConditionContext& context = {}) {
  const auto policy = PolicyDocument::parse(statement(body), PolicyKind::identity);
  if (!policy) return policy.error().message;
  const PolicyVerdict v = (*policy)->evaluate(
      {.action = action, .resource = resource, .context = context, .caller = {}});
  return v.denied ? "deny" : v.allowed() ? "allow" : "none";
}

TEST(PolicyEvaluation, actions_match_without_case_and_with_wildcards) {
  EXPECT_EQ(says(R"("Effect":"Allow","Action":"DynamoDB:putitem","Resource":"*")",
                 "dynamodb:PutItem", "*"),
            "allow");
  EXPECT_EQ(says(R"("Effect":"Allow","Action":"dynamodb:Batch?etItem","Resource":"*")",
                 "dynamodb:BatchGetItem", "*"),
            "allow");
  EXPECT_EQ(
      says(R"("Effect":"Allow","Action":"dynamodb:Get*","Resource":"*")", "dynamodb:PutItem", "*"),
      "none");
  EXPECT_EQ(says(R"("Effect":"Allow","NotAction":"iam:*","Resource":"*")", "dynamodb:PutItem", "*"),
            "allow");
  EXPECT_EQ(says(R"("Effect":"Allow","NotAction":"iam:*","Resource":"*")", "iam:GetUser", "*"),
            "none");
}

TEST(PolicyEvaluation, resources_match_segment_by_segment) {
  const char* arn = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";
  EXPECT_EQ(says(R"("Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/*")",
                 "dynamodb:GetItem", arn),
            "allow");
  EXPECT_EQ(says(R"("Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:table/orders")",
                 "dynamodb:GetItem", arn),
            "allow");
  EXPECT_EQ(
      says(
          R"("Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:us*:111122223333:table/ord?rs")",
          "dynamodb:GetItem", arn),
      "allow");
  EXPECT_EQ(
      says(
          R"("Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:444455556666:table/orders")",
          "dynamodb:GetItem", arn),
      "none");
  EXPECT_EQ(
      says(R"("Effect":"Deny","Action":"*","NotResource":"arn:aws:dynamodb:*:*:table/orders")",
           "dynamodb:GetItem", arn),
      "none");
  EXPECT_EQ(says(R"("Effect":"Deny","Action":"*","NotResource":"arn:aws:dynamodb:*:*:table/other")",
                 "dynamodb:GetItem", arn),
            "deny");
}

TEST(PolicyEvaluation, variables_take_values_from_the_request) {
  ConditionContext bob;
  bob.set("aws:username", "bob");
  const char* own =
      R"("Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::home/${aws:username}/*")";
  EXPECT_EQ(says(own, "s3:GetObject", "arn:aws:s3:::home/bob/x", bob), "allow");
  EXPECT_EQ(says(own, "s3:GetObject", "arn:aws:s3:::home/eve/x", bob), "none");
  EXPECT_EQ(says(own, "s3:GetObject", "arn:aws:s3:::home//x"),
            "none");  // no such key: matches nothing
  ConditionContext star;
  star.set("aws:username", "*");
  EXPECT_EQ(says(own, "s3:GetObject", "arn:aws:s3:::home/eve/x", star),
            "none");  // a value is no wildcard
  const char* team =
      R"("Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team, 'company-wide'}")";
  EXPECT_EQ(says(team, "s3:ListBucket", "arn:aws:s3:::company-wide"), "allow");
  const char* literal = R"("Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${*}")";
  EXPECT_EQ(says(literal, "s3:ListBucket", "arn:aws:s3:::x"), "none");
  EXPECT_EQ(says(literal, "s3:ListBucket", "arn:aws:s3:::*"), "allow");
}

struct ConditionCase {
  const char* condition;  // of an Allow statement
  const char* want;
};

TEST(PolicyEvaluation, every_condition_operator) {
  ConditionContext c;
  c.set("k", "Value-1");
  c.set("n", "10");
  c.set("d", "2026-03-01T12:00:00Z");
  c.set("b", "true");
  c.set("bin", "AQID");
  c.set("ip", "203.0.113.77");
  c.set("ip6", "2001:db8::7");
  c.set("arn", "arn:aws:sns:eu-west-1:111122223333:topic-a");
  c.set_all("tags", {"Env", "Cost"});
  const ConditionCase cases[] = {
      {R"({"StringEquals":{"K":"Value-1"}})", "allow"},
      {R"({"StringEquals":{"k":["x","Value-1"]}})", "allow"},
      {R"({"StringEquals":{"k":"value-1"}})", "none"},
      {R"({"StringEquals":{"k":"Value*"}})", "none"},
      {R"({"StringNotEquals":{"k":["x","Value-1"]}})", "none"},
      {R"({"StringNotEquals":{"missing":"x"}})", "allow"},
      {R"({"StringEqualsIgnoreCase":{"k":"vALUE-1"}})", "allow"},
      {R"({"StringNotEqualsIgnoreCase":{"k":"vALUE-1"}})", "none"},
      {R"({"StringLike":{"k":"Val*-?"}})", "allow"},
      {R"({"StringNotLike":{"k":"Val*"}})", "none"},
      {R"({"StringEquals":{"missing":"x"}})", "none"},
      {R"({"StringEqualsIfExists":{"missing":"x"}})", "allow"},
      {R"({"StringEqualsIfExists":{"k":"x"}})", "none"},
      {R"({"NumericEquals":{"n":"10.0"}})", "allow"},
      {R"({"NumericNotEquals":{"n":10}})", "none"},
      {R"({"NumericLessThan":{"n":"10"}})", "none"},
      {R"({"NumericLessThanEquals":{"n":"10"}})", "allow"},
      {R"({"NumericGreaterThan":{"n":"9.5"}})", "allow"},
      {R"({"NumericGreaterThanEquals":{"n":"11"}})", "none"},
      {R"({"NumericEquals":{"k":"10"}})", "none"},
      {R"({"DateEquals":{"d":"2026-03-01T13:00:00+01:00"}})", "allow"},
      {R"({"DateNotEquals":{"d":"2026-03-01"}})", "allow"},
      {R"({"DateLessThan":{"d":"2026-03-02"}})", "allow"},
      {R"({"DateGreaterThan":{"d":"1772366399"}})", "allow"},
      {R"({"DateGreaterThanEquals":{"d":"2027-01-01T00:00Z"}})", "none"},
      {R"({"Bool":{"b":"TRUE"}})", "allow"},
      {R"({"Bool":{"b":false}})", "none"},
      {R"({"BoolIfExists":{"missing":"false"}})", "allow"},
      {R"({"BinaryEquals":{"bin":"AQID"}})", "allow"},
      {R"({"BinaryEquals":{"bin":"AQIE"}})", "none"},
      {R"({"IpAddress":{"ip":"203.0.113.0/24"}})", "allow"},
      {R"({"IpAddress":{"ip":["203.0.113.64/28","198.51.100.1"]}})", "allow"},
      {R"({"IpAddress":{"ip":"203.0.113.0/28"}})", "none"},
      {R"({"NotIpAddress":{"ip":"203.0.113.0/24"}})", "none"},
      {R"({"IpAddress":{"ip6":"2001:db8::/33"}})", "allow"},
      {R"({"IpAddress":{"ip6":"203.0.113.0/24"}})", "none"},
      {R"({"IpAddress":{"ip":"203.0.113.0/99"}})", "none"},
      {R"({"ArnLike":{"arn":"arn:aws:sns:*:111122223333:topic-?"}})", "allow"},
      {R"({"ArnEquals":{"arn":"arn:aws:sns:*:*:topic-b"}})", "none"},
      {R"({"ArnNotLike":{"arn":"arn:aws:sns:*:*:topic-b"}})", "allow"},
      {R"({"Null":{"missing":"true"}})", "allow"},
      {R"({"Null":{"k":"true"}})", "none"},
      {R"({"Null":{"k":false}})", "allow"},
      {R"({"ForAllValues:StringEquals":{"tags":["Env","Cost","Team"]}})", "allow"},
      {R"({"ForAllValues:StringEquals":{"tags":["Env"]}})", "none"},
      {R"({"ForAllValues:StringEquals":{"missing":["Env"]}})", "allow"},
      {R"({"ForAnyValue:StringEquals":{"tags":["Cost"]}})", "allow"},
      {R"({"ForAnyValue:StringEquals":{"missing":["Cost"]}})", "none"},
      {R"({"ForAnyValue:StringNotEquals":{"tags":["Cost"]}})", "allow"},
      {R"({"ForAllValues:StringNotLike":{"tags":["E*"]}})", "none"},
      {R"({"StringEquals":{"k":"Value-1"},"NumericEquals":{"n":"11"}})", "none"},
  };
  for (const ConditionCase& t : cases) {
    const std::string body =
        R"("Effect":"Allow","Action":"*","Resource":"*","Condition":)" + std::string(t.condition);
    EXPECT_EQ(says(body, "s3:GetObject", "*", c), t.want) << t.condition;
  }
}

TEST(PolicyEvaluation, an_explicit_deny_wins_over_an_allow_in_the_same_document) {
  const auto policy = PolicyDocument::parse(
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]})",
      PolicyKind::identity);
  ASSERT_TRUE(policy);
  const ConditionContext none;
  EXPECT_TRUE(
      (*policy)
          ->evaluate({.action = "s3:DeleteObject", .resource = "*", .context = none, .caller = {}})
          .denied);
  EXPECT_FALSE(
      (*policy)
          ->evaluate({.action = "s3:GetObject", .resource = "*", .context = none, .caller = {}})
          .denied);
}

TEST(PolicyEvaluation, principals_grant_to_an_account_a_name_a_session_or_a_service) {
  const auto grant = [](std::string_view principal, const PolicyCaller& caller) {
    const auto policy =
        PolicyDocument::parse(statement(R"("Effect":"Allow",)" + std::string(principal) +
                                        R"(,"Action":"sts:AssumeRole")"),
                              PolicyKind::trust);
    EXPECT_TRUE(policy) << principal;
    const ConditionContext none;
    return (*policy)
        ->evaluate({.action = "sts:AssumeRole",
                    .resource = "arn:aws:iam::1:role/r",
                    .context = none,
                    .caller = caller})
        .grant;
  };
  const PolicyCaller session{.account = "111122223333",
                             .arn = "arn:aws:sts::111122223333:assumed-role/app/s1",
                             .principal_arn = "arn:aws:iam::111122223333:role/path/app"};
  EXPECT_EQ(grant(R"("Principal":{"AWS":"111122223333"})", session), Grant::account);
  EXPECT_EQ(grant(R"("Principal":{"AWS":"arn:aws:iam::111122223333:root"})", session),
            Grant::account);
  EXPECT_EQ(grant(R"("Principal":{"AWS":"arn:aws:iam::111122223333:role/path/app"})", session),
            Grant::direct);
  EXPECT_EQ(
      grant(R"("Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s1"})", session),
      Grant::session);
  EXPECT_EQ(grant(R"("Principal":{"AWS":"444455556666"})", session), Grant::none);
  EXPECT_EQ(grant(R"("Principal":"*")", session), Grant::direct);
  EXPECT_EQ(grant(R"("Principal":{"Service":"lambda.amazonaws.com"})", session), Grant::none);
  EXPECT_EQ(grant(R"("Principal":{"Service":"lambda.amazonaws.com"})",
                  {.service = "lambda.amazonaws.com"}),
            Grant::direct);
  EXPECT_EQ(grant(R"("NotPrincipal":{"AWS":"111122223333"})", session), Grant::none);
  EXPECT_EQ(grant(R"("Principal":{"AWS":"*"})", {.anonymous = true}), Grant::direct);
}

}  // namespace
}  // namespace virga::platform
