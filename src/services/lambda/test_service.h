#pragma once

// For unit tests of the service only.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "api/lambda/create_function.h"
#include "api/lambda/invoke.h"
#include "api/lambda/shapes.h"
#include "base/document.h"
#include "base/json.h"
#include "base/strings.h"
#include "platform/usage.h"
#include "services/lambda/service.h"
#include "services/lambda/test_compute.h"
#include "services/lambda/test_zip.h"
#include "storage/testing.h"

namespace virga::lambda {

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
    code = std::make_unique<CodeStore>(
        shard.files(), *pool,
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
    service =
        std::make_unique<Service>(*shard, shard.loop(), compute, *code, log, *timers, options);
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

}  // namespace virga::lambda
