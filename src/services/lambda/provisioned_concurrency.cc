// Provisioned concurrency: sandboxes of a published version that stand ready. Source: Lambda API
// Reference, PutProvisionedConcurrencyConfig and its family; Lambda Developer Guide, "Configuring
// provisioned concurrency for a function".
#include <set>

#include "api/lambda/delete_provisioned_concurrency_config.h"
#include "api/lambda/enums.h"
#include "api/lambda/get_provisioned_concurrency_config.h"
#include "api/lambda/list_provisioned_concurrency_configs.h"
#include "api/lambda/put_provisioned_concurrency_config.h"
#include "api/lambda/shapes.h"
#include "async/call_on.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

// What stays for functions without a reservation. Source: Lambda Developer Guide, "Understanding
// Lambda function scaling".
constexpr int kUnreservedMin = 100;
// How long a reader waits for what is being started.
constexpr int64_t kSettleMillis = 5'000;

AwsError no_config() {
  return AwsError{.code = "ProvisionedConcurrencyConfigNotFoundException",
                  .http_status = 404,
                  .message = "No Provisioned Concurrency Config found for this function",
                  .detail = std::make_shared<const Document>(
                      Document::Object{Document::Member{"Type", Document("User")}})};
}

// The published version that a qualifier means; its text is the version's number.
Result<std::string> published_version(const storage::View& view, const FunctionName& name,
                                      uint64_t id) {
  std::string version = name.qualifier;
  if (is_alias_name(name.qualifier)) {
    VIRGA_TRY(alias, store::find_alias(view, store::owner_of(name), id, name.qualifier));
    if (!alias) return fail(errors::resource_not_found("Cannot find alias arn: " + name.arn()));
    version = alias->version;
  }
  if (version == kLatest) {
    return fail(errors::invalid_parameter(
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."));
  }
  VIRGA_TRY(found, store::resolve(view, name, 1.0));
  return version;
}

// One version has one configuration: its own or that of one alias.
Result<void> check_others(const storage::View& view, const FunctionName& name,
                          const FunctionRecord& function, const std::string& version) {
  const auto owner = store::owner_of(name);
  VIRGA_TRY(others, store::list_provisioned(view, owner, function.id));
  for (const auto& other : others) {
    if (other.function.qualifier == name.qualifier) continue;
    const auto its_version = published_version(view, other.function, function.id);
    if (!its_version || *its_version != version) continue;
    return fail(errors::resource_conflict(
        is_alias_name(name.qualifier)
            ? "Alias can't be used for Provisioned Concurrency configuration on an already "
              "Provisioned version"
            : "Version is pointed by a Provisioned Concurrency alias"));
  }
  return {};
}

Result<void> check_limits(const storage::View& view, const FunctionName& name,
                          const FunctionRecord& function, int wanted, int account_limit) {
  if (function.reserved_concurrency) {
    if (wanted <= *function.reserved_concurrency) return {};
    return fail(errors::invalid_parameter(
        "Requested Provisioned Concurrency should not be greater than the "
        "reservedConcurrentExecution for function"));
  }
  VIRGA_TRY(all, store::all_provisioned(view));
  VIRGA_TRY(reserved, store::account_reserved(view, store::owner_of(name)));
  int total = reserved + wanted;
  for (const auto& other : all) {
    const bool same_owner =
        other.function.account == name.account && other.function.region == name.region;
    if (same_owner && other.function.arn() != name.arn()) total += other.requested;
  }
  if (account_limit - total >= kUnreservedMin) return {};
  return fail(
      errors::invalid_parameter("Specified ConcurrentExecutions for function decreases account's "
                                "UnreservedConcurrentExecution below its minimum value of [" +
                                std::to_string(kUnreservedMin) + "]."));
}

template <class Out>
Out shown(const ProvisionedRecord& record, const Scheduler::Provisioned& now) {
  Out out;
  const int allocated = std::min(now.allocated, record.requested);
  out.requested_provisioned_concurrent_executions = record.requested;
  out.allocated_provisioned_concurrent_executions = allocated;
  out.available_provisioned_concurrent_executions = std::min(now.available, record.requested);
  out.last_modified = format_last_modified(record.modified);
  namespace status = api::provisioned_concurrency_status_enum;
  out.status = now.failed                      ? status::kFailed
               : allocated >= record.requested ? status::kReady
                                               : status::kInProgress;
  if (now.failed) out.status_reason = "FUNCTION_ERROR_INIT_FAILURE";
  return out;
}

}  // namespace

Result<RunnableVersion> Service::provisioned_version(const FunctionName& name) {
  VIRGA_TRY(what, runnables_.find(*shard_.snapshot(), name, 1.0));
  return RunnableVersion{.function_id = what->function->id,
                         .version = what->version.version,
                         .generation = what->version.generation,
                         .spec = what->spec};
}

// To be called when a change is published; takes effect outside that publication.
void Service::provisioned_changed(store::Owner owner, uint64_t function_id) {
  home_.post(
      [this, owner = std::move(owner), function_id] { refresh_provisioned(owner, function_id); });
}

// Makes the scheduler keep what the function's configurations say, and nothing else. Home loop.
void Service::refresh_provisioned(const store::Owner& owner, uint64_t function_id) {
  const auto configs = store::list_provisioned(*shard_.snapshot(), owner, function_id);
  if (!configs) return;
  std::map<std::string, RunnableVersion> kept;
  for (const auto& config : *configs) {
    auto version = provisioned_version(config.function);
    if (!version) continue;
    scheduler_.provision(*version, config.requested);
    const std::string number = version->version;
    kept.insert_or_assign(number, std::move(*version));
  }
  for (const auto& [number, version] : std::exchange(provisioned_[function_id], kept)) {
    if (!kept.contains(number)) scheduler_.provision(version, 0);
  }
  if (kept.empty()) provisioned_.erase(function_id);
}

Result<void> Service::start_provisioned() {
  VIRGA_TRY(all, store::all_provisioned(*shard_.snapshot()));
  std::set<uint64_t> done;
  for (const auto& record : all) {
    const auto owner = store::owner_of(record.function);
    const auto function = store::find_function(*shard_.snapshot(), owner, record.function.name);
    if (function && *function && done.insert((*function)->id).second)
      refresh_provisioned(owner, (*function)->id);
  }
  return {};
}

Task<Scheduler::Provisioned> Service::provisioned_now(FunctionName name) {
  const auto version = co_await provisioned_version(name);
  const auto until = home_.now().plus_millis(kSettleMillis);
  const auto settled = co_await as_result(scheduler_.await_provisioned(version, until));
  ignore(settled, "what is still being started shows as IN_PROGRESS");
  co_return scheduler_.provisioned(version);
}

Task<api::PutProvisionedConcurrencyConfigOutput> Service::put_provisioned_concurrency_config(
    Ctx ctx, api::PutProvisionedConcurrencyConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto owner = store::owner_of(name);
  const ProvisionedRecord record{.function = name,
                                 .requested = input.provisioned_concurrent_executions,
                                 .modified = ctx->now.at};
  auto put = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(function, store::get_function(txn, name));
    VIRGA_TRY(version, published_version(txn, name, function.id));
    VIRGA_TRY_VOID(check_others(txn, name, function, version));
    VIRGA_TRY_VOID(
        check_limits(txn, name, function, record.requested, options_.account_concurrency));
    store::put_provisioned(txn, function.id, record);
    txn.on_published([this, owner, id = function.id] { provisioned_changed(owner, id); });
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(put));
  co_return shown<api::PutProvisionedConcurrencyConfigOutput>(record, {});
}

Task<api::GetProvisionedConcurrencyConfigOutput> Service::get_provisioned_concurrency_config(
    Ctx ctx, api::GetProvisionedConcurrencyConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto view = shard_.snapshot();
  const auto function = co_await store::get_function(*view, name);
  const auto record =
      co_await store::find_provisioned(*view, store::owner_of(name), function.id, name.qualifier);
  if (!record) co_return fail(no_config());
  auto looking = provisioned_now(record->function);
  const auto now = co_await async::call_on(home_, std::move(looking));
  co_return shown<api::GetProvisionedConcurrencyConfigOutput>(
      *record, now.value_or(Scheduler::Provisioned{}));
}

Task<api::ListProvisionedConcurrencyConfigsOutput> Service::list_provisioned_concurrency_configs(
    Ctx ctx, api::ListProvisionedConcurrencyConfigsInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto view = shard_.snapshot();
  const auto function = co_await store::get_function(*view, name);
  const auto after = co_await read_marker("provisioned", input.marker);
  const size_t limit = page_size(input.max_items);
  const auto records = co_await store::list_provisioned(*view, store::owner_of(name), function.id);
  api::ListProvisionedConcurrencyConfigsOutput out;
  auto& rows = out.provisioned_concurrency_configs.emplace();
  std::string last;
  for (const auto& record : records) {
    if (!after.empty() && record.function.qualifier <= after) continue;
    if (rows.size() == limit) {
      out.next_marker = make_marker("provisioned", last);
      break;
    }
    last = record.function.qualifier;
    auto looking = provisioned_now(record.function);
    const auto now = co_await async::call_on(home_, std::move(looking));
    auto row = shown<api::ProvisionedConcurrencyConfigListItem>(
        record, now.value_or(Scheduler::Provisioned{}));
    row.function_arn = record.function.arn();
    rows.push_back(std::move(row));
  }
  co_return out;
}

Task<api::DeleteProvisionedConcurrencyConfigOutput> Service::delete_provisioned_concurrency_config(
    Ctx ctx, api::DeleteProvisionedConcurrencyConfigInput input) {
  const auto name = co_await parse_name(ctx, input.function_name, input.qualifier);
  const auto owner = store::owner_of(name);
  auto erase = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(function, store::get_function(txn, name));
    store::erase_provisioned(txn, owner, function.id, name.qualifier);
    txn.on_published([this, owner, id = function.id] { provisioned_changed(owner, id); });
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(erase));
  co_return api::DeleteProvisionedConcurrencyConfigOutput();
}

}  // namespace virga::lambda
