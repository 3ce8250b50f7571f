#include "platform/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/loop.h"

namespace virga::platform {
namespace {

constexpr const char* kFunction = "arn:aws:lambda:us-east-1:111122223333:function:f";

PolicyRef policy(std::string_view text, PolicyKind kind) {
  auto parsed = PolicyDocument::parse(text, kind);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

// One role that trusts API Gateway; everybody has `identity`.
class Identities final : public IdentityStore {
 public:
  std::vector<PolicyRef> identity;
  Task<std::optional<Credential>> find_access_key(std::string, std::string) override {
    co_return std::optional<Credential>();
  }
  Task<std::optional<std::string>> account_of_access_key(std::string) override {
    co_return std::optional<std::string>();
  }
  Task<PrincipalPolicies> policies_for(Principal principal,
                                       std::shared_ptr<const SessionInfo>) override {
    PrincipalPolicies out;
    out.principal_arn = principal.arn;
    out.identity = identity;
    co_return out;
  }
  Task<std::optional<RoleInfo>> find_role(std::string role_arn) override {
    if (role_arn != "arn:aws:iam::111122223333:role/api") co_return std::optional<RoleInfo>();
    RoleInfo role;
    role.arn = role_arn;
    role.role_id = "AROA1";
    role.trust =
        policy(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
                            "Principal":{"Service":"apigateway.amazonaws.com"}}})",
               PolicyKind::trust);
    co_return std::optional<RoleInfo>(std::move(role));
  }
  Task<Credential> issue_session(SessionRequest) override { co_return Credential(); }
};

class Functions final : public ResourceCatalog {
 public:
  ResourceFacts facts;
  Task<ResourceFacts> facts_of(std::string) override { co_return facts; }
};

struct Fixture {
  async::FakeEnv world;
  async::EpollLoop loop{async::real_env()};
  Identities identities;
  Functions functions;
  Gate gate{identities, world.env()};
  RequestContext request;

  Fixture() {
    gate.add("lambda", functions);
    request.account = "111122223333";
    request.region = "us-east-1";
    request.principal.kind = Principal::Kind::user;
    request.principal.account = "111122223333";
    request.principal.arn = "arn:aws:iam::111122223333:user/bob";
  }

  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> got;
    loop.post([&] {
      [](Task<T>* t, std::optional<Result<T>>* out) -> async::Detached {
        out->emplace(co_await as_result(std::move(*t)));
      }(&task, &got);
    });
    while (!got) loop.run_once(0);
    return std::move(*got);
  }

  std::string check(std::string source_arn = {}) {
    GateQuestion question{.request = &request, .action = "lambda:InvokeFunction"};
    question.resources = {kFunction};
    question.source_arn = std::move(source_arn);
    const auto checked = run(gate.check(std::move(question)));
    return checked ? "ok" : checked.error().message;
  }
};

TEST(Gate, a_resources_policy_suffices_within_its_account) {
  Fixture f;
  EXPECT_THAT(f.check(),
              testing::EndsWith(
                  "because no identity-based policy allows the lambda:InvokeFunction action"));
  f.functions.facts.policy = policy(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:*","Resource":"*",
      "Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}}})",
      PolicyKind::resource);
  EXPECT_EQ(f.check(), "ok");
}

TEST(Gate, between_accounts_both_sides_have_to_allow) {
  Fixture f;
  f.request.principal.account = f.request.account = "444455556666";
  f.request.principal.arn = "arn:aws:iam::444455556666:user/eve";
  f.identities.identity = {policy(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
      PolicyKind::identity)};
  EXPECT_THAT(f.check(),
              testing::EndsWith(
                  "because no resource-based policy allows the lambda:InvokeFunction action"));
  f.functions.facts.policy = policy(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:*","Resource":"*",
      "Principal":{"AWS":"444455556666"}}})",
      PolicyKind::resource);
  EXPECT_EQ(f.check(), "ok");
}

TEST(Gate, a_service_passes_by_the_resources_policy_and_its_source) {
  Fixture f;
  f.request.principal = {};
  f.request.principal.kind = Principal::Kind::service;
  f.request.principal.service = "s3.amazonaws.com";
  EXPECT_NE(f.check("arn:aws:s3:::mine"), "ok");
  f.functions.facts.policy = policy(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction",
      "Resource":"*","Principal":{"Service":"s3.amazonaws.com"},"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::mine"}}}})",
      PolicyKind::resource);
  EXPECT_EQ(f.check("arn:aws:s3:::mine"), "ok");
  EXPECT_NE(f.check("arn:aws:s3:::other"), "ok");
}

TEST(Gate, tags_of_a_resource_are_in_conditions) {
  Fixture f;
  f.identities.identity = {
      policy(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*",
      "Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}}})",
             PolicyKind::identity)};
  EXPECT_NE(f.check(), "ok");
  f.functions.facts.tags = {{"team", "a"}};
  EXPECT_EQ(f.check(), "ok");
}

TEST(Gate, a_service_acts_with_a_role_that_trusts_it) {
  Fixture f;
  const auto who =
      f.run(f.gate.assume("arn:aws:iam::111122223333:role/api", "apigateway.amazonaws.com", "s"));
  ASSERT_TRUE(who);
  EXPECT_EQ(who->arn, "arn:aws:sts::111122223333:assumed-role/api/s");
  EXPECT_FALSE(
      f.run(f.gate.assume("arn:aws:iam::111122223333:role/api", "events.amazonaws.com", "s")));
  EXPECT_FALSE(
      f.run(f.gate.assume("arn:aws:iam::111122223333:role/none", "apigateway.amazonaws.com", "s")));
}

}  // namespace
}  // namespace virga::platform
