#include "services/lambda/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "api/lambda/add_permission.h"
#include "api/lambda/create_alias.h"
#include "api/lambda/create_function.h"
#include "api/lambda/delete_function.h"
#include "api/lambda/get_alias.h"
#include "api/lambda/get_account_settings.h"
#include "api/lambda/get_function.h"
#include "api/lambda/get_function_concurrency.h"
#include "api/lambda/get_function_configuration.h"
#include "api/lambda/get_function_event_invoke_config.h"
#include "api/lambda/get_policy.h"
#include "api/lambda/invoke.h"
#include "api/lambda/list_functions.h"
#include "api/lambda/list_tags.h"
#include "api/lambda/list_versions_by_function.h"
#include "api/lambda/publish_version.h"
#include "api/lambda/put_function_concurrency.h"
#include "api/lambda/put_function_event_invoke_config.h"
#include "api/lambda/remove_permission.h"
#include "api/lambda/shapes.h"
#include "api/lambda/tag_resource.h"
#include "api/lambda/untag_resource.h"
#include "api/lambda/update_alias.h"
#include "api/lambda/update_function_code.h"
#include "api/lambda/update_function_configuration.h"
#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"
#include "platform/gate.h"
#include "platform/usage.h"
#include "services/lambda/catalog.h"
#include "services/lambda/test_compute.h"
#include "services/lambda/test_zip.h"
#include "storage/testing.h"

namespace virga::lambda {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class MemoryLog final : public platform::LogWriter {
 public:
  std::vector<platform::LogAppend> appended;
  Task<void> append(platform::LogAppend request) override {
    appended.push_back(std::move(request));
    co_return ok();
  }
};

// The service over the real shard in memory, a fake engine and a log that remembers.
struct Fixture {
  storage::TestShard shard;
  FakeCompute compute;
  MemoryLog log;
  std::unique_ptr<async::Pool> pool = async::make_loop_pool(shard.loop());
  fs::path folder;
  std::unique_ptr<CodeStore> code;
  std::unique_ptr<platform::DurableTimers> timers;
  std::unique_ptr<Service> service;
  RequestContext context;
  ServiceOptions options;

  explicit Fixture(ServiceOptions given = {}) : options(given) {
    std::string text = (fs::temp_directory_path() / "virga-lambda-XXXXXX").string();
    folder = ::mkdtemp(text.data());
    code = std::make_unique<CodeStore>(shard.files(), *pool,
                                       CodeStore::Options{.zip_dir = "/data/zips", .folder_dir = folder.string()});
    begin();
    context.env = &shard.fake_env().env();
    context.account = "000000000000";
    context.region = "us-east-1";
    context.request_id = "req-1";
    context.now = context.env->cloud.now();
  }
  ~Fixture() {
    end();
    fs::remove_all(folder);
  }
  void begin() {
    CHECK(code->collect(*shard->snapshot()));
    timers = std::make_unique<platform::DurableTimers>(*shard, shard.fake_env().env());
    service = std::make_unique<Service>(*shard, shard.loop(), compute, *code, log, *timers, options);
    shard.loop().post([this] {
      timers->start();
      CHECK(service->start());
    });
    shard.loop().run_once(0);
  }
  void end() {
    compute.finish_all();
    CHECK(shard.run(service->stop()));
    CHECK(shard.run(timers->stop()));
    service.reset();
    timers.reset();
  }
  // The process ends and starts again.
  void restart() {
    end();
    shard.reopen();
    begin();
  }
  // Lets everything that can happen now happen.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      shard.settle();
      shard.loop().run_once(0);
    }
  }
  void pass(int64_t ms) {
    shard.fake_env().advance_millis(ms);
    settle();
  }

  // As the door does: the answer waits for what it depends on.
  template <class Out, class In>
  Result<Out> call(Task<Out> (Service::*op)(Ctx, In), In input) {
    context.now = context.env->cloud.now();
    auto got = shard.run((service.get()->*op)(Ctx(context), std::move(input)));
    const auto durable = shard.run(shard->wait_durable(context.depends_on_lsn));
    CHECK(durable);
    shard.loop().run_once(0);
    return got;
  }

  static api::CreateFunctionInput function(const std::string& name = "f") {
    api::CreateFunctionInput in;
    in.function_name = name;
    in.runtime = "python3.12";
    in.handler = "app.handler";
    in.role = "arn:aws:iam::000000000000:role/r";
    in.code.zip_file = make_zip({{"app.py", "def handler(e, c): return e"}});
    return in;
  }
  api::FunctionConfiguration create(const std::string& name = "f") {
    auto got = call(&Service::create_function, function(name));
    if (!got) check_failed(got.error().message.c_str(), __FILE__, __LINE__);
    return std::move(*got);
  }
  Result<api::InvokeOutput> invoke(const std::string& name, const std::string& payload = "{}") {
    api::InvokeInput in;
    in.function_name = name;
    in.payload = payload;
    return call(&Service::invoke, std::move(in));
  }
  template <class In>
  static In named(const std::string& name = "f") {
    In in;
    in.function_name = name;
    return in;
  }
};

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
  EXPECT_THAT(*made.runtime_version_config->runtime_version_arn, StartsWith("arn:aws:lambda:us-east-1::runtime:"));
  const auto read = f.call(&Service::get_function_configuration, f.named<api::GetFunctionConfigurationInput>());
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
  EXPECT_THAT(f.call(&Service::create_function, no_zip).error().message, StartsWith("Could not unzip uploaded file."));
  auto no_code = f.function();
  no_code.code = {};
  EXPECT_EQ(f.call(&Service::create_function, no_code).error().code, "InvalidParameterValueException");
  auto s3 = f.function();
  s3.code = {};
  s3.code.s3_bucket = "b";
  s3.code.s3_key = "k";
  EXPECT_EQ(f.call(&Service::create_function, s3).error().code, "InternalFailure");  // no door here
  auto java = f.function();
  java.runtime = "java21";
  EXPECT_THAT(f.call(&Service::create_function, java).error().message, HasSubstr("Value java21 at 'runtime'"));
  auto none = f.function();
  none.handler.reset();
  EXPECT_THAT(f.call(&Service::create_function, none).error().message, StartsWith("Runtime and Handler are mandatory"));
  auto layers = f.function();
  layers.layers = std::vector<std::string>{"arn:aws:lambda:us-east-1:000000000000:layer:l:1"};
  EXPECT_EQ(f.call(&Service::create_function, layers).error().code, "NotImplemented");
  auto empty_vpc = f.function();
  empty_vpc.vpc_config.emplace().subnet_ids = std::vector<std::string>{};
  EXPECT_TRUE(f.call(&Service::create_function, empty_vpc));
}

TEST(CreateFunction, survives_a_restart_with_its_code) {
  Fixture f;
  f.create();
  for (const auto& entry : fs::directory_iterator(f.folder)) fs::remove_all(entry.path());  // the unpacked copy is lost
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
  EXPECT_EQ(f.shard.run(downloads.fetch(target + "0", f.context.env->wall.now())).error().http_status, 403);
  f.shard.fake_env().advance_millis(601'000);
  EXPECT_EQ(f.shard.run(downloads.fetch(target, f.context.env->wall.now())).error().message, "Request has expired");
}

TEST(GetFunction, names_the_missing_function_as_asked) {
  Fixture f;
  EXPECT_EQ(f.call(&Service::get_function, f.named<api::GetFunctionInput>("x")).error().message,
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:x");
  f.create();
  const auto qualified = f.call(&Service::get_function, f.named<api::GetFunctionInput>("f:live"));
  EXPECT_EQ(qualified.error().code, "ResourceNotFoundException");
  EXPECT_EQ(qualified.error().message, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:live");
}

TEST(UpdateFunctionConfiguration, replaces_what_is_given_and_drains_old_sandboxes) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.invoke("f"));
  EXPECT_EQ(f.compute.alive, 1);
  auto in = f.named<api::UpdateFunctionConfigurationInput>();
  in.timeout = 30;
  in.environment.emplace().variables = std::map<std::string, std::string>{{std::string("TABLE"), "t"}};
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
  auto read = [&] { return f.call(&Service::get_function_configuration, f.named<api::GetFunctionConfigurationInput>()); };
  EXPECT_EQ(read()->state, "Pending");
  EXPECT_EQ(f.invoke("f").error().message,
            "The operation cannot be performed at this time. The function is currently in the following state: Pending");
  f.shard.fake_env().advance_millis(2001);
  EXPECT_EQ(read()->state, "Active");
  auto in = f.named<api::UpdateFunctionConfigurationInput>();
  ASSERT_TRUE(f.call(&Service::update_function_configuration, in));
  EXPECT_EQ(read()->last_update_status, "InProgress");
  EXPECT_EQ(f.call(&Service::update_function_configuration, in).error().code, "ResourceConflictException");
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
  EXPECT_EQ(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>()).error().http_status, 404);
  f.create();  // a new function of the name has nothing of the old one
  const auto versions = f.call(&Service::list_versions_by_function, f.named<api::ListVersionsByFunctionInput>());
  EXPECT_EQ(versions->versions->size(), 1u);
}

TEST(DeleteFunction, of_a_version_keeps_the_rest) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.call(&Service::publish_version, f.named<api::PublishVersionInput>()));
  EXPECT_EQ(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>("f:$LATEST")).error().message,
            "$LATEST version cannot be deleted without deleting the function.");
  api::CreateAliasInput alias;
  alias.function_name = "f";
  alias.name = "live";
  alias.function_version = "1";
  ASSERT_TRUE(f.call(&Service::create_alias, alias));
  EXPECT_EQ(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>("f:1")).error().code,
            "ResourceConflictException");
  EXPECT_EQ(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>("f:live")).error().message,
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
  auto publish = [&] { return f.call(&Service::publish_version, f.named<api::PublishVersionInput>()); };
  EXPECT_EQ(publish()->version, "1");
  const auto again = publish();
  EXPECT_EQ(again->version, "1");
  EXPECT_EQ(again->function_arn, "arn:aws:lambda:us-east-1:000000000000:function:f:1");
  auto change = f.named<api::UpdateFunctionConfigurationInput>();
  change.memory_size = 256;
  ASSERT_TRUE(f.call(&Service::update_function_configuration, change));
  EXPECT_EQ(publish()->version, "2");
  const auto list = f.call(&Service::list_versions_by_function, f.named<api::ListVersionsByFunctionInput>());
  ASSERT_EQ(list->versions->size(), 3u);
  EXPECT_EQ((*list->versions)[0].version, "$LATEST");
  EXPECT_EQ((*list->versions)[1].memory_size, 128);
  auto wrong = f.named<api::PublishVersionInput>();
  wrong.code_sha256 = "x";
  EXPECT_THAT(f.call(&Service::publish_version, wrong).error().message, StartsWith("CodeSHA256 (x) is different"));
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
  split.routing_config.emplace().additional_version_weights = std::map<std::string, double>{{"2", 0.5}};
  ASSERT_TRUE(f.call(&Service::update_alias, split));
  int second = 0;
  for (int i = 0; i < 40; ++i) second += f.invoke("f:live")->executed_version == "2";
  EXPECT_GT(second, 5);
  EXPECT_LT(second, 35);
}

TEST(Invoke, answers_and_leaves_log_and_usage) {
  Fixture f;
  f.create();
  f.compute.invoke_lines = {"hello"};
  api::InvokeInput in;
  in.function_name = "f";
  in.payload = "{\"x\":1}";
  in.log_type = "Tail";
  const auto got = f.call(&Service::invoke, in);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status_code, 200);
  EXPECT_EQ(got->payload, "{\"x\":1}");
  EXPECT_EQ(got->executed_version, "$LATEST");
  EXPECT_FALSE(got->function_error);
  const std::string tail = *from_base64(*got->log_result);
  EXPECT_THAT(tail, HasSubstr("START RequestId: req-1 Version: $LATEST\n"));
  EXPECT_THAT(tail, HasSubstr("\nREPORT RequestId: req-1\tDuration: 1.23 ms\tBilled Duration: 102 ms\t"));
  ASSERT_EQ(f.log.appended.size(), 1u);
  EXPECT_EQ(f.log.appended[0].group, "/aws/lambda/f");
  EXPECT_THAT(f.log.appended[0].stream, HasSubstr("/[$LATEST]"));
  EXPECT_THAT(f.log.appended[0].events.front().message, StartsWith("INIT_START Runtime Version: python3.12.v1\t"));
  f.shard.settle();
  const auto usage = platform::read_usage(*f.shard->snapshot(), "000000000000", "us-east-1", "lambda", Timestamp{0},
                                          Timestamp{INT64_MAX}, 10);
  ASSERT_TRUE(usage);
  ASSERT_EQ(usage->size(), 1u);
  EXPECT_EQ((*usage)[0].id, "req-1");
  EXPECT_EQ((*usage)[0].quantities[2].name, "billed_millis");
  EXPECT_EQ((*usage)[0].quantities[2].value, 102);
}

TEST(Invoke, nothing_sent_is_an_empty_object) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.invoke("f", ""));
  EXPECT_THAT(f.compute.payloads, ElementsAre("{}"));
}

TEST(Invoke, a_function_error_is_an_answer) {
  Fixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::timed_out,
                                   .error_type = "Sandbox.Timedout",
                                   .message = "Task timed out after 3.00 seconds",
                                   .reusable = false};
  const auto got = f.invoke("f");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status_code, 200);
  EXPECT_EQ(got->function_error, "Unhandled");
  EXPECT_EQ(got->payload,
            "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: req-1 Error: Task timed out after 3.00 "
            "seconds\"}");
}

TEST(Invoke, dry_run_runs_nothing) {
  Fixture f;
  f.create();
  auto in = f.named<api::InvokeInput>();
  in.invocation_type = "DryRun";
  EXPECT_EQ(f.call(&Service::invoke, in)->status_code, 204);
  EXPECT_EQ(f.compute.started, 0);
}

TEST(Invoke, refuses_large_payloads_and_what_is_no_json) {
  Fixture f;
  f.create();
  const auto large = f.invoke("f", "\"" + std::string(6'291'456, 'x') + "\"");
  EXPECT_EQ(large.error().code, "RequestTooLargeException");
  EXPECT_EQ(large.error().http_status, 413);
  EXPECT_EQ(large.error().message,
            "6291458 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)");
  const auto broken = f.invoke("f", "{a");
  EXPECT_EQ(broken.error().code, "InvalidRequestContentException");
  EXPECT_THAT(broken.error().message, StartsWith("Could not parse request body into json: "));
}

TEST(Invoke, reserved_concurrency_of_zero_throttles) {
  Fixture f;
  f.create();
  auto in = f.named<api::PutFunctionConcurrencyInput>();
  in.reserved_concurrent_executions = 0;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, in));
  const auto got = f.invoke("f");
  EXPECT_EQ(got.error().code, "TooManyRequestsException");
  EXPECT_EQ(f.call(&Service::get_function_concurrency, f.named<api::GetFunctionConcurrencyInput>())
                ->reserved_concurrent_executions,
            0);
  in.reserved_concurrent_executions = 901;
  EXPECT_THAT(f.call(&Service::put_function_concurrency, in).error().message,
              HasSubstr("below its minimum value of [100]"));
  in.reserved_concurrent_executions = 900;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, in));
  const auto settings = f.call(&Service::get_account_settings, api::GetAccountSettingsInput());
  EXPECT_EQ(settings->account_limit->unreserved_concurrent_executions, 100);
  EXPECT_EQ(settings->account_usage->function_count, 1);
}

struct EventFixture : Fixture {
  using Fixture::Fixture;
  Result<api::InvokeOutput> send(const std::string& payload, const std::string& id = "e-1") {
    context.request_id = id;
    auto in = named<api::InvokeInput>();
    in.invocation_type = "Event";
    in.payload = payload;
    return call(&Service::invoke, std::move(in));
  }
};

TEST(InvokeEvent, answers_202_and_runs_later_under_the_same_request_id) {
  EventFixture f;
  f.create();
  const auto got = f.send("{\"n\":1}");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status_code, 202);
  EXPECT_FALSE(got->executed_version);
  f.settle();
  EXPECT_THAT(f.compute.payloads, ElementsAre("{\"n\":1}"));
  EXPECT_EQ(f.compute.invocations[0].request_id, "e-1");
  ASSERT_EQ(f.log.appended.size(), 1u);
  const auto usage = platform::read_usage(*f.shard->snapshot(), "000000000000", "us-east-1", "lambda", Timestamp{0},
                                          Timestamp{INT64_MAX}, 10);
  EXPECT_EQ(usage->size(), 1u);
  f.pass(3'600'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
}

TEST(InvokeEvent, is_tried_again_after_one_and_two_minutes_and_then_given_up) {
  EventFixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("1"));
  f.settle();
  EXPECT_EQ(f.compute.payloads.size(), 1u);
  f.pass(59'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
  f.pass(2'000);
  EXPECT_EQ(f.compute.payloads.size(), 2u);
  f.pass(119'000);
  EXPECT_EQ(f.compute.payloads.size(), 2u);
  f.pass(2'000);
  EXPECT_EQ(f.compute.payloads.size(), 3u);
  f.pass(6 * 3'600'000);
  EXPECT_EQ(f.compute.payloads.size(), 3u);
  EXPECT_EQ(f.compute.invocations[2].request_id, "e-1");
}

TEST(InvokeEvent, obeys_the_functions_own_number_of_retries_and_the_base_delay) {
  EventFixture f({.retry_base_delay_ms = 100});
  f.create();
  auto config = f.named<api::PutFunctionEventInvokeConfigInput>();
  config.maximum_retry_attempts = 1;
  ASSERT_TRUE(f.call(&Service::put_function_event_invoke_config, config));
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("1"));
  f.settle();
  f.pass(101);
  f.pass(60'000);
  EXPECT_EQ(f.compute.payloads.size(), 2u);
}

TEST(InvokeEvent, throttling_delays_and_does_not_count_as_a_failure) {
  EventFixture f;
  f.create();
  auto none = f.named<api::PutFunctionConcurrencyInput>();
  none.reserved_concurrent_executions = 0;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, none));
  ASSERT_TRUE(f.send("1"));
  f.settle();
  for (int i = 0; i < 10; ++i) f.pass(60'000);
  EXPECT_EQ(f.compute.payloads.size(), 0u);
  none.reserved_concurrent_executions = 1;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, none));
  f.pass(301'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
}

TEST(InvokeEvent, survives_the_process) {
  EventFixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("\"x\""));
  f.settle();
  f.restart();
  f.compute.next_outcome.reset();
  f.pass(61'000);
  EXPECT_THAT(f.compute.payloads, ElementsAre("\"x\"", "\"x\""));
}

TEST(InvokeEvent, of_a_function_that_is_gone_ends) {
  EventFixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("1"));
  f.settle();
  ASSERT_TRUE(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>()));
  f.pass(61'000);
  f.pass(600'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
}

TEST(InvokeEvent, has_a_limit_of_one_megabyte) {
  EventFixture f;
  f.create();
  EXPECT_EQ(f.send("\"" + std::string(1'048'576, 'x') + "\"").error().message,
            "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)");
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
      "{\"Sid\":\"s1\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"lambda:"
      "InvokeFunction\",\"Resource\":\"arn:aws:lambda:us-east-1:000000000000:function:f\",\"Condition\":{"
      "\"StringEquals\":{\"AWS:SourceAccount\":\"000000000000\"},\"ArnLike\":{\"AWS:SourceArn\":\"arn:aws:s3:::b\"}}}";
  EXPECT_EQ(added->statement, statement);
  EXPECT_EQ(f.call(&Service::add_permission, in).error().message,
            "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing "
            "statement.");
  const auto policy = f.call(&Service::get_policy, f.named<api::GetPolicyInput>());
  EXPECT_EQ(policy->policy, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[" + statement + "]}");
  auto remove = f.named<api::RemovePermissionInput>();
  remove.statement_id = "s2";
  EXPECT_EQ(f.call(&Service::remove_permission, remove).error().message, "Statement s2 is not found in resource policy.");
  remove.statement_id = "s1";
  ASSERT_TRUE(f.call(&Service::remove_permission, remove));
  EXPECT_EQ(f.call(&Service::remove_permission, remove).error().message,
            "No policy is associated with the given resource.");
  in.principal = "nonsense";
  EXPECT_THAT(f.call(&Service::add_permission, in).error().message, StartsWith("The provided principal was invalid."));
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
  EXPECT_EQ(f.call(&Service::tag_resource, tag).error().message,
            "Tags on function aliases and versions are not supported. Please specify a function ARN.");
}

TEST(EventInvokeConfig, is_kept_per_qualifier) {
  Fixture f;
  f.create();
  EXPECT_EQ(f.call(&Service::get_function_event_invoke_config, f.named<api::GetFunctionEventInvokeConfigInput>())
                .error()
                .message,
            "The function arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST doesn't have an EventInvokeConfig");
  auto in = f.named<api::PutFunctionEventInvokeConfigInput>();
  in.maximum_retry_attempts = 0;
  ASSERT_TRUE(f.call(&Service::put_function_event_invoke_config, in));
  const auto got =
      f.call(&Service::get_function_event_invoke_config, f.named<api::GetFunctionEventInvokeConfigInput>());
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
