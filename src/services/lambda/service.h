#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/lambda/handlers.h"
#include "async/offload.h"
#include "aws/door.h"
#include "aws/operation.h"
#include "base/document.h"
#include "platform/durable_queue.h"
#include "platform/function_invoker.h"
#include "platform/log_writer.h"
#include "platform/usage.h"
#include "services/lambda/code_store.h"
#include "services/lambda/downloads.h"
#include "services/lambda/event_sources.h"
#include "services/lambda/function_store.h"
#include "services/lambda/layer_store.h"
#include "services/lambda/provisioned_store.h"
#include "services/lambda/runnables.h"
#include "services/lambda/scheduler.h"
#include "services/lambda/streamed_answer.h"
#include "services/lambda/url_store.h"
#include "storage/shard.h"

namespace virga::platform {
class Gate;
}

namespace virga::lambda {

struct ServiceOptions {
  int64_t lifecycle_delay_ms = 0;  // 0: states are final at the next request
  int64_t retry_base_delay_ms =
      60'000;  // first retry of an asynchronous invocation; the second after twice that
  int account_concurrency = 1000;
  platform::Gate* gate = nullptr;  // strict mode: decides about calls by AWS services
  Scheduler::Options scheduler;
  // Calls an operation of another service by name, for destinations; empty: none can be called.
  std::function<Task<Document>(aws::CallContext call, std::string service, std::string operation,
                               Document input)>
      call;
  std::function<bool(std::string_view service)>
      has_service;  // whether this server answers calls of that service
  platform::StreamWakeups* stream_wakeups = nullptr;  // for mappings that read streams
};

// Where in S3 a package lies.
struct CodeLocation {
  std::optional<std::string> bucket, key, version;
  bool given() const { return bucket || key || version; }
};

// Lambda. One object for all accounts and regions; handlers may run on any loop, the scheduler
// lives on `home`. Owned by server/, outlives every request; start() once before the first, stop()
// before it goes. `home` is the shard's owner loop (the durable queue's), and the engine's.
class Service final : public api::Handlers {
 public:
  // `timers` are not started yet: the queue of asynchronous invocations registers with them.
  Service(storage::Shard& shard, async::Loop& home, Compute& compute, CodeStore& code,
          platform::LogWriter& logs, platform::DurableTimers& timers, ServiceOptions options);
  ~Service() override;

  // functions.cc
  Task<api::CreateFunctionOutput> create_function(Ctx ctx, api::CreateFunctionInput input) override;
  Task<api::GetFunctionOutput> get_function(Ctx ctx, api::GetFunctionInput input) override;
  Task<api::GetFunctionConfigurationOutput> get_function_configuration(
      Ctx ctx, api::GetFunctionConfigurationInput input) override;
  Task<api::DeleteFunctionOutput> delete_function(Ctx ctx, api::DeleteFunctionInput input) override;
  Task<api::ListFunctionsOutput> list_functions(Ctx ctx, api::ListFunctionsInput input) override;
  // update_function.cc
  Task<api::UpdateFunctionCodeOutput> update_function_code(
      Ctx ctx, api::UpdateFunctionCodeInput input) override;
  Task<api::UpdateFunctionConfigurationOutput> update_function_configuration(
      Ctx ctx, api::UpdateFunctionConfigurationInput input) override;
  // versions.cc
  Task<api::PublishVersionOutput> publish_version(Ctx ctx, api::PublishVersionInput input) override;
  Task<api::ListVersionsByFunctionOutput> list_versions_by_function(
      Ctx ctx, api::ListVersionsByFunctionInput input) override;
  // aliases.cc
  Task<api::CreateAliasOutput> create_alias(Ctx ctx, api::CreateAliasInput input) override;
  Task<api::GetAliasOutput> get_alias(Ctx ctx, api::GetAliasInput input) override;
  Task<api::UpdateAliasOutput> update_alias(Ctx ctx, api::UpdateAliasInput input) override;
  Task<api::DeleteAliasOutput> delete_alias(Ctx ctx, api::DeleteAliasInput input) override;
  Task<api::ListAliasesOutput> list_aliases(Ctx ctx, api::ListAliasesInput input) override;
  // permissions.cc
  Task<api::AddPermissionOutput> add_permission(Ctx ctx, api::AddPermissionInput input) override;
  Task<api::RemovePermissionOutput> remove_permission(Ctx ctx,
                                                      api::RemovePermissionInput input) override;
  Task<api::GetPolicyOutput> get_policy(Ctx ctx, api::GetPolicyInput input) override;
  // tags.cc
  Task<api::TagResourceOutput> tag_resource(Ctx ctx, api::TagResourceInput input) override;
  Task<api::UntagResourceOutput> untag_resource(Ctx ctx, api::UntagResourceInput input) override;
  Task<api::ListTagsOutput> list_tags(Ctx ctx, api::ListTagsInput input) override;
  // concurrency.cc
  Task<api::PutFunctionConcurrencyOutput> put_function_concurrency(
      Ctx ctx, api::PutFunctionConcurrencyInput input) override;
  Task<api::GetFunctionConcurrencyOutput> get_function_concurrency(
      Ctx ctx, api::GetFunctionConcurrencyInput input) override;
  Task<api::DeleteFunctionConcurrencyOutput> delete_function_concurrency(
      Ctx ctx, api::DeleteFunctionConcurrencyInput input) override;
  Task<api::GetAccountSettingsOutput> get_account_settings(
      Ctx ctx, api::GetAccountSettingsInput input) override;
  // provisioned_concurrency.cc
  Task<api::PutProvisionedConcurrencyConfigOutput> put_provisioned_concurrency_config(
      Ctx ctx, api::PutProvisionedConcurrencyConfigInput input) override;
  Task<api::GetProvisionedConcurrencyConfigOutput> get_provisioned_concurrency_config(
      Ctx ctx, api::GetProvisionedConcurrencyConfigInput input) override;
  Task<api::ListProvisionedConcurrencyConfigsOutput> list_provisioned_concurrency_configs(
      Ctx ctx, api::ListProvisionedConcurrencyConfigsInput input) override;
  Task<api::DeleteProvisionedConcurrencyConfigOutput> delete_provisioned_concurrency_config(
      Ctx ctx, api::DeleteProvisionedConcurrencyConfigInput input) override;
  // event_invoke_config.cc
  Task<api::PutFunctionEventInvokeConfigOutput> put_function_event_invoke_config(
      Ctx ctx, api::PutFunctionEventInvokeConfigInput input) override;
  Task<api::UpdateFunctionEventInvokeConfigOutput> update_function_event_invoke_config(
      Ctx ctx, api::UpdateFunctionEventInvokeConfigInput input) override;
  Task<api::GetFunctionEventInvokeConfigOutput> get_function_event_invoke_config(
      Ctx ctx, api::GetFunctionEventInvokeConfigInput input) override;
  Task<api::DeleteFunctionEventInvokeConfigOutput> delete_function_event_invoke_config(
      Ctx ctx, api::DeleteFunctionEventInvokeConfigInput input) override;
  Task<api::ListFunctionEventInvokeConfigsOutput> list_function_event_invoke_configs(
      Ctx ctx, api::ListFunctionEventInvokeConfigsInput input) override;
  // reads.cc: what infrastructure tools read back
  Task<api::GetFunctionCodeSigningConfigOutput> get_function_code_signing_config(
      Ctx ctx, api::GetFunctionCodeSigningConfigInput input) override;
  // runtime_management.cc
  Task<api::PutRuntimeManagementConfigOutput> put_runtime_management_config(
      Ctx ctx, api::PutRuntimeManagementConfigInput input) override;
  Task<api::GetRuntimeManagementConfigOutput> get_runtime_management_config(
      Ctx ctx, api::GetRuntimeManagementConfigInput input) override;
  Task<api::PutFunctionRecursionConfigOutput> put_function_recursion_config(
      Ctx ctx, api::PutFunctionRecursionConfigInput input) override;
  Task<api::GetFunctionRecursionConfigOutput> get_function_recursion_config(
      Ctx ctx, api::GetFunctionRecursionConfigInput input) override;
  // layers.cc
  Task<api::PublishLayerVersionOutput> publish_layer_version(
      Ctx ctx, api::PublishLayerVersionInput input) override;
  Task<api::GetLayerVersionOutput> get_layer_version(Ctx ctx,
                                                     api::GetLayerVersionInput input) override;
  Task<api::GetLayerVersionByArnOutput> get_layer_version_by_arn(
      Ctx ctx, api::GetLayerVersionByArnInput input) override;
  Task<api::DeleteLayerVersionOutput> delete_layer_version(
      Ctx ctx, api::DeleteLayerVersionInput input) override;
  Task<api::ListLayersOutput> list_layers(Ctx ctx, api::ListLayersInput input) override;
  Task<api::ListLayerVersionsOutput> list_layer_versions(
      Ctx ctx, api::ListLayerVersionsInput input) override;
  // layer_permissions.cc
  Task<api::AddLayerVersionPermissionOutput> add_layer_version_permission(
      Ctx ctx, api::AddLayerVersionPermissionInput input) override;
  Task<api::RemoveLayerVersionPermissionOutput> remove_layer_version_permission(
      Ctx ctx, api::RemoveLayerVersionPermissionInput input) override;
  Task<api::GetLayerVersionPolicyOutput> get_layer_version_policy(
      Ctx ctx, api::GetLayerVersionPolicyInput input) override;
  // function_urls.cc
  Task<api::CreateFunctionUrlConfigOutput> create_function_url_config(
      Ctx ctx, api::CreateFunctionUrlConfigInput input) override;
  Task<api::GetFunctionUrlConfigOutput> get_function_url_config(
      Ctx ctx, api::GetFunctionUrlConfigInput input) override;
  Task<api::UpdateFunctionUrlConfigOutput> update_function_url_config(
      Ctx ctx, api::UpdateFunctionUrlConfigInput input) override;
  Task<api::DeleteFunctionUrlConfigOutput> delete_function_url_config(
      Ctx ctx, api::DeleteFunctionUrlConfigInput input) override;
  Task<api::ListFunctionUrlConfigsOutput> list_function_url_configs(
      Ctx ctx, api::ListFunctionUrlConfigsInput input) override;
  // event_source_mappings.cc
  Task<api::CreateEventSourceMappingOutput> create_event_source_mapping(
      Ctx ctx, api::CreateEventSourceMappingInput input) override;
  Task<api::GetEventSourceMappingOutput> get_event_source_mapping(
      Ctx ctx, api::GetEventSourceMappingInput input) override;
  Task<api::ListEventSourceMappingsOutput> list_event_source_mappings(
      Ctx ctx, api::ListEventSourceMappingsInput input) override;
  Task<api::UpdateEventSourceMappingOutput> update_event_source_mapping(
      Ctx ctx, api::UpdateEventSourceMappingInput input) override;
  Task<api::DeleteEventSourceMappingOutput> delete_event_source_mapping(
      Ctx ctx, api::DeleteEventSourceMappingInput input) override;
  // invoke.cc
  Task<api::InvokeOutput> invoke(Ctx ctx, api::InvokeInput input) override;
  // invoke_async.cc
  Task<api::InvokeAsyncOutput> invoke_async(Ctx ctx, api::InvokeAsyncInput input) override;
  // invoke_stream.cc
  Task<api::InvokeWithResponseStreamOutput> invoke_with_response_stream(
      Ctx ctx, api::InvokeWithResponseStreamInput input) override;
  // For services that call functions: HTTP APIs now, event sources later.
  Task<platform::InvokeReply> invoke_for_service(platform::InvokeCall call);
  platform::FunctionInvoker& invoker() { return invoker_; }
  // The way to packages that lie in S3; before the first call.
  void set_door(aws::Door& door) { door_ = &door; }

  // A finished run of a function, synchronous or not.
  struct Ran {
    std::string function_error;  // empty or "Unhandled"
    std::string payload;
    std::string executed_version;
    std::string log_tail;
    std::string content_type;     // as the runtime named it
    platform::UsageRecord usage;  // to be written with what becomes of the run
  };
  struct RunRequest {
    FunctionName name;
    std::shared_ptr<const Runnable> what;
    std::string request_id;
    std::string payload;
    std::string client_context;
    std::string trace_id;
    bool want_log_tail = false;
    std::shared_ptr<StreamedAnswer> stream;  // null: the answer is wanted whole
  };
  // streamed_run.cc: a run of which the answer is taken while it is written. Home loop.
  struct StreamedRun {
    std::shared_ptr<StreamedAnswer> answer;
    std::optional<Result<Ran>> done;  // once it has ended
  };
  using StreamedRunRef = std::shared_ptr<StreamedRun>;  // of the run and its taker
  // Its answer as it comes; an error at the end when the function failed. For any loop.
  std::unique_ptr<async::ByteSource> body_of(StreamedRunRef run);

  // function_url_invoke.cc: for the data plane of function URLs. A URL that does not exist (any
  // more) is none.
  struct UrlAddress {
    UrlTarget target;
    UrlRecord record;
  };
  struct UrlCall {
    UrlAddress address;
    std::string request_id;
    std::string event;
  };
  Task<std::optional<UrlAddress>> url_address(std::string url_id);
  Task<Ran> invoke_for_url(UrlCall call);
  // For URLs with InvokeMode RESPONSE_STREAM: returns as soon as the answer begins, or the run
  // ends.
  Task<StreamedRunRef> stream_for_url(UrlCall call);
  async::Env& env() { return home_.env(); }

  // On the home loop: takes up the asynchronous invocations that were left.
  Result<void> start();
  // Event source mappings read and call from here on; on the home loop, when every service that
  // they read is there. They end before those services do.
  Result<void> start_event_sources();
  Task<void> stop_event_sources();
  // After a reset or at the end: all sandboxes go.
  void retire_everything();
  Task<void> stop();
  Scheduler& scheduler() { return scheduler_; }
  CodeDownloads& downloads() { return downloads_; }

 private:
  Task<Ran> run(RunRequest request);
  Task<StreamedRunRef> run_streamed(RunRequest request);
  Task<StreamedRunRef> begin_streamed(RunRequest request);
  Task<void> finish_streamed(RunRequest request, StreamedRunRef run);
  Task<RunRequest> request_for_url(UrlCall call);
  Task<void> permit_url(UrlAddress address);
  Task<void> write_usage(platform::UsageRecord usage);
  // provisioned_concurrency.cc
  Result<RunnableVersion> provisioned_version(const FunctionName& name);
  void provisioned_changed(store::Owner owner, uint64_t function_id);
  void refresh_provisioned(const store::Owner& owner, uint64_t function_id);
  Result<void> start_provisioned();
  Task<Scheduler::Provisioned> provisioned_now(FunctionName name);
  // async_invoke.cc
  Task<void> enqueue_event(Ctx ctx, FunctionName name, std::string payload,
                           std::string client_context, std::string trace_id);
  Task<platform::Delivery> deliver_event(platform::QueueMessage message);
  void enqueue_given_up(storage::Txn& txn, const GivenUp& given_up);
  // source_reading.cc: what event sources need of the service.
  SourceParts source_parts();
  Task<BatchRun> run_batch(FunctionName name, std::string payload);
  // Who the platform is when it acts with a function's role: reads an event source, tells a
  // destination. AccessDenied when the role is gone or does not trust Lambda.
  Task<aws::CallContext> act_as_role(FunctionName function, std::string role_arn,
                                     std::string target_arn);
  Task<aws::CallContext> source_caller(EventSourceRecord source);
  Task<StreamPosition> newest_position(EventSourceRecord source);
  Task<void> must_be_readable(EventSourceRecord source);
  Task<void> permit(platform::InvokeCall call, FunctionName name);
  // Strict mode: the role exists and trusts Lambda.
  Task<void> must_be_assumable(std::string role_arn);
  Task<platform::Delivery> deliver_outcome(platform::QueueMessage message);
  Task<LayerVersionRecord> layer_version(Ctx ctx, LayerName layer, uint64_t version);
  Task<std::vector<LayerUse>> resolve_layers(Ctx ctx, std::vector<std::string> arns);
  Result<void> must_be_invocable(const FunctionName& name, const VersionRecord& version);
  Task<CodeRecord> code_from(Ctx ctx, std::optional<std::string> zip, CodeLocation s3, bool image);
  Task<std::string> zip_from_s3(Ctx ctx, CodeLocation from);  // code_from_s3.cc
  void retire(uint64_t function_id, uint64_t below_generation);
  void retire_all(uint64_t function_id);
  void retire_version(uint64_t function_id, std::string version);

  class Invoker final : public platform::FunctionInvoker {
   public:
    explicit Invoker(Service& service) : service_(service) {}
    Task<platform::InvokeReply> invoke(platform::InvokeCall call) override {
      return service_.invoke_for_service(std::move(call));
    }

   private:
    Service& service_;
  };

  storage::Shard& shard_;
  async::Loop& home_;
  Compute& compute_;
  CodeStore& code_;
  platform::LogWriter& logs_;
  ServiceOptions options_;
  CodeDownloads downloads_;
  Runnables runnables_;
  Scheduler scheduler_;
  Invoker invoker_{*this};
  platform::DurableQueue events_;
  EventSources sources_;
  // By function id and version: what the scheduler was told to keep ready. Home loop.
  std::map<uint64_t, std::map<std::string, RunnableVersion>> provisioned_;
  async::TaskScope streams_;  // runs whose answers are streamed
  aws::Door* door_ = nullptr;
};

// Joins the service to the model. (binding.cc)
aws::ServiceBinding make_binding(Service& service);

}  // namespace virga::lambda
