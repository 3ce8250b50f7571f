#include "services/lambda/service.h"

#include "api/lambda/add_permission.h"
#include "api/lambda/create_alias.h"
#include "api/lambda/create_function.h"
#include "api/lambda/delete_function.h"
#include "api/lambda/get_function.h"
#include "api/lambda/get_function_configuration.h"
#include "api/lambda/get_function_event_invoke_config.h"
#include "api/lambda/get_policy.h"
#include "api/lambda/list_functions.h"
#include "api/lambda/list_tags.h"
#include "api/lambda/list_versions_by_function.h"
#include "api/lambda/publish_version.h"
#include "api/lambda/put_function_event_invoke_config.h"
#include "api/lambda/remove_permission.h"
#include "api/lambda/tag_resource.h"
#include "api/lambda/untag_resource.h"
#include "api/lambda/update_alias.h"
#include "api/lambda/update_function_code.h"
#include "api/lambda/update_function_configuration.h"
#include "platform/gate.h"
#include "services/lambda/catalog.h"
#include "services/lambda/test_service.h"

namespace virga::lambda {
namespace {

TEST(CreateFunction, answers_pending_and_the_next_read_finds_it_active) {
  Fixture f;
  const auto made = f.create();
  EXPECT_EQ(made.state, "Pending");
  EXPECT_EQ(made.state_reason_code, "Creating");
  EXPECT_EQ(made.state_reason, "The function is being created.");
  EXPECT_EQ(made.function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f");
  EXPECT_EQ(made.version, "$LATEST");
  EXPECT_EQ(made.timeout, 3);
  EXPECT_EQ(made.memory_size, 128);
  EXPECT_EQ(made.package_type, "Zip");
  EXPECT_EQ(made.ephemeral_storage->size, 512);
  EXPECT_EQ(made.logging_config->log_group, "/aws/lambda/f");
  EXPECT_THAT(*made.runtime_version_config->runtime_version_arn,
              StartsWith("arn:aws:lambda:us-east-1::runtime:"));
  const auto read =
      f.call(&Service::get_function_configuration, f.named<api::GetFunctionConfigurationInput>());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->state, "Active");
  EXPECT_EQ(read->last_update_status, "Successful");
  EXPECT_FALSE(read->environment);
}

TEST(CreateFunction, refuses_a_second_one_of_the_name) {
  Fixture f;
  f.create();
  const auto got = f.call(&Service::create_function, f.function());
  EXPECT_EQ(got.error().code, "ResourceConflictException");
  EXPECT_EQ(got.error().http_status, 409);
  EXPECT_EQ(got.error().message, "Function already exist: f");
}

TEST(CreateFunction, refuses_what_cannot_run) {
  Fixture f;
  auto no_zip = f.function();
  no_zip.code.zip_file = "not a zip";
  EXPECT_THAT(f.call(&Service::create_function, no_zip).error().message,
              StartsWith("Could not unzip uploaded file."));
  auto no_code = f.function();
  no_code.code = {};
  EXPECT_EQ(f.call(&Service::create_function, no_code).error().code,
            "InvalidParameterValueException");
  auto s3 = f.function();
  s3.code = {};
  s3.code.s3_bucket = "b";
  s3.code.s3_key = "k";
  EXPECT_EQ(f.call(&Service::create_function, s3).error().code, "InternalFailure");  // no door here
  auto java = f.function();
  java.runtime = "java21";
  EXPECT_THAT(f.call(&Service::create_function, java).error().message,
              HasSubstr("Value java21 at 'runtime'"));
  auto none = f.function();
  none.handler.reset();
  EXPECT_THAT(f.call(&Service::create_function, none).error().message,
              StartsWith("Runtime and Handler are mandatory"));
  auto layers = f.function();
  layers.layers = std::vector<std::string>{"arn:aws:lambda:us-east-1:000000000000:layer:l:1"};
  const auto no_layer = f.call(&Service::create_function, layers);
  EXPECT_EQ(no_layer.error().code, "InvalidParameterValueException");
  EXPECT_EQ(no_layer.error().message,
            "Layer version arn:aws:lambda:us-east-1:000000000000:layer:l:1 does not exist.");
  auto empty_vpc = f.function();
  empty_vpc.vpc_config.emplace().subnet_ids = std::vector<std::string>{};
  EXPECT_TRUE(f.call(&Service::create_function, empty_vpc));
}

TEST(CreateFunction, survives_a_restart_with_its_code) {
  Fixture f;
  f.create();
  for (const auto& entry : fs::directory_iterator(f.folder))
    fs::remove_all(entry.path());  // the unpacked copy is lost
  f.restart();
  const auto got = f.invoke("f", "{\"a\":1}");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->payload, "{\"a\":1}");
  // What an engine asks for before it starts a sandbox.
  const auto unpacked = f.shard.run(f.code->folder(f.compute.specs.back()->code_sha256_hex));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_TRUE(fs::exists(*unpacked + "/app.py"));
}

TEST(GetFunction, gives_an_address_for_the_code_that_works_for_ten_minutes) {
  Fixture f;
  const auto in = f.function();
  ASSERT_TRUE(f.call(&Service::create_function, in));
  const auto got = f.call(&Service::get_function, f.named<api::GetFunctionInput>());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->code->repository_type, "S3");
  const std::string url = *got->code->location;
  EXPECT_THAT(url, StartsWith("http://localhost:4566/_virga/lambda-code/"));
  const std::string target = url.substr(std::string("http://localhost:4566").size());
  auto& downloads = f.service->downloads();
  const auto bytes = f.shard.run(downloads.fetch(target, f.context.env->wall.now()));
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, *in.code.zip_file);
  EXPECT_EQ(
      f.shard.run(downloads.fetch(target + "0", f.context.env->wall.now())).error().http_status,
      403);
  f.shard.fake_env().advance_millis(601'000);
  EXPECT_EQ(f.shard.run(downloads.fetch(target, f.context.env->wall.now())).error().message,
            "Request has expired");
}

TEST(GetFunction, names_the_missing_function_as_asked) {
  Fixture f;
  EXPECT_EQ(f.call(&Service::get_function, f.named<api::GetFunctionInput>("x")).error().message,
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:x");
  f.create();
  const auto qualified = f.call(&Service::get_function, f.named<api::GetFunctionInput>("f:live"));
  EXPECT_EQ(qualified.error().code, "ResourceNotFoundException");
  EXPECT_EQ(qualified.error().message,
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:live");
}

TEST(UpdateFunctionConfiguration, replaces_what_is_given_and_drains_old_sandboxes) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.invoke("f"));
  EXPECT_EQ(f.compute.alive, 1);
  auto in = f.named<api::UpdateFunctionConfigurationInput>();
  in.timeout = 30;
  in.environment.emplace().variables =
      std::map<std::string, std::string>{{std::string("TABLE"), "t"}};
  const auto got = f.call(&Service::update_function_configuration, in);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->last_update_status, "InProgress");
  EXPECT_EQ(got->state, "Active");
  EXPECT_EQ(got->timeout, 30);
  EXPECT_EQ(got->memory_size, 128);
  EXPECT_EQ(f.compute.alive, 0);
  ASSERT_TRUE(f.invoke("f"));
  EXPECT_EQ(f.compute.specs.back()->user_environment.at("TABLE"), "t");
  EXPECT_EQ(f.compute.specs.back()->timeout_ms, 30'000);
}

TEST(UpdateFunctionConfiguration, checks_the_revision) {
  Fixture f;
  const auto made = f.create();
  auto in = f.named<api::UpdateFunctionConfigurationInput>();
  in.revision_id = "other";
  const auto got = f.call(&Service::update_function_configuration, in);
  EXPECT_EQ(got.error().code, "PreconditionFailedException");
  EXPECT_EQ(got.error().http_status, 412);
  in.revision_id = *made.revision_id;
  const auto done = f.call(&Service::update_function_configuration, in);
  ASSERT_TRUE(done);
  EXPECT_NE(done->revision_id, made.revision_id);
}

TEST(UpdateFunctionCode, the_next_invocation_runs_the_new_code) {
  Fixture f;
  const auto made = f.create();
  ASSERT_TRUE(f.invoke("f"));
  auto in = f.named<api::UpdateFunctionCodeInput>();
  in.zip_file = make_zip({{"app.py", "new"}});
  in.dry_run = true;
  const auto dry = f.call(&Service::update_function_code, in);
  ASSERT_TRUE(dry);
  EXPECT_NE(dry->code_sha256, made.code_sha256);
  EXPECT_EQ(f.compute.alive, 1);
  in.dry_run = false;
  ASSERT_TRUE(f.call(&Service::update_function_code, in));
  EXPECT_EQ(f.compute.alive, 0);
  const std::string before = f.compute.specs.back()->code_sha256_hex;
  ASSERT_TRUE(f.invoke("f"));
  EXPECT_NE(f.compute.specs.back()->code_sha256_hex, before);
}

TEST(LifecycleDelay, restores_the_windows_and_refusals) {
  Fixture f({.lifecycle_delay_ms = 2000});
  f.create();
  auto read = [&] {
    return f.call(&Service::get_function_configuration,
                  f.named<api::GetFunctionConfigurationInput>());
  };
  EXPECT_EQ(read()->state, "Pending");
  EXPECT_EQ(f.invoke("f").error().message,
            "The operation cannot be performed at this time. The function is currently in the "
            "following state: Pending");
  f.shard.fake_env().advance_millis(2001);
  EXPECT_EQ(read()->state, "Active");
  auto in = f.named<api::UpdateFunctionConfigurationInput>();
  ASSERT_TRUE(f.call(&Service::update_function_configuration, in));
  EXPECT_EQ(read()->last_update_status, "InProgress");
  EXPECT_EQ(f.call(&Service::update_function_configuration, in).error().code,
            "ResourceConflictException");
}

TEST(DeleteFunction, takes_everything_with_it) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.invoke("f"));
  ASSERT_TRUE(f.call(&Service::publish_version, f.named<api::PublishVersionInput>()));
  const auto got = f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status_code, 204);
  EXPECT_EQ(f.compute.alive, 0);
  EXPECT_EQ(f.invoke("f").error().code, "ResourceNotFoundException");
  EXPECT_EQ(
      f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>()).error().http_status,
      404);
  f.create();  // a new function of the name has nothing of the old one
  const auto versions =
      f.call(&Service::list_versions_by_function, f.named<api::ListVersionsByFunctionInput>());
  EXPECT_EQ(versions->versions->size(), 1u);
}

TEST(DeleteFunction, of_a_version_keeps_the_rest) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.call(&Service::publish_version, f.named<api::PublishVersionInput>()));
  EXPECT_EQ(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>("f:$LATEST"))
                .error()
                .message,
            "$LATEST version cannot be deleted without deleting the function.");
  api::CreateAliasInput alias;
  alias.function_name = "f";
  alias.name = "live";
  alias.function_version = "1";
  ASSERT_TRUE(f.call(&Service::create_alias, alias));
  EXPECT_EQ(
      f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>("f:1")).error().code,
      "ResourceConflictException");
  EXPECT_EQ(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>("f:live"))
                .error()
                .message,
            "Deletion of aliases is not currently supported.");
}

TEST(ListFunctions, pages_in_the_order_of_names) {
  Fixture f;
  for (const char* name : {"c", "a", "b"}) f.create(name);
  api::ListFunctionsInput in;
  in.max_items = 2;
  const auto first = f.call(&Service::list_functions, in);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->functions->size(), 2u);
  EXPECT_EQ((*first->functions)[0].function_name, "a");
  EXPECT_FALSE((*first->functions)[0].state);
  ASSERT_TRUE(first->next_marker);
  in.marker = first->next_marker;
  const auto second = f.call(&Service::list_functions, in);
  ASSERT_EQ(second->functions->size(), 1u);
  EXPECT_FALSE(second->next_marker);
  in.marker = "AAAA" + *first->next_marker;
  EXPECT_EQ(f.call(&Service::list_functions, in).error().code, "InvalidParameterValueException");
}

TEST(Versions, a_publication_without_a_change_is_the_last_one) {
  Fixture f;
  f.create();
  auto publish = [&] {
    return f.call(&Service::publish_version, f.named<api::PublishVersionInput>());
  };
  EXPECT_EQ(publish()->version, "1");
  const auto again = publish();
  EXPECT_EQ(again->version, "1");
  EXPECT_EQ(again->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:1");
  auto change = f.named<api::UpdateFunctionConfigurationInput>();
  change.memory_size = 256;
  ASSERT_TRUE(f.call(&Service::update_function_configuration, change));
  EXPECT_EQ(publish()->version, "2");
  const auto list =
      f.call(&Service::list_versions_by_function, f.named<api::ListVersionsByFunctionInput>());
  ASSERT_EQ(list->versions->size(), 3u);
  EXPECT_EQ((*list->versions)[0].version, "$LATEST");
  EXPECT_EQ((*list->versions)[1].memory_size, 128);
  auto wrong = f.named<api::PublishVersionInput>();
  wrong.code_sha256 = "x";
  EXPECT_THAT(f.call(&Service::publish_version, wrong).error().message,
              StartsWith("CodeSHA256 (x) is different"));
}

TEST(Aliases, point_to_versions_and_split_traffic) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.call(&Service::publish_version, f.named<api::PublishVersionInput>()));
  auto change = f.named<api::UpdateFunctionConfigurationInput>();
  change.memory_size = 256;
  ASSERT_TRUE(f.call(&Service::update_function_configuration, change));
  ASSERT_TRUE(f.call(&Service::publish_version, f.named<api::PublishVersionInput>()));
  api::CreateAliasInput in;
  in.function_name = "f";
  in.name = "live";
  in.function_version = "9";
  EXPECT_EQ(f.call(&Service::create_alias, in).error().code, "ResourceNotFoundException");
  in.function_version = "1";
  const auto made = f.call(&Service::create_alias, in);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->alias_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:live");
  EXPECT_EQ(f.call(&Service::create_alias, in).error().message,
            "Alias already exists: arn:aws:lambda:us-east-1:000000000000:function:f:live");
  EXPECT_EQ(f.invoke("f:live")->executed_version, "1");
  EXPECT_EQ(f.compute.invocations.back().invoked_function_arn,
            "arn:aws:lambda:us-east-1:000000000000:function:f:live");
  api::UpdateAliasInput split;
  split.function_name = "f";
  split.name = "live";
  split.routing_config.emplace().additional_version_weights =
      std::map<std::string, double>{{"2", 0.5}};
  ASSERT_TRUE(f.call(&Service::update_alias, split));
  int second = 0;
  for (int i = 0; i < 40; ++i) second += f.invoke("f:live")->executed_version == "2";
  EXPECT_GT(second, 5);
  EXPECT_LT(second, 35);
}

TEST(Permissions, become_statements_of_a_policy) {
  Fixture f;
  f.create();
  EXPECT_EQ(f.call(&Service::get_policy, f.named<api::GetPolicyInput>()).error().message,
            "The resource you requested does not exist.");
  auto in = f.named<api::AddPermissionInput>();
  in.statement_id = "s1";
  in.action = "lambda:InvokeFunction";
  in.principal = "s3.amazonaws.com";
  in.source_arn = "arn:aws:s3:::b";
  in.source_account = "000000000000";
  const auto added = f.call(&Service::add_permission, in);
  ASSERT_TRUE(added) << added.error().message;
  const std::string statement =
      "{\"Sid\":\"s1\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},"
      "\"Action\":\"lambda:"
      "InvokeFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:000000000000:function:f\","
      "\"Condition\":{"
      "\"StringEquals\":{\"AWS:SourceAccount\":\"000000000000\"},\"ArnLike\":{\"AWS:SourceArn\":"
      "\"arn:aws:s3:::b\"}}}";
  EXPECT_EQ(added->statement, statement);
  EXPECT_EQ(f.call(&Service::add_permission, in).error().message,
            "The statement id (s1) provided already exists. Please provide a new statement id, or "
            "remove the existing "
            "statement.");
  const auto policy = f.call(&Service::get_policy, f.named<api::GetPolicyInput>());
  EXPECT_EQ(policy->policy,
            "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[" + statement + "]}");
  auto remove = f.named<api::RemovePermissionInput>();
  remove.statement_id = "s2";
  EXPECT_EQ(f.call(&Service::remove_permission, remove).error().message,
            "Statement s2 is not found in resource policy.");
  remove.statement_id = "s1";
  ASSERT_TRUE(f.call(&Service::remove_permission, remove));
  EXPECT_EQ(f.call(&Service::remove_permission, remove).error().message,
            "No policy is associated with the given resource.");
  in.principal = "nonsense";
  EXPECT_THAT(f.call(&Service::add_permission, in).error().message,
              StartsWith("The provided principal was invalid."));
}

// Nobody exists.
class NoIdentities final : public platform::IdentityStore {
 public:
  Task<std::optional<platform::Credential>> find_access_key(std::string, std::string) override {
    co_return std::optional<platform::Credential>();
  }
  Task<std::optional<std::string>> account_of_access_key(std::string) override {
    co_return std::optional<std::string>();
  }
  Task<platform::PrincipalPolicies> policies_for(
      Principal, std::shared_ptr<const platform::SessionInfo>) override {
    co_return platform::PrincipalPolicies();
  }
  Task<std::optional<platform::RoleInfo>> find_role(std::string) override {
    co_return std::optional<platform::RoleInfo>();
  }
  Task<platform::Credential> issue_session(platform::SessionRequest) override {
    co_return platform::Credential();
  }
};

TEST(Permissions, strict_mode_lets_services_in_by_policy_only) {
  Fixture f;
  NoIdentities identities;
  platform::Gate gate(identities, f.shard.fake_env().env());
  Catalog catalog(*f.shard);
  gate.add("lambda", catalog);
  f.create();
  f.end();
  f.options.gate = &gate;
  f.begin();
  platform::InvokeCall call{.account = "000000000000",
                            .region = "us-east-1",
                            .function_arn = "arn:aws:lambda:us-east-1:000000000000:function:f",
                            .payload = "{}",
                            .principal = "apigateway.amazonaws.com",
                            .source_arn = "arn:aws:execute-api:us-east-1:000000000000:api/*/GET/x"};
  EXPECT_EQ(f.shard.run(f.service->invoker().invoke(call)).error().code, "AccessDeniedException");
  auto in = f.named<api::AddPermissionInput>();
  in.statement_id = "api";
  in.action = "lambda:InvokeFunction";
  in.principal = "apigateway.amazonaws.com";
  in.source_arn = "arn:aws:execute-api:us-east-1:000000000000:api/*";
  ASSERT_TRUE(f.call(&Service::add_permission, in));
  const auto got = f.shard.run(f.service->invoker().invoke(call));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->executed_version, "$LATEST");
  call.source_arn = "arn:aws:execute-api:us-east-1:000000000000:other/GET/x";
  EXPECT_EQ(f.shard.run(f.service->invoker().invoke(call)).error().http_status, 403);
  call.role_arn = "arn:aws:iam::000000000000:role/nobody";
  EXPECT_EQ(f.shard.run(f.service->invoker().invoke(call)).error().message,
            "The role arn:aws:iam::000000000000:role/nobody cannot be assumed by "
            "apigateway.amazonaws.com.");
}

TEST(Tags, come_and_go) {
  Fixture f;
  f.create();
  const std::string arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
  api::TagResourceInput tag;
  tag.resource = arn;
  tag.tags["a"] = "1";
  tag.tags["b"] = "2";
  ASSERT_TRUE(f.call(&Service::tag_resource, tag));
  api::UntagResourceInput untag;
  untag.resource = arn;
  untag.tag_keys = {"a"};
  ASSERT_TRUE(f.call(&Service::untag_resource, untag));
  api::ListTagsInput list;
  list.resource = arn;
  EXPECT_EQ(f.call(&Service::list_tags, list)->tags->size(), 1u);
  tag.resource = arn + ":1";
  EXPECT_EQ(
      f.call(&Service::tag_resource, tag).error().message,
      "Tags on function aliases and versions are not supported. Please specify a function ARN.");
}

TEST(EventInvokeConfig, is_kept_per_qualifier) {
  Fixture f;
  f.create();
  EXPECT_EQ(f.call(&Service::get_function_event_invoke_config,
                   f.named<api::GetFunctionEventInvokeConfigInput>())
                .error()
                .message,
            "The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an "
            "EventInvokeConfig");
  auto in = f.named<api::PutFunctionEventInvokeConfigInput>();
  in.maximum_retry_attempts = 0;
  ASSERT_TRUE(f.call(&Service::put_function_event_invoke_config, in));
  const auto got = f.call(&Service::get_function_event_invoke_config,
                          f.named<api::GetFunctionEventInvokeConfigInput>());
  EXPECT_EQ(got->maximum_retry_attempts, 0);
  EXPECT_EQ(got->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST");
}

TEST(Accounts, and_regions_do_not_see_each_other) {
  Fixture f;
  f.create();
  f.context.region = "eu-west-1";
  EXPECT_EQ(f.invoke("f").error().http_status, 404);
  f.context.region = "us-east-1";
  f.context.account = "111122223333";
  EXPECT_EQ(f.invoke("f").error().http_status, 404);
}

}  // namespace
}  // namespace virga::lambda
