#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "api/sts/assume_role.h"
#include "api/sts/get_access_key_info.h"
#include "api/sts/get_caller_identity.h"
#include "api/sts/get_federation_token.h"
#include "api/sts/get_session_token.h"
#include "api/sts/shapes.h"
#include "async/loop.h"
#include "services/sts/service.h"

namespace virga::sts {
namespace {

constexpr const char* kRole = "arn:aws:iam::111122223333:role/app";

// An identity store of a few roles and policies; sessions are remembered as they were asked for.
class FakeIdentity final : public platform::IdentityStore {
 public:
  std::map<std::string, platform::RoleInfo> roles;
  std::vector<platform::PolicyRef> callers_policies;
  platform::SessionRequest last;

  Task<std::optional<platform::Credential>> find_access_key(std::string, std::string) override {
    co_return std::optional<platform::Credential>();
  }
  Task<std::optional<std::string>> account_of_access_key(std::string id) override {
    co_return id == "AKIAKNOWN00000000000" ? std::optional<std::string>("111122223333")
                                           : std::nullopt;
  }
  Task<platform::PrincipalPolicies> policies_for(
      Principal principal, std::shared_ptr<const platform::SessionInfo>) override {
    platform::PrincipalPolicies p;
    p.principal_arn = principal.arn;
    p.identity = callers_policies;
    co_return p;
  }
  Task<std::optional<platform::RoleInfo>> find_role(std::string arn) override {
    const auto it = roles.find(arn);
    if (it == roles.end()) co_return std::optional<platform::RoleInfo>();
    co_return it->second;
  }
  Task<platform::Credential> issue_session(platform::SessionRequest request) override {
    last = request;
    platform::Credential c;
    c.access_key_id = "ASIAFAKE";
    c.secret = "secret";
    c.session_token = "token";
    c.expires_at = async::WallTime{Timestamp::from_seconds(1000 + request.duration_seconds)};
    c.principal = request.principal;
    co_return c;
  }
};

struct StsTest : testing::Test {
  async::FakeEnv env;
  async::EpollLoop loop{env.env()};
  FakeIdentity identity;
  Principal caller{.kind = Principal::Kind::user,
                   .account = "111122223333",
                   .arn = "arn:aws:iam::111122223333:user/bob",
                   .user_id = "AIDAX",
                   .access_key_id = "AKIAX",
                   .service = ""};
  platform::AuthMode mode = platform::AuthMode::strict;

  template <class T>
  static async::Detached start(Task<T> task, std::optional<Result<T>>* out) {
    Result<T> got = co_await as_result(std::move(task));
    out->emplace(std::move(got));
  }
  template <class Input, class Output>
  Result<Output> call(Task<Output> (Service::*operation)(Ctx, Input), Input input) {
    Service service(identity, mode);
    RequestContext context;
    context.env = &env.env();
    context.account = "111122223333";
    context.region = "us-east-1";
    context.principal = caller;
    std::optional<Result<Output>> out;
    loop.post([&] { start((service.*operation)(Ctx(context), std::move(input)), &out); });
    while (!out) loop.run_once(10);
    return std::move(*out);
  }
  void add_role(std::string statement) {
    auto trust = platform::PolicyDocument::parse(
        R"({"Version":"2012-10-17","Statement":[)" + statement + "]}", platform::PolicyKind::trust);
    ASSERT_TRUE(trust) << trust.error().message;
    identity.roles[kRole] = {.arn = kRole, .name = "app", .role_id = "AROAX", .trust = *trust};
  }
  static api::AssumeRoleInput assume(std::string arn = kRole) {
    api::AssumeRoleInput in;
    in.role_arn = std::move(arn);
    in.role_session_name = "s1";
    return in;
  }
  std::string outcome(api::AssumeRoleInput in) {
    const auto got = call(&Service::assume_role, std::move(in));
    return got ? "ok" : got.error().code + ": " + got.error().message;
  }
};

constexpr const char* kDenied =
    "AccessDenied: User: arn:aws:iam::111122223333:user/bob is not authorized to perform: "
    "sts:AssumeRole on resource: arn:aws:iam::111122223333:role/app";
constexpr const char* kTrustBob =
    R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole"})";

TEST_F(StsTest, says_who_the_caller_is) {
  const auto got = call(&Service::get_caller_identity, api::GetCallerIdentityInput());
  EXPECT_EQ(*got->arn, caller.arn);
  EXPECT_EQ(*got->account, "111122223333");
  EXPECT_EQ(*got->user_id, "AIDAX");
}

TEST_F(StsTest, strict_mode_wants_a_role_that_trusts_the_caller) {
  EXPECT_EQ(outcome(assume()), kDenied);  // no such role: the same words
  add_role(
      R"({"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"})");
  EXPECT_EQ(outcome(assume()), kDenied);
  add_role(kTrustBob);
  const auto got = call(&Service::assume_role, assume());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->assumed_role_user->arn, "arn:aws:sts::111122223333:assumed-role/app/s1");
  EXPECT_EQ(got->assumed_role_user->assumed_role_id, "AROAX:s1");
  EXPECT_EQ(got->credentials->expiration.seconds(), 4600);
  EXPECT_FALSE(got->packed_policy_size);
}

TEST_F(StsTest, a_trusted_account_still_needs_the_callers_policy) {
  add_role(R"({"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"})");
  EXPECT_EQ(outcome(assume()), kDenied);
  identity.callers_policies = {*platform::PolicyDocument::parse(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/app"}})",
      platform::PolicyKind::identity)};
  EXPECT_EQ(outcome(assume()), "ok");
}

TEST_F(StsTest, a_trust_policy_may_ask_for_an_external_id) {
  add_role(
      R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"42"}}})");
  EXPECT_EQ(outcome(assume()), kDenied);
  auto in = assume();
  in.external_id = "42";
  EXPECT_EQ(outcome(std::move(in)), "ok");
}

TEST_F(StsTest, session_tags_need_a_permission_of_their_own) {
  add_role(kTrustBob);
  auto in = assume();
  api::Tag tag;
  tag.key = "team";
  tag.value = "blue";
  in.tags = std::vector<api::Tag>{tag};
  EXPECT_THAT(outcome(in), testing::HasSubstr("is not authorized to perform: sts:TagSession"));
  add_role(
      R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":["sts:AssumeRole","sts:TagSession"]})");
  EXPECT_EQ(outcome(in), "ok");
  EXPECT_EQ(identity.last.tags[0].second, "blue");
}

TEST_F(StsTest, roots_assume_no_roles) {
  add_role(R"({"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"})");
  caller.kind = Principal::Kind::root;
  EXPECT_EQ(outcome(assume()), "AccessDenied: Roles may not be assumed by root accounts.");
}

TEST_F(StsTest, open_mode_checks_the_arns_form_only) {
  mode = platform::AuthMode::open;
  caller.kind = Principal::Kind::root;
  const auto got = call(&Service::assume_role, assume("arn:aws:iam::444455556666:role/path/none"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->assumed_role_user->arn, "arn:aws:sts::444455556666:assumed-role/none/s1");
  EXPECT_EQ(got->assumed_role_user->assumed_role_id.size(), 21u + 3u);
  for (const char* bad : {"arn:aws:iam::1:role/x-name-here", "arn:aws:iam::111122223333:user/bob",
                          "nonsense-of-some-length"}) {
    EXPECT_EQ(outcome(assume(bad)), "ValidationError: Request ARN is invalid") << bad;
  }
}

TEST_F(StsTest, sessions_are_not_longer_than_allowed) {
  add_role(kTrustBob);
  auto in = assume();
  in.duration_seconds = 7200;
  EXPECT_EQ(outcome(in),
            "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for "
            "this role.");
  identity.roles[kRole].max_session_seconds = 43200;
  EXPECT_EQ(outcome(in), "ok");
  mode = platform::AuthMode::open;
  caller.kind = Principal::Kind::assumed_role;
  EXPECT_THAT(outcome(in),
              testing::HasSubstr("1 hour session limit for roles assumed by role chaining"));
}

TEST_F(StsTest, session_policies_are_checked_and_kept) {
  add_role(kTrustBob);
  auto in = assume();
  in.policy = "nonsense";
  EXPECT_EQ(outcome(in), "MalformedPolicyDocumentException: Syntax errors in policy.");
  in.policy =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})";
  const auto got = call(&Service::assume_role, in);
  ASSERT_TRUE(got);
  EXPECT_GT(*got->packed_policy_size, 0);
  EXPECT_TRUE(identity.last.limited);
  EXPECT_EQ(identity.last.policy_documents.size(), 1u);
}

TEST_F(StsTest, session_tokens_are_for_long_term_keys) {
  const auto got = call(&Service::get_session_token, api::GetSessionTokenInput());
  ASSERT_TRUE(got);
  EXPECT_EQ(identity.last.principal.arn, caller.arn);
  EXPECT_EQ(identity.last.duration_seconds, 43200);
  caller.access_key_id = "ASIAX";
  EXPECT_EQ(call(&Service::get_session_token, api::GetSessionTokenInput()).error().message,
            "Cannot call GetSessionToken with session credentials");
}

TEST_F(StsTest, federated_users_have_what_their_policy_gives) {
  api::GetFederationTokenInput in;
  in.name = "ann";
  const auto got = call(&Service::get_federation_token, std::move(in));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->federated_user->arn, "arn:aws:sts::111122223333:federated-user/ann");
  EXPECT_TRUE(identity.last.limited);
}

TEST_F(StsTest, tells_the_account_of_a_key) {
  api::GetAccessKeyInfoInput in;
  in.access_key_id = "AKIAKNOWN00000000000";
  EXPECT_EQ(*call(&Service::get_access_key_info, in)->account, "111122223333");
  in.access_key_id = "AKIAOTHER00000000000";
  EXPECT_EQ(call(&Service::get_access_key_info, in).error().code, "AccessDenied");
  in.access_key_id = "nonsense_nonsense";
  EXPECT_EQ(call(&Service::get_access_key_info, in).error().code, "ValidationError");
}

}  // namespace
}  // namespace virga::sts
