#include "services/iam/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/iam/attach_user_policy.h"
#include "api/iam/create_access_key.h"
#include "api/iam/create_role.h"
#include "api/iam/create_user.h"
#include "api/iam/delete_role.h"
#include "api/iam/detach_user_policy.h"
#include "api/iam/shapes.h"
#include "api/iam/update_access_key.h"
#include "base/json.h"
#include "platform/authorizer.h"
#include "services/iam/accounts_config.h"
#include "services/iam/session_token.h"
#include "services/iam/testing.h"

namespace virga::iam {
namespace {

constexpr const char* kAccount = "111122223333";
constexpr const char* kReadOnly = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess";

struct IdentityTest : testing::Test {
  IamFixture iam;

  std::optional<platform::Credential> find(std::string id, std::string token = "") {
    auto got = iam.shard.run(iam.identity->find_access_key(std::move(id), std::move(token)));
    EXPECT_TRUE(got);
    return std::move(*got);
  }
  platform::Credential user_with_key(std::string name) {
    api::CreateUserInput user;
    user.user_name = name;
    EXPECT_TRUE(iam.call(&Service::create_user, std::move(user)));
    api::CreateAccessKeyInput in;
    in.user_name = std::move(name);
    auto key = iam.call(&Service::create_access_key, std::move(in));
    auto found = find(key->access_key.access_key_id);
    EXPECT_TRUE(found);
    EXPECT_EQ(found->secret, key->access_key.secret_access_key);
    return std::move(*found);
  }
  bool may(const platform::Credential& c, std::string_view action) {
    const auto policies = iam.shard.run(iam.identity->policies_for(c.principal, c.session));
    const platform::ConditionContext context;
    const std::vector<std::string> resources{"arn:aws:dynamodb:us-east-1:111122223333:table/t"};
    return platform::authorize({.principal = c.principal,
                                .policies = *policies,
                                .action = action,
                                .resources = resources,
                                .context = context,
                                .resource_account = kAccount})
        .has_value();
  }
  void attach(std::string user, std::string arn) {
    api::AttachUserPolicyInput in;
    in.user_name = std::move(user);
    in.policy_arn = std::move(arn);
    EXPECT_TRUE(iam.call(&Service::attach_user_policy, std::move(in)));
  }
  std::string make_role(std::string name, std::string service = "lambda.amazonaws.com") {
    api::CreateRoleInput in;
    in.role_name = std::move(name);
    in.assume_role_policy_document =
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":")" +
        service + R"("},"Action":"sts:AssumeRole"}]})";
    return iam.call(&Service::create_role, std::move(in))->role.arn;
  }
};

TEST_F(IdentityTest, a_key_leads_to_its_user) {
  const auto key = user_with_key("bob");
  EXPECT_EQ(key.principal.kind, Principal::Kind::user);
  EXPECT_EQ(key.principal.account, kAccount);
  EXPECT_EQ(key.principal.arn, "arn:aws:iam::111122223333:user/bob");
  EXPECT_FALSE(find("AKIAIOSFODNN7EXAMPLE"));
}

TEST_F(IdentityTest, changes_are_effective_at_once) {
  const auto key = user_with_key("bob");
  EXPECT_FALSE(may(key, "dynamodb:GetItem"));
  attach("bob", kReadOnly);
  EXPECT_TRUE(may(key, "dynamodb:GetItem"));
  EXPECT_FALSE(may(key, "dynamodb:PutItem"));
  api::DetachUserPolicyInput in;
  in.user_name = "bob";
  in.policy_arn = kReadOnly;
  ASSERT_TRUE(iam.call(&Service::detach_user_policy, std::move(in)));
  EXPECT_FALSE(may(key, "dynamodb:GetItem"));
  api::UpdateAccessKeyInput off;
  off.user_name = "bob";
  off.access_key_id = key.access_key_id;
  off.status = "Inactive";
  ASSERT_TRUE(iam.call(&Service::update_access_key, std::move(off)));
  EXPECT_FALSE(find(key.access_key_id)->active);
}

TEST_F(IdentityTest, a_reset_forgets_cached_keys) {
  const auto key = user_with_key("bob");
  ASSERT_TRUE(find(key.access_key_id));
  const auto lsn = iam.shard.run(iam.shard->reset());
  ASSERT_TRUE(lsn);
  ASSERT_TRUE(iam.shard.run(iam.shard->wait_durable(*lsn)));
  EXPECT_FALSE(find(key.access_key_id));
}

TEST_F(IdentityTest, session_tokens_open_after_a_restart_and_only_with_their_key) {
  const std::string role = make_role("app");
  platform::SessionRequest request{
      .principal = platform::assumed_role_principal(role, "AROAX", "s1"),
      .role_arn = role,
      .tags = {{"team", "blue"}}};
  auto made = iam.shard.run(iam.identity->issue_session(request));
  ASSERT_TRUE(made);
  EXPECT_THAT(made->access_key_id, testing::StartsWith("ASIA"));
  iam.restart();
  const auto found = find(made->access_key_id, made->session_token);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->secret, made->secret);
  EXPECT_EQ(found->principal.arn, "arn:aws:sts::111122223333:assumed-role/app/s1");
  EXPECT_EQ(found->session->role_arn, role);
  EXPECT_EQ(found->session->tags[0].second, "blue");
  EXPECT_EQ(found->expires_at->at.seconds(),
            iam.shard.fake_env().env().wall.now().at.seconds() + 3600);
  EXPECT_FALSE(find(made->access_key_id, ""));
  std::string forged = made->session_token;
  forged[10] = forged[10] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(find(made->access_key_id, forged));
  EXPECT_FALSE(find("ASIAQNZGKIQY56JQ7WML", made->session_token));
}

TEST_F(IdentityTest, a_new_role_of_an_old_name_gives_old_sessions_nothing) {
  const std::string role = make_role("app");
  const auto info = iam.shard.run(iam.identity->find_role(role));
  ASSERT_TRUE(info && *info);
  const Principal session = platform::assumed_role_principal(role, (*info)->role_id, "s");
  EXPECT_EQ(iam.shard.run(iam.identity->policies_for(session, nullptr))->principal_arn, role);
  api::DeleteRoleInput in;
  in.role_name = "app";
  ASSERT_TRUE(iam.call(&Service::delete_role, std::move(in)));
  make_role("app");
  EXPECT_TRUE(iam.shard.run(iam.identity->policies_for(session, nullptr))->identity.empty());
  EXPECT_NE(iam.shard.run(iam.identity->policies_for(session, nullptr))->principal_arn, role);
}

TEST_F(IdentityTest, session_policies_limit_what_the_role_may) {
  const auto key = user_with_key("bob");
  attach("bob", "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess");
  platform::SessionRequest request{
      .principal = key.principal, .role_arn = "", .limited = true, .policy_arns = {kReadOnly}};
  const auto session = iam.shard.run(iam.identity->issue_session(request));
  ASSERT_TRUE(session);
  EXPECT_TRUE(may(key, "dynamodb:PutItem"));
  EXPECT_FALSE(may(*session, "dynamodb:PutItem"));
  EXPECT_TRUE(may(*session, "dynamodb:GetItem"));
  // Known by the key alone once it was seen; a temporary key that never was may do nothing.
  platform::Credential by_key = *session;
  by_key.session = nullptr;
  EXPECT_FALSE(may(by_key, "dynamodb:GetItem"));
  ASSERT_TRUE(find(session->access_key_id, session->session_token));
  EXPECT_TRUE(may(by_key, "dynamodb:GetItem"));
}

TEST_F(IdentityTest, a_trust_policy_says_which_service_may_assume) {
  const std::string role = make_role("app");
  EXPECT_TRUE(*iam.shard.run(iam.identity->service_may_assume(role, "lambda.amazonaws.com")));
  EXPECT_FALSE(*iam.shard.run(iam.identity->service_may_assume(role, "apigateway.amazonaws.com")));
  EXPECT_FALSE(*iam.shard.run(iam.identity->service_may_assume(
      "arn:aws:iam::111122223333:role/none", "lambda.amazonaws.com")));
}

TEST_F(IdentityTest, keys_of_the_configuration_are_there_at_every_start) {
  const std::vector<BootstrapKey> keys{
      {.account = kAccount,
       .user = "ci",
       .access_key_id = "AKIACONFIGURED000001",
       .secret = "s3cret",
       .policy_arns = {"arn:aws:iam::aws:policy/AdministratorAccess"}},
      {.account = "444455556666",
       .user = "",
       .access_key_id = "AKIACONFIGURED000002",
       .secret = "other"}};
  ASSERT_TRUE(iam.shard.run(iam.identity->preload(keys)));
  iam.restart();
  ASSERT_TRUE(iam.shard.run(iam.identity->preload(keys)));
  const auto ci = find("AKIACONFIGURED000001");
  ASSERT_TRUE(ci);
  EXPECT_EQ(ci->secret, "s3cret");
  EXPECT_TRUE(may(*ci, "dynamodb:DeleteTable"));
  EXPECT_EQ(find("AKIACONFIGURED000002")->principal.arn, "arn:aws:iam::444455556666:root");
}

TEST(AccountsConfig, is_read_or_refused_with_the_place) {
  const auto parse = [](std::string_view json) { return parse_accounts(*parse_json(json)); };
  const auto good =
      parse(R"([{"id":"111122223333","access_keys":[{"id":"AKIAROOT000000000001","secret":"r"}],
      "users":[{"name":"ci","policies":["arn:aws:iam::aws:policy/AdministratorAccess"],"access_keys":[{"id":"AKIAUSER000000000001","secret":"u"}]}]}])");
  ASSERT_TRUE(good) << good.error().message;
  ASSERT_EQ(good->size(), 2u);
  EXPECT_EQ((*good)[0].user, "");
  EXPECT_EQ((*good)[1].user, "ci");
  EXPECT_EQ((*good)[1].policy_arns.size(), 1u);
  EXPECT_TRUE(parse_accounts(Document())->empty());
  for (const char* bad :
       {"{}", R"([{"id":"1"}])",
        R"([{"id":"111122223333","access_keys":[{"id":"short","secret":"x"}]}])",
        R"([{"id":"111122223333","access_keys":[{"id":"AKIAROOT000000000001"}]}])",
        R"([{"id":"111122223333","access_keys":[{"id":"ASIAROOT000000000001","secret":"x"}]}])",
        R"([{"id":"111122223333","users":[{"access_keys":[]}]}])",
        R"([{"id":"111122223333","users":[{"name":"x","policies":["y"]}]}])"}) {
    const auto got = parse(bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_THAT(got.error().message, testing::StartsWith("configuration, accounts: ")) << bad;
  }
}

TEST_F(IdentityTest, the_first_root_key_is_made_once) {
  const auto first = iam.shard.run(iam.identity->ensure_root_key(kAccount));
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->principal.kind, Principal::Kind::root);
  EXPECT_EQ(find((*first)->access_key_id)->secret, (*first)->secret);
  const auto second = iam.shard.run(iam.identity->ensure_root_key(kAccount));
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
}

}  // namespace
}  // namespace virga::iam
