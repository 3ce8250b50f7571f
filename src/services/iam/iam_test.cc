#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/iam/add_role_to_instance_profile.h"
#include "api/iam/add_user_to_group.h"
#include "api/iam/attach_role_policy.h"
#include "api/iam/create_access_key.h"
#include "api/iam/create_group.h"
#include "api/iam/create_instance_profile.h"
#include "api/iam/create_policy.h"
#include "api/iam/create_policy_version.h"
#include "api/iam/create_role.h"
#include "api/iam/create_user.h"
#include "api/iam/delete_access_key.h"
#include "api/iam/delete_group.h"
#include "api/iam/delete_policy.h"
#include "api/iam/delete_policy_version.h"
#include "api/iam/delete_role.h"
#include "api/iam/delete_role_policy.h"
#include "api/iam/delete_user.h"
#include "api/iam/detach_role_policy.h"
#include "api/iam/get_account_summary.h"
#include "api/iam/get_group.h"
#include "api/iam/get_policy.h"
#include "api/iam/get_policy_version.h"
#include "api/iam/get_role.h"
#include "api/iam/get_role_policy.h"
#include "api/iam/get_user.h"
#include "api/iam/list_access_keys.h"
#include "api/iam/list_attached_role_policies.h"
#include "api/iam/list_entities_for_policy.h"
#include "api/iam/list_instance_profiles_for_role.h"
#include "api/iam/list_policies.h"
#include "api/iam/list_policy_versions.h"
#include "api/iam/list_role_policies.h"
#include "api/iam/list_role_tags.h"
#include "api/iam/list_roles.h"
#include "api/iam/list_users.h"
#include "api/iam/put_role_policy.h"
#include "api/iam/set_default_policy_version.h"
#include "api/iam/shapes.h"
#include "api/iam/simulate_custom_policy.h"
#include "api/iam/simulate_principal_policy.h"
#include "api/iam/tag_role.h"
#include "api/iam/untag_role.h"
#include "api/iam/update_access_key.h"
#include "api/iam/update_assume_role_policy.h"
#include "api/iam/update_role.h"
#include "api/iam/update_user.h"
#include "base/strings.h"
#include "services/iam/ids.h"
#include "services/iam/testing.h"

namespace virga::iam {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTrust =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
constexpr const char* kAllow =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]})";
constexpr const char* kBasic = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

template <class T>
std::string error(const Result<T>& r) {
  return r ? "ok" : r.error().code + ": " + r.error().message;
}

struct IamTest : testing::Test {
  IamFixture iam;

  template <class Input>
  static Input named(std::string name, std::string Input::* member) {
    Input in;
    in.*member = std::move(name);
    return in;
  }
  auto create_role(std::string name, std::string trust = kTrust) {
    api::CreateRoleInput in;
    in.role_name = std::move(name);
    in.assume_role_policy_document = std::move(trust);
    return iam.call(&Service::create_role, std::move(in));
  }
  auto create_user(std::string name) {
    return iam.call(&Service::create_user,
                    named(std::move(name), &api::CreateUserInput::user_name));
  }
  auto get_role(std::string name) {
    return iam.call(&Service::get_role, named(std::move(name), &api::GetRoleInput::role_name));
  }
  auto delete_role(std::string name) {
    return iam.call(&Service::delete_role,
                    named(std::move(name), &api::DeleteRoleInput::role_name));
  }
  auto put_role_policy(std::string role, std::string name, std::string document = kAllow) {
    api::PutRolePolicyInput in;
    in.role_name = std::move(role);
    in.policy_name = std::move(name);
    in.policy_document = std::move(document);
    return iam.call(&Service::put_role_policy, std::move(in));
  }
  auto attach(std::string role, std::string arn) {
    api::AttachRolePolicyInput in;
    in.role_name = std::move(role);
    in.policy_arn = std::move(arn);
    return iam.call(&Service::attach_role_policy, std::move(in));
  }
  auto detach(std::string role, std::string arn) {
    api::DetachRolePolicyInput in;
    in.role_name = std::move(role);
    in.policy_arn = std::move(arn);
    return iam.call(&Service::detach_role_policy, std::move(in));
  }
  std::string create_policy(std::string name, std::string document = kAllow) {
    api::CreatePolicyInput in;
    in.policy_name = std::move(name);
    in.policy_document = std::move(document);
    const auto got = iam.call(&Service::create_policy, std::move(in));
    return got ? *got->policy->arn : error(got);
  }
  auto create_key(std::string user) {
    api::CreateAccessKeyInput in;
    in.user_name = std::move(user);
    return iam.call(&Service::create_access_key, std::move(in));
  }
};

TEST_F(IamTest, a_role_is_kept_across_a_restart) {
  api::CreateRoleInput in;
  in.role_name = "app";
  in.path = "/service/";
  in.assume_role_policy_document = kTrust;
  in.description = "for tests";
  in.max_session_duration = 7200;
  api::Tag tag;
  tag.key = "team";
  tag.value = "blue";
  in.tags = std::vector<api::Tag>{tag};
  const auto made = iam.call(&Service::create_role, std::move(in));
  ASSERT_TRUE(made) << error(made);
  EXPECT_EQ(made->role.arn, "arn:aws:iam::111122223333:role/service/app");
  EXPECT_THAT(made->role.role_id, testing::StartsWith("AROA"));
  EXPECT_EQ(made->role.role_id.size(), 21u);
  iam.restart();
  const auto got = get_role("app");
  ASSERT_TRUE(got) << error(got);
  EXPECT_EQ(got->role.role_id, made->role.role_id);
  EXPECT_EQ(percent_decode(*got->role.assume_role_policy_document), kTrust);
  EXPECT_EQ(*got->role.description, "for tests");
  EXPECT_EQ(*got->role.max_session_duration, 7200);
  ASSERT_TRUE(got->role.tags);
  EXPECT_EQ((*got->role.tags)[0].value, "blue");
}

TEST_F(IamTest, names_are_unique_without_regard_to_case) {
  EXPECT_EQ(error(create_role("App")), "ok");
  EXPECT_EQ(error(create_role("aPP")),
            "EntityAlreadyExistsException: Role with name aPP already exists.");
  EXPECT_EQ(error(create_user("bob")), "ok");
  EXPECT_EQ(error(create_user("Bob")),
            "EntityAlreadyExistsException: User with name Bob already exists.");
}

TEST_F(IamTest, missing_things_are_named) {
  EXPECT_EQ(error(get_role("nobody")),
            "NoSuchEntityException: The role with name nobody cannot be found.");
  EXPECT_EQ(get_role("nobody").error().http_status, 404);
  EXPECT_EQ(
      error(iam.call(&Service::delete_user, named("nobody", &api::DeleteUserInput::user_name))),
      "NoSuchEntityException: The user with name nobody cannot be found.");
  EXPECT_EQ(error(create_role("r")), "ok");
  EXPECT_EQ(error(attach("r", "arn:aws:iam::aws:policy/NoSuchThing")),
            "NoSuchEntityException: Policy arn:aws:iam::aws:policy/NoSuchThing does not exist or "
            "is not attachable.");
  EXPECT_EQ(error(detach("r", kBasic)),
            std::string("NoSuchEntityException: Policy ") + kBasic + " was not found.");
  EXPECT_EQ(error(attach("r", "arn:aws:s3:::bucket-name-long")),
            "InvalidInputException: ARN arn:aws:s3:::bucket-name-long is not valid.");
  api::GetRolePolicyInput get;
  get.role_name = "r";
  get.policy_name = "p";
  EXPECT_EQ(error(iam.call(&Service::get_role_policy, std::move(get))),
            "NoSuchEntityException: The role policy with name p cannot be found.");
  EXPECT_EQ(error(iam.call(&Service::get_policy, named("arn:aws:iam::111122223333:policy/x",
                                                       &api::GetPolicyInput::policy_arn))),
            "NoSuchEntityException: Policy arn:aws:iam::111122223333:policy/x was not found.");
}

TEST_F(IamTest, refuses_documents_that_are_no_policies) {
  EXPECT_EQ(error(create_role("r", "nonsense")),
            "MalformedPolicyDocumentException: This policy contains invalid Json");
  EXPECT_EQ(error(create_role("r", kAllow)),
            "MalformedPolicyDocumentException: Has prohibited field Resource");
  EXPECT_EQ(error(create_role("r")), "ok");
  EXPECT_EQ(error(put_role_policy("r", "p", kTrust)),
            "MalformedPolicyDocumentException: Policy document should not specify a principal.");
  api::UpdateAssumeRolePolicyInput in;
  in.role_name = "r";
  in.policy_document = "{}";
  EXPECT_EQ(error(iam.call(&Service::update_assume_role_policy, std::move(in))),
            "MalformedPolicyDocumentException: Syntax errors in policy.");
}

TEST_F(IamTest, inline_policies_of_a_role) {
  ASSERT_TRUE(create_role("r"));
  ASSERT_TRUE(put_role_policy("r", "b"));
  ASSERT_TRUE(put_role_policy("r", "a"));
  const auto listed =
      iam.call(&Service::list_role_policies, named("r", &api::ListRolePoliciesInput::role_name));
  ASSERT_TRUE(listed);
  EXPECT_THAT(listed->policy_names, ElementsAre("a", "b"));
  EXPECT_FALSE(*listed->is_truncated);
  api::GetRolePolicyInput get;
  get.role_name = "r";
  get.policy_name = "a";
  const auto got = iam.call(&Service::get_role_policy, std::move(get));
  ASSERT_TRUE(got);
  EXPECT_THAT(got->policy_document, HasSubstr("%7B%22Version%22%3A%222012-10-17%22"));
  EXPECT_EQ(error(delete_role("r")),
            "DeleteConflictException: Cannot delete entity, must delete policies first.");
  for (const char* name : {"a", "b"}) {
    api::DeleteRolePolicyInput del;
    del.role_name = "r";
    del.policy_name = name;
    ASSERT_TRUE(iam.call(&Service::delete_role_policy, std::move(del)));
  }
  EXPECT_EQ(error(delete_role("r")), "ok");
}

TEST_F(IamTest, an_inline_policy_that_is_too_large_is_refused) {
  ASSERT_TRUE(create_role("r"));
  const std::string large =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:)" +
      std::string(10240, 'a') + R"(","Resource":"*"}]})";
  EXPECT_EQ(error(put_role_policy("r", "p", large)),
            "LimitExceededException: Maximum policy size of 10240 bytes exceeded for role r");
}

TEST_F(IamTest, attaching_managed_policies) {
  ASSERT_TRUE(create_role("r"));
  const std::string own = create_policy("own");
  EXPECT_EQ(own, "arn:aws:iam::111122223333:policy/own");
  ASSERT_TRUE(attach("r", own));
  ASSERT_TRUE(attach("r", own));  // twice is no error
  ASSERT_TRUE(attach("r", kBasic));
  const auto listed = iam.call(&Service::list_attached_role_policies,
                               named("r", &api::ListAttachedRolePoliciesInput::role_name));
  ASSERT_TRUE(listed);
  ASSERT_EQ(listed->attached_policies->size(), 2u);
  EXPECT_EQ(*(*listed->attached_policies)[0].policy_name, "own");
  EXPECT_EQ(*(*listed->attached_policies)[1].policy_name, "AWSLambdaBasicExecutionRole");
  const auto policy = iam.call(&Service::get_policy, named(own, &api::GetPolicyInput::policy_arn));
  EXPECT_EQ(*policy->policy->attachment_count, 1);
  const auto users = iam.call(&Service::list_entities_for_policy,
                              named(own, &api::ListEntitiesForPolicyInput::policy_arn));
  ASSERT_TRUE(users);
  ASSERT_EQ(users->policy_roles->size(), 1u);
  EXPECT_EQ(*(*users->policy_roles)[0].role_name, "r");
  EXPECT_EQ(
      error(iam.call(&Service::delete_policy, named(own, &api::DeletePolicyInput::policy_arn))),
      "DeleteConflictException: Cannot delete a policy attached to entities.");
  EXPECT_EQ(error(delete_role("r")),
            "DeleteConflictException: Cannot delete entity, must detach all policies first.");
  ASSERT_TRUE(detach("r", own));
  EXPECT_EQ(
      error(iam.call(&Service::delete_policy, named(own, &api::DeletePolicyInput::policy_arn))),
      "ok");
}

TEST_F(IamTest, managed_policies_have_up_to_five_versions) {
  const std::string arn = create_policy("p");
  EXPECT_EQ(create_policy("p"),
            "EntityAlreadyExistsException: A policy called p already exists. Duplicate names are "
            "not allowed.");
  const auto add = [&](bool use) {
    api::CreatePolicyVersionInput in;
    in.policy_arn = arn;
    in.policy_document = kAllow;
    in.set_as_default = use;
    return iam.call(&Service::create_policy_version, std::move(in));
  };
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(add(i == 3));
  EXPECT_THAT(
      error(add(true)),
      testing::StartsWith("LimitExceededException: A managed policy can have up to 5 versions."));
  const auto listed = iam.call(&Service::list_policy_versions,
                               named(arn, &api::ListPolicyVersionsInput::policy_arn));
  ASSERT_TRUE(listed);
  EXPECT_EQ(*listed->versions->front().version_id, "v5");
  EXPECT_TRUE(*listed->versions->front().is_default_version);
  api::DeletePolicyVersionInput del;
  del.policy_arn = arn;
  del.version_id = "v5";
  EXPECT_EQ(error(iam.call(&Service::delete_policy_version, del)),
            "DeleteConflictException: Cannot delete the default version of a policy.");
  EXPECT_THAT(
      error(iam.call(&Service::delete_policy, named(arn, &api::DeletePolicyInput::policy_arn))),
      HasSubstr("This policy has more than one version."));
  del.version_id = "v1";
  EXPECT_EQ(error(iam.call(&Service::delete_policy_version, del)), "ok");
  EXPECT_EQ(
      error(iam.call(&Service::delete_policy_version, del)),
      "NoSuchEntityException: Policy " + arn + " version v1 does not exist or is not attachable.");
}

TEST_F(IamTest, aws_managed_policies_can_be_read) {
  const auto policy =
      iam.call(&Service::get_policy, named(kBasic, &api::GetPolicyInput::policy_arn));
  ASSERT_TRUE(policy) << error(policy);
  EXPECT_EQ(*policy->policy->path, "/service-role/");
  api::GetPolicyVersionInput in;
  in.policy_arn = kBasic;
  in.version_id = *policy->policy->default_version_id;
  const auto version = iam.call(&Service::get_policy_version, std::move(in));
  ASSERT_TRUE(version) << error(version);
  EXPECT_THAT(*percent_decode(*version->policy_version->document), HasSubstr("logs:PutLogEvents"));
  EXPECT_EQ(iam.call(&Service::delete_policy, named(kBasic, &api::DeletePolicyInput::policy_arn))
                .error()
                .http_status,
            404);
}

TEST_F(IamTest, lists_are_paged_and_refuse_foreign_markers) {
  for (const char* name : {"c", "A", "b"}) ASSERT_TRUE(create_role(name));
  api::ListRolesInput in;
  in.max_items = 2;
  auto page = iam.call(&Service::list_roles, in);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->roles.size(), 2u);
  EXPECT_EQ(page->roles[0].role_name, "A");
  EXPECT_TRUE(*page->is_truncated);
  in.marker = page->marker;
  page = iam.call(&Service::list_roles, in);
  ASSERT_EQ(page->roles.size(), 1u);
  EXPECT_EQ(page->roles[0].role_name, "c");
  EXPECT_FALSE(*page->is_truncated);
  EXPECT_FALSE(page->marker);
  in.marker = "bm9uc2Vuc2U=";
  EXPECT_EQ(error(iam.call(&Service::list_roles, in)), "ValidationError: Invalid Marker.");
}

TEST_F(IamTest, policies_are_listed_by_scope_and_use) {
  ASSERT_TRUE(create_role("r"));
  create_policy("mine");
  ASSERT_TRUE(attach("r", kBasic));
  api::ListPoliciesInput in;
  in.scope = "Local";
  auto got = iam.call(&Service::list_policies, in);
  ASSERT_EQ(got->policies->size(), 1u);
  EXPECT_EQ(*(*got->policies)[0].policy_name, "mine");
  in.scope = "AWS";
  in.only_attached = true;
  got = iam.call(&Service::list_policies, in);
  ASSERT_EQ(got->policies->size(), 1u);
  EXPECT_EQ(*(*got->policies)[0].policy_name, "AWSLambdaBasicExecutionRole");
}

TEST_F(IamTest, a_user_has_at_most_two_keys) {
  ASSERT_TRUE(create_user("bob"));
  const auto first = create_key("bob");
  ASSERT_TRUE(first) << error(first);
  EXPECT_EQ(first->access_key.access_key_id.size(), 20u);
  EXPECT_EQ(first->access_key.secret_access_key.size(), 40u);
  EXPECT_EQ(account_of_access_key(first->access_key.access_key_id), "111122223333");
  ASSERT_TRUE(create_key("bob"));
  EXPECT_EQ(error(create_key("bob")),
            "LimitExceededException: Cannot exceed quota for AccessKeysPerUser: 2");
  EXPECT_EQ(error(iam.call(&Service::delete_user, named("bob", &api::DeleteUserInput::user_name))),
            "DeleteConflictException: Cannot delete entity, must delete access keys first.");
  api::ListAccessKeysInput list;
  list.user_name = "bob";
  const auto keys = iam.call(&Service::list_access_keys, std::move(list));
  ASSERT_EQ(keys->access_key_metadata.size(), 2u);
  for (const auto& key : keys->access_key_metadata) {
    api::DeleteAccessKeyInput del;
    del.user_name = "bob";
    del.access_key_id = *key.access_key_id;
    ASSERT_TRUE(iam.call(&Service::delete_access_key, std::move(del)));
  }
  EXPECT_EQ(error(iam.call(&Service::delete_user, named("bob", &api::DeleteUserInput::user_name))),
            "ok");
}

TEST_F(IamTest, a_key_of_another_user_cannot_be_found) {
  ASSERT_TRUE(create_user("bob"));
  ASSERT_TRUE(create_user("eve"));
  const auto key = create_key("bob");
  api::UpdateAccessKeyInput in;
  in.user_name = "eve";
  in.access_key_id = key->access_key.access_key_id;
  in.status = "Inactive";
  EXPECT_EQ(error(iam.call(&Service::update_access_key, in)),
            "NoSuchEntityException: The Access Key with id " + key->access_key.access_key_id +
                " cannot be found.");
}

TEST_F(IamTest, groups_have_members) {
  api::CreateGroupInput group;
  group.group_name = "devs";
  ASSERT_TRUE(iam.call(&Service::create_group, std::move(group)));
  ASSERT_TRUE(create_user("bob"));
  api::AddUserToGroupInput add;
  add.group_name = "devs";
  add.user_name = "bob";
  ASSERT_TRUE(iam.call(&Service::add_user_to_group, std::move(add)));
  const auto got = iam.call(&Service::get_group, named("devs", &api::GetGroupInput::group_name));
  ASSERT_EQ(got->users.size(), 1u);
  EXPECT_EQ(
      error(iam.call(&Service::delete_group, named("devs", &api::DeleteGroupInput::group_name))),
      "DeleteConflictException: Cannot delete entity, must remove users from group first.");
}

TEST_F(IamTest, tags_merge_and_leave) {
  ASSERT_TRUE(create_role("r"));
  const auto tag = [&](std::string key, std::string value) {
    api::TagRoleInput in;
    in.role_name = "r";
    auto& t = in.tags.emplace_back();
    t.key = std::move(key);
    t.value = std::move(value);
    return iam.call(&Service::tag_role, std::move(in));
  };
  ASSERT_TRUE(tag("team", "blue"));
  ASSERT_TRUE(tag("Team", "red"));
  ASSERT_TRUE(tag("cost", "1"));
  EXPECT_EQ(tag("aws:x", "1").error().code, "InvalidInputException");
  auto tags = iam.call(&Service::list_role_tags, named("r", &api::ListRoleTagsInput::role_name));
  ASSERT_EQ(tags->tags.size(), 2u);
  EXPECT_EQ(tags->tags[0].value, "red");
  api::UntagRoleInput untag;
  untag.role_name = "r";
  untag.tag_keys = {"Team"};
  ASSERT_TRUE(iam.call(&Service::untag_role, std::move(untag)));
  tags = iam.call(&Service::list_role_tags, named("r", &api::ListRoleTagsInput::role_name));
  EXPECT_EQ(tags->tags.size(), 1u);
}

TEST_F(IamTest, instance_profiles_hold_one_role) {
  ASSERT_TRUE(create_role("r"));
  ASSERT_TRUE(iam.call(&Service::create_instance_profile,
                       named("p", &api::CreateInstanceProfileInput::instance_profile_name)));
  const auto add = [&] {
    api::AddRoleToInstanceProfileInput in;
    in.instance_profile_name = "p";
    in.role_name = "r";
    return iam.call(&Service::add_role_to_instance_profile, std::move(in));
  };
  ASSERT_TRUE(add());
  EXPECT_EQ(
      error(add()),
      "LimitExceededException: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  const auto profiles = iam.call(&Service::list_instance_profiles_for_role,
                                 named("r", &api::ListInstanceProfilesForRoleInput::role_name));
  ASSERT_EQ(profiles->instance_profiles.size(), 1u);
  EXPECT_EQ(profiles->instance_profiles[0].roles[0].role_name, "r");
  EXPECT_EQ(error(delete_role("r")),
            "DeleteConflictException: Cannot delete entity, must remove roles from instance "
            "profile first.");
}

TEST_F(IamTest, get_user_without_a_name_means_the_caller) {
  const auto root = iam.call(&Service::get_user, api::GetUserInput());
  ASSERT_TRUE(root);
  EXPECT_EQ(root->user.arn, "arn:aws:iam::111122223333:root");
  ASSERT_TRUE(create_user("bob"));
  RequestContext c = iam.context();
  c.principal = {.kind = Principal::Kind::user,
                 .account = c.account,
                 .arn = "arn:aws:iam::111122223333:user/bob",
                 .user_id = "x",
                 .access_key_id = "",
                 .service = ""};
  const auto bob = iam.call_as(c, &Service::get_user, api::GetUserInput());
  EXPECT_EQ(bob->user.user_name, "bob");
  c.principal.kind = Principal::Kind::assumed_role;
  EXPECT_EQ(error(iam.call_as(c, &Service::get_user, api::GetUserInput())),
            "ValidationError: Must specify userName when calling with non-User credentials");
}

TEST_F(IamTest, a_renamed_user_keeps_keys) {
  ASSERT_TRUE(create_user("bob"));
  const auto key = create_key("bob");
  api::UpdateUserInput in;
  in.user_name = "bob";
  in.new_user_name = "robert";
  ASSERT_TRUE(iam.call(&Service::update_user, std::move(in)));
  const auto found =
      iam.shard.run(iam.identity->find_access_key(key->access_key.access_key_id, ""));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->principal.arn, "arn:aws:iam::111122223333:user/robert");
}

TEST_F(IamTest, a_simulation_says_what_a_role_may) {
  const auto role = create_role("r");
  ASSERT_TRUE(put_role_policy("r", "p"));
  api::SimulatePrincipalPolicyInput in;
  in.policy_source_arn = role->role.arn;
  in.action_names = {"dynamodb:GetItem", "s3:GetObject"};
  in.policy_input_list = std::vector<std::string>{
      R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"dynamodb:Get*","Resource":"arn:aws:dynamodb:*:*:table/secret"}})"};
  in.resource_arns =
      std::vector<std::string>{"arn:aws:dynamodb:us-east-1:111122223333:table/t",
                               "arn:aws:dynamodb:us-east-1:111122223333:table/secret"};
  auto got = iam.call(&Service::simulate_principal_policy, in);
  ASSERT_TRUE(got) << error(got);
  std::vector<std::string> decisions;
  for (const auto& r : *got->evaluation_results) decisions.push_back(r.eval_decision);
  EXPECT_THAT(decisions, ElementsAre("allowed", "explicitDeny", "implicitDeny", "implicitDeny"));
  in.policy_source_arn = "arn:aws:iam::111122223333:role/none";
  EXPECT_EQ(error(iam.call(&Service::simulate_principal_policy, in)),
            "NoSuchEntityException: The role with name none cannot be found.");
  api::SimulateCustomPolicyInput custom;
  custom.policy_input_list = {"nonsense"};
  custom.action_names = {"s3:GetObject"};
  EXPECT_EQ(error(iam.call(&Service::simulate_custom_policy, custom)),
            "InvalidInputException: Syntax errors in policy.");
  custom.policy_input_list = {kAllow};
  custom.action_names = {"dynamodb:PutItem"};
  EXPECT_EQ(
      iam.call(&Service::simulate_custom_policy, custom)->evaluation_results->front().eval_decision,
      "allowed");
}

TEST_F(IamTest, the_account_summary_counts) {
  ASSERT_TRUE(create_user("bob"));
  ASSERT_TRUE(create_role("r"));
  const auto got = iam.call(&Service::get_account_summary, api::GetAccountSummaryInput());
  EXPECT_EQ(got->summary_map->at("Users"), 1);
  EXPECT_EQ(got->summary_map->at("Roles"), 1);
}

}  // namespace
}  // namespace virga::iam
