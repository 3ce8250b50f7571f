#include "platform/authorizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace virga::platform {
namespace {

constexpr const char* kAccount = "111122223333";
constexpr const char* kOther = "444455556666";
constexpr const char* kTable = "arn:aws:dynamodb:us-east-1:111122223333:table/orders";

PolicyRef policy(std::string_view effect, std::string_view action,
                 PolicyKind kind = PolicyKind::identity, std::string_view principal = "") {
  std::string text = R"({"Version":"2012-10-17","Statement":[{"Effect":")" + std::string(effect) +
                     R"(","Action":")" + std::string(action) + '"';
  if (kind != PolicyKind::trust) text += R"(,"Resource":"*")";
  if (!principal.empty()) text += R"(,"Principal":)" + std::string(principal);
  text += "}]}";
  auto parsed = PolicyDocument::parse(text, kind);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

Principal user(std::string account = kAccount) {
  return {.kind = Principal::Kind::user,
          .account = account,
          .arn = "arn:aws:iam::" + account + ":user/bob",
          .user_id = "AIDAX",
          .access_key_id = "AKIAX",
          .service = ""};
}

struct Call {
  Principal principal = user();
  PrincipalPolicies policies;
  std::string action = "dynamodb:PutItem";
  std::vector<std::string> resources{kTable};
  std::string resource_account = kAccount;
  PolicyRef resource_policy;
  bool decides = false;
  DenialStyle style = DenialStyle::json;

  std::string run() const {
    const ConditionContext context;
    const auto got = authorize({.principal = principal,
                                .policies = policies,
                                .action = action,
                                .resources = resources,
                                .context = context,
                                .resource_account = resource_account,
                                .resource_policy = resource_policy.get(),
                                .resource_policy_decides = decides,
                                .style = style});
    return got ? "ok" : got.error().message;
  }
};

const std::string kPrefix = std::string(
                                "User: arn:aws:iam::111122223333:user/bob is not authorized to "
                                "perform: dynamodb:PutItem on resource: ") +
                            kTable;

TEST(Authorize, names_what_is_missing) {
  Call c;
  EXPECT_EQ(c.run(),
            kPrefix + " because no identity-based policy allows the dynamodb:PutItem action");
  c.policies.identity = {policy("Allow", "dynamodb:*")};
  EXPECT_EQ(c.run(), "ok");
  c.policies.identity.push_back(policy("Deny", "dynamodb:Put*"));
  EXPECT_EQ(c.run(), kPrefix + " with an explicit deny in an identity-based policy");
}

TEST(Authorize, every_resource_must_be_allowed) {
  Call c;
  auto only = PolicyDocument::parse(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:dynamodb:*:*:table/orders"}})",
      PolicyKind::identity);
  c.policies.identity = {*only};
  EXPECT_EQ(c.run(), "ok");
  c.resources.push_back("arn:aws:dynamodb:us-east-1:111122223333:table/other");
  EXPECT_THAT(c.run(), testing::HasSubstr("table/other because no identity-based policy"));
}

TEST(Authorize, sessions_and_boundaries_only_limit) {
  Call c;
  c.policies.identity = {policy("Allow", "*")};
  c.policies.limited_by_session = true;
  EXPECT_EQ(c.run(), kPrefix + " because no session policy allows the dynamodb:PutItem action");
  c.policies.session = {policy("Allow", "dynamodb:*", PolicyKind::session)};
  EXPECT_EQ(c.run(), "ok");
  c.policies.session.push_back(policy("Deny", "dynamodb:PutItem", PolicyKind::session));
  EXPECT_EQ(c.run(), kPrefix + " with an explicit deny in a session policy");
  c.policies.limited_by_session = false;
  c.policies.boundary = policy("Allow", "s3:*");
  EXPECT_EQ(c.run(),
            kPrefix + " because no permissions boundary allows the dynamodb:PutItem action");
  c.policies.boundary = policy("Allow", "dynamodb:*");
  EXPECT_EQ(c.run(), "ok");
}

TEST(Authorize, within_an_account_a_resource_policy_suffices_when_it_names_the_caller) {
  Call c;
  c.resource_policy = policy("Allow", "dynamodb:*", PolicyKind::resource,
                             R"({"AWS":"arn:aws:iam::111122223333:user/bob"})");
  EXPECT_EQ(c.run(), "ok");
  c.resource_policy =
      policy("Allow", "dynamodb:*", PolicyKind::resource, R"({"AWS":"111122223333"})");
  EXPECT_EQ(c.run(),
            kPrefix + " because no identity-based policy allows the dynamodb:PutItem action");
  c.resource_policy = policy("Deny", "dynamodb:*", PolicyKind::resource, R"("*")");
  EXPECT_EQ(c.run(), kPrefix + " with an explicit deny in a resource-based policy");
}

TEST(Authorize, between_accounts_both_sides_must_allow) {
  Call c;
  c.resource_account = kOther;
  c.policies.identity = {policy("Allow", "*")};
  EXPECT_EQ(c.run(),
            kPrefix + " because no resource-based policy allows the dynamodb:PutItem action");
  c.resource_policy = policy("Allow", "*", PolicyKind::resource, R"({"AWS":"111122223333"})");
  EXPECT_EQ(c.run(), "ok");
  c.policies.identity.clear();
  EXPECT_EQ(c.run(),
            kPrefix + " because no identity-based policy allows the dynamodb:PutItem action");
}

TEST(Authorize, the_root_passes_in_its_account_only) {
  Call c;
  c.principal = {.kind = Principal::Kind::root,
                 .account = kAccount,
                 .arn = "arn:aws:iam::111122223333:root",
                 .user_id = kAccount,
                 .access_key_id = "",
                 .service = ""};
  EXPECT_EQ(c.run(), "ok");
  c.resource_account = kOther;
  EXPECT_THAT(c.run(), testing::HasSubstr("because no resource-based policy"));
}

TEST(Authorize, a_trust_policy_decides_and_tells_no_reason) {
  Call c;
  c.action = "sts:AssumeRole";
  c.resources = {"arn:aws:iam::111122223333:role/app"};
  c.decides = true;
  c.style = DenialStyle::query;
  c.policies.identity = {policy("Allow", "*")};
  const std::string denied =
      "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on "
      "resource: arn:aws:iam::111122223333:role/app";
  c.resource_policy =
      policy("Allow", "sts:AssumeRole", PolicyKind::trust, R"({"Service":"lambda.amazonaws.com"})");
  EXPECT_EQ(c.run(), denied);
  c.resource_policy =
      policy("Allow", "sts:AssumeRole", PolicyKind::trust, R"({"AWS":"111122223333"})");
  EXPECT_EQ(c.run(), "ok");
  c.policies.identity.clear();
  EXPECT_EQ(c.run(), denied);  // the account only delegates
  c.resource_policy = policy("Allow", "sts:AssumeRole", PolicyKind::trust,
                             R"({"AWS":"arn:aws:iam::111122223333:user/bob"})");
  EXPECT_EQ(c.run(), "ok");
}

TEST(Authorize, services_and_anonymous_callers_pass_by_resource_policies_only) {
  Call c;
  c.principal = {.kind = Principal::Kind::service,
                 .account = "",
                 .arn = "",
                 .user_id = "",
                 .access_key_id = "",
                 .service = "apigateway.amazonaws.com"};
  c.action = "lambda:InvokeFunction";
  c.resources = {"arn:aws:lambda:us-east-1:111122223333:function:f"};
  EXPECT_EQ(c.run(),
            "User: apigateway.amazonaws.com is not authorized to perform: lambda:InvokeFunction on "
            "resource: "
            "arn:aws:lambda:us-east-1:111122223333:function:f because no resource-based policy "
            "allows the lambda:InvokeFunction action");
  c.resource_policy = policy("Allow", "lambda:InvokeFunction", PolicyKind::resource,
                             R"({"Service":"apigateway.amazonaws.com"})");
  EXPECT_EQ(c.run(), "ok");
  c.principal = {};
  EXPECT_THAT(c.run(), testing::StartsWith("User: anonymous is not authorized"));
  c.resource_policy = policy("Allow", "lambda:*", PolicyKind::resource, R"("*")");
  EXPECT_EQ(c.run(), "ok");
}

TEST(Authorize, the_answer_has_the_protocols_form) {
  Call c;
  const ConditionContext context;
  const auto error = [&](DenialStyle style) {
    return authorize({.principal = c.principal,
                      .policies = c.policies,
                      .action = c.action,
                      .resources = c.resources,
                      .context = context,
                      .resource_account = kAccount,
                      .style = style})
        .error();
  };
  EXPECT_EQ(error(DenialStyle::json).code, "AccessDeniedException");
  EXPECT_EQ(error(DenialStyle::json).http_status, 400);
  EXPECT_EQ(error(DenialStyle::rest_json).http_status, 403);
  EXPECT_EQ(error(DenialStyle::query).code, "AccessDenied");
  EXPECT_EQ(denial_style("dynamodb"), DenialStyle::json);
  EXPECT_EQ(denial_style("lambda"), DenialStyle::rest_json);
  EXPECT_EQ(denial_style("iam"), DenialStyle::query);
}

TEST(GlobalKeys, describe_the_caller_and_the_time) {
  RequestContext request;
  request.principal = user();
  request.region = "eu-west-1";
  request.source_ip = "127.0.0.1";
  PrincipalPolicies policies;
  policies.principal_arn = "arn:aws:iam::111122223333:user/bob";
  policies.user_name = "bob";
  policies.tags = {{"Team", "blue"}};
  ConditionContext c;
  add_global_keys(c, request, policies, kAccount, {Timestamp::from_seconds(1772366400)},
                  {.secure = true});
  EXPECT_EQ(c.single("aws:username"), "bob");
  EXPECT_EQ(c.single("aws:principaltag/team"), "blue");
  EXPECT_EQ(c.single("aws:currenttime"), "2026-03-01T12:00:00Z");
  EXPECT_EQ(c.single("aws:epochtime"), "1772366400");
  EXPECT_EQ(c.single("aws:securetransport"), "true");
  EXPECT_EQ(c.single("aws:requestedregion"), "eu-west-1");
  EXPECT_EQ(c.single("aws:sourceip"), "127.0.0.1");
  EXPECT_EQ(c.find("aws:multifactorauthpresent"), nullptr);
}

}  // namespace
}  // namespace virga::platform
