// CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases.
// Source: Lambda API Reference, the pages of these operations.
#include "api/lambda/create_alias.h"
#include "api/lambda/delete_alias.h"
#include "api/lambda/get_alias.h"
#include "api/lambda/list_aliases.h"
#include "api/lambda/shapes.h"
#include "api/lambda/update_alias.h"
#include "base/strings.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/render.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

AwsError alias_not_found(const FunctionName& name, std::string_view alias) {
  return errors::resource_not_found("Cannot find alias arn: " + name.arn_of(alias));
}

Result<void> check_version(const storage::View& view, const FunctionName& name,
                           const FunctionRecord& record, const std::string& version) {
  if (version == kLatest) return {};
  const auto number = parse_int(version);
  if (number && *number > 0) {
    VIRGA_TRY(found, store::find_version(view, store::owner_of(name), record.id,
                                         static_cast<uint64_t>(*number)));
    if (found) return {};
  }
  return fail(errors::function_not_found(name.arn_of(version)));
}

Result<void> check_weights(const storage::View& view, const FunctionName& name,
                           const FunctionRecord& record, const AliasRecord& alias) {
  if (alias.weights.empty()) return {};
  if (alias.weights.size() > 1) {
    return fail(errors::invalid_parameter(
        "Number of items in AdditionalVersionWeights cannot be greater than 1"));
  }
  const auto& [version, weight] = *alias.weights.begin();
  if (version == alias.version) {
    return fail(errors::invalid_parameter("Invalid function version " + version +
                                          ". Function version " + version +
                                          " is already included in routing configuration."));
  }
  if (version == kLatest || alias.version == kLatest) {
    return fail(errors::invalid_parameter(
        "$LATEST is not supported for an alias pointing to more than 1 version"));
  }
  if (weight < 0.0 || weight > 1.0) {
    return fail(errors::validation(
        std::to_string(weight), "routingConfig.additionalVersionWeights",
        "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
        "Member must have value greater than or equal to 0.0]"));
  }
  return check_version(view, name, record, version);
}

}  // namespace

Task<api::CreateAliasOutput> Service::create_alias(Ctx ctx, api::CreateAliasInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  co_await must_be_unqualified(name, "");
  const auto owner = store::owner_of(name);
  AliasRecord alias{.name = input.name,
                    .version = input.function_version,
                    .description = input.description.value_or(""),
                    .revision_id = new_revision_id(ctx)};
  if (input.routing_config && input.routing_config->additional_version_weights) {
    alias.weights = *input.routing_config->additional_version_weights;
  }
  if (!is_alias_name(alias.name)) {
    co_return fail(errors::validation(
        alias.name, "name",
        "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"));
  }
  auto create = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY_VOID(check_version(txn, name, record, alias.version));
    VIRGA_TRY_VOID(check_weights(txn, name, record, alias));
    VIRGA_TRY(found, store::find_alias(txn, owner, record.id, alias.name));
    if (found)
      return fail(errors::resource_conflict("Alias already exists: " + name.arn_of(alias.name)));
    store::put_alias(txn, owner, record.id, alias);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(create));
  co_return render(alias, name);
}

Task<api::GetAliasOutput> Service::get_alias(Ctx ctx, api::GetAliasInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto view = shard_.snapshot();
  const auto record = co_await store::get_function(*view, name);
  const auto alias =
      co_await store::find_alias(*view, store::owner_of(name), record.id, input.name);
  if (!alias) co_return fail(alias_not_found(name, input.name));
  co_return render(*alias, name);
}

Task<api::UpdateAliasOutput> Service::update_alias(Ctx ctx, api::UpdateAliasInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto owner = store::owner_of(name);
  const std::string revision = new_revision_id(ctx);
  auto update = [&](storage::Txn& txn) -> Result<AliasRecord> {
    VIRGA_TRY(record, store::get_function(txn, name));
    VIRGA_TRY(found, store::find_alias(txn, owner, record.id, input.name));
    if (!found) return fail(alias_not_found(name, input.name));
    AliasRecord alias = std::move(*found);
    if (input.revision_id && *input.revision_id != alias.revision_id) {
      return fail(errors::function_revision_mismatch());
    }
    if (input.function_version) alias.version = *input.function_version;
    if (input.description) alias.description = *input.description;
    if (input.routing_config)
      alias.weights = input.routing_config->additional_version_weights.value_or({});
    VIRGA_TRY_VOID(check_version(txn, name, record, alias.version));
    VIRGA_TRY_VOID(check_weights(txn, name, record, alias));
    alias.revision_id = revision;
    store::put_alias(txn, owner, record.id, alias);
    txn.on_published([this, owner, id = record.id] { provisioned_changed(owner, id); });
    return alias;
  };
  const auto alias = co_await platform::transact(ctx, shard_, std::move(update));
  co_return render(alias, name);
}

Task<api::DeleteAliasOutput> Service::delete_alias(Ctx ctx, api::DeleteAliasInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto owner = store::owner_of(name);
  auto erase = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(record, store::get_function(txn, name));
    store::erase_alias(txn, owner, record.id, input.name);
    store::erase_provisioned(txn, owner, record.id, input.name);
    txn.on_published([this, owner, id = record.id] { provisioned_changed(owner, id); });
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(erase));
  co_return api::DeleteAliasOutput();
}

Task<api::ListAliasesOutput> Service::list_aliases(Ctx ctx, api::ListAliasesInput input) {
  const auto name = co_await parse_name(ctx, input.function_name);
  const auto view = shard_.snapshot();
  const auto record = co_await store::get_function(*view, name);
  const auto after = co_await read_marker("aliases", input.marker);
  const size_t limit = page_size(input.max_items);
  const auto all =
      co_await store::list_aliases(*view, store::owner_of(name), record.id, after, SIZE_MAX);
  api::ListAliasesOutput out;
  auto& rows = out.aliases.emplace();
  std::string last;
  for (const auto& alias : all) {
    if (input.function_version && alias.version != *input.function_version) continue;
    if (rows.size() >= limit) {
      out.next_marker = make_marker("aliases", last);
      break;
    }
    rows.push_back(render(alias, name));
    last = alias.name;
  }
  co_return out;
}

}  // namespace virga::lambda
