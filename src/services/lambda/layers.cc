// PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, DeleteLayerVersion, ListLayers,
// ListLayerVersions. Source: Lambda API Reference, the pages of these operations; Lambda Developer
// Guide, "Managing Lambda dependencies with layers".
#include <algorithm>

#include "api/lambda/delete_layer_version.h"
#include "api/lambda/get_layer_version.h"
#include "api/lambda/get_layer_version_by_arn.h"
#include "api/lambda/list_layer_versions.h"
#include "api/lambda/list_layers.h"
#include "api/lambda/publish_layer_version.h"
#include "api/lambda/shapes.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "platform/transact.h"
#include "services/lambda/errors.h"
#include "services/lambda/layer_store.h"
#include "services/lambda/policy.h"
#include "services/lambda/runtimes.h"
#include "services/lambda/service.h"
#include "services/lambda/settings.h"
#include "services/lambda/support.h"

namespace virga::lambda {
namespace {

AwsError no_such_layer() {
  return errors::resource_not_found("The resource you requested does not exist.");
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// What PublishLayerVersion, GetLayerVersion and the items of lists share.
template <class Out>
void describe(const LayerName& layer, const LayerVersionRecord& record, Out& out) {
  out.layer_version_arn = layer.version_arn(record.version);
  out.version = static_cast<int64_t>(record.version);
  out.description = record.description;
  out.created_date = format_last_modified(record.created);
  if (!record.runtimes.empty()) out.compatible_runtimes = record.runtimes;
  if (!record.architectures.empty()) out.compatible_architectures = record.architectures;
  out.license_info = unless_empty(record.license);
}

template <class Out>
void describe_content(Ctx ctx, const CodeDownloads& downloads, const LayerVersionRecord& record,
                      Out& out) {
  auto& content = out.content.emplace();
  content.code_sha256 = record.code.sha256_base64;
  content.code_size = static_cast<int64_t>(record.code.zip_bytes);
  content.location = downloads.url(ctx->endpoint, record.code.sha256_hex, ctx->env->wall.now());
}

api::LayerVersionsListItem item_of(const LayerName& layer, const LayerVersionRecord& record) {
  api::LayerVersionsListItem out;
  describe(layer, record, out);
  return out;
}

// A version without a list of its own fits everything.
bool fits(const LayerVersionRecord& record, const std::optional<std::string>& runtime,
          const std::optional<std::string>& architecture) {
  const auto has = [](const std::vector<std::string>& list,
                      const std::optional<std::string>& wanted) {
    return !wanted || std::find(list.begin(), list.end(), *wanted) != list.end();
  };
  return has(record.runtimes, runtime) && has(record.architectures, architecture);
}

Result<void> check_publish(const api::PublishLayerVersionInput& in) {
  VIRGA_TRY_VOID(
      refuse_unsupported(in.content.s3_bucket || in.content.s3_key, "Content from S3 (S3Bucket)"));
  if (!in.content.zip_file)
    return fail(errors::invalid_parameter("Please provide a source for layer content."));
  return {};
}

}  // namespace

Task<api::PublishLayerVersionOutput> Service::publish_layer_version(
    Ctx ctx, api::PublishLayerVersionInput input) {
  const auto layer =
      co_await LayerName::parse(input.layer_name, ctx->account, ctx->region, ctx->partition);
  co_await check_publish(input);
  LayerVersionRecord record{.layer = layer.name,
                            .description = input.description.value_or(""),
                            .license = input.license_info.value_or(""),
                            .created = ctx->now.at};
  if (input.compatible_runtimes) co_await check_compatible_runtimes(*input.compatible_runtimes);
  if (input.compatible_runtimes) record.runtimes = *input.compatible_runtimes;
  if (input.compatible_architectures) record.architectures = *input.compatible_architectures;
  record.code = co_await code_.put(std::move(*input.content.zip_file));
  const auto owner = store::owner_of(layer);
  auto publish = [&](storage::Txn& txn) -> Result<bool> {
    VIRGA_TRY(found, store::find_layer(txn, owner, layer.name));
    LayerRecord head = found.value_or(LayerRecord{.name = layer.name});
    record.version = ++head.last_version;
    store::put_layer(txn, owner, head);
    store::put_layer_version(txn, owner, record);
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(publish));
  api::PublishLayerVersionOutput out;
  out.layer_arn = layer.arn();
  describe(layer, record, out);
  describe_content(ctx, downloads_, record, out);
  co_return out;
}

Task<LayerVersionRecord> Service::layer_version(Ctx ctx, LayerName layer, uint64_t version) {
  const auto owner = store::owner_of(layer);
  const auto view = shard_.snapshot();
  const auto record = co_await store::find_layer_version(*view, owner, layer.name, version);
  if (layer.account != ctx->account && options_.gate) {
    const auto policy = co_await store::find_layer_policy(*view, owner, layer.name, version);
    const bool shared =
        policy && layer_is_shared_with(*policy, layer.version_arn(version), ctx->account);
    if (!record || !shared) {
      co_return fail(AwsError{
          .code = "AccessDeniedException",
          .http_status = 403,
          .message = "User: " + ctx->principal.arn +
                     " is not authorized to perform: "
                     "lambda:GetLayerVersion on resource: " +
                     layer.version_arn(version) +
                     " because no resource-based policy allows the lambda:GetLayerVersion action"});
    }
  }
  if (!record) co_return fail(no_such_layer());
  co_return *record;
}

Task<api::GetLayerVersionOutput> Service::get_layer_version(Ctx ctx,
                                                            api::GetLayerVersionInput input) {
  const auto layer =
      co_await LayerName::parse(input.layer_name, ctx->account, ctx->region, ctx->partition);
  if (input.version_number < 1)
    co_return fail(errors::invalid_parameter("Layer Version Cannot be less than 1."));
  const auto record =
      co_await layer_version(ctx, layer, static_cast<uint64_t>(input.version_number));
  api::GetLayerVersionOutput out;
  out.layer_arn = layer.arn();
  describe(layer, record, out);
  describe_content(ctx, downloads_, record, out);
  co_return out;
}

Task<api::GetLayerVersionByArnOutput> Service::get_layer_version_by_arn(
    Ctx ctx, api::GetLayerVersionByArnInput input) {
  const auto name = LayerVersionName::parse_arn(input.arn);
  if (!name) co_return fail(errors::invalid_parameter("Invalid Layer version ARN: " + input.arn));
  const auto record = co_await layer_version(ctx, name->layer, name->version);
  api::GetLayerVersionByArnOutput out;
  out.layer_arn = name->layer.arn();
  describe(name->layer, record, out);
  describe_content(ctx, downloads_, record, out);
  co_return out;
}

// Functions that use the version keep it: their records name its code. Deleting what is not there
// succeeds.
Task<api::DeleteLayerVersionOutput> Service::delete_layer_version(
    Ctx ctx, api::DeleteLayerVersionInput input) {
  const auto layer =
      co_await LayerName::parse(input.layer_name, ctx->account, ctx->region, ctx->partition);
  if (input.version_number < 1)
    co_return fail(errors::invalid_parameter("Layer Version Cannot be less than 1."));
  auto erase = [&](storage::Txn& txn) -> Result<bool> {
    store::erase_layer_version(txn, store::owner_of(layer), layer.name,
                               static_cast<uint64_t>(input.version_number));
    return true;
  };
  co_await platform::transact(ctx, shard_, std::move(erase));
  co_return api::DeleteLayerVersionOutput();
}

Task<api::ListLayersOutput> Service::list_layers(Ctx ctx, api::ListLayersInput input) {
  const store::Owner owner{ctx->account, ctx->region};
  const auto view = shard_.snapshot();
  const auto after = co_await read_marker("layers", input.marker);
  const size_t limit = page_size(input.max_items);
  const auto layers = co_await store::list_layers(*view, owner, after, SIZE_MAX);
  api::ListLayersOutput out;
  auto& rows = out.layers.emplace();
  std::string last;
  for (const auto& record : layers) {
    const auto versions =
        co_await store::list_layer_versions(*view, owner, record.name, 0, SIZE_MAX);
    const auto newest = std::find_if(versions.begin(), versions.end(), [&](const auto& version) {
      return fits(version, input.compatible_runtime, input.compatible_architecture);
    });
    if (newest == versions.end()) continue;
    if (rows.size() == limit) {
      out.next_marker = make_marker("layers", last);
      break;
    }
    const LayerName layer{.account = owner.account,
                          .region = owner.region,
                          .partition = ctx->partition,
                          .name = record.name};
    auto& row = rows.emplace_back();
    row.layer_name = record.name;
    row.layer_arn = layer.arn();
    row.latest_matching_version.emplace() = item_of(layer, *newest);
    last = record.name;
  }
  co_return out;
}

Task<api::ListLayerVersionsOutput> Service::list_layer_versions(Ctx ctx,
                                                                api::ListLayerVersionsInput input) {
  const auto layer =
      co_await LayerName::parse(input.layer_name, ctx->account, ctx->region, ctx->partition);
  const auto before = co_await read_marker("layer-versions", input.marker);
  const size_t limit = page_size(input.max_items);
  const auto from = static_cast<uint64_t>(parse_int(before).value_or(0));
  const auto versions = co_await store::list_layer_versions(
      *shard_.snapshot(), store::owner_of(layer), layer.name, from, SIZE_MAX);
  api::ListLayerVersionsOutput out;
  auto& rows = out.layer_versions.emplace();
  uint64_t last = 0;
  for (const auto& record : versions) {
    if (!fits(record, input.compatible_runtime, input.compatible_architecture)) continue;
    if (rows.size() == limit) {
      out.next_marker = make_marker("layer-versions", std::to_string(last));
      break;
    }
    rows.push_back(item_of(layer, record));
    last = record.version;
  }
  co_return out;
}

// What a function's Layers name, in their order, checked as AWS does.
Task<std::vector<LayerUse>> Service::resolve_layers(Ctx ctx, std::vector<std::string> arns) {
  constexpr size_t kLayersMax = 5;  // Source: Lambda quotas page, "Function layers".
  if (arns.size() > kLayersMax)
    co_return fail(errors::invalid_parameter("Cannot reference more than 5 layers."));
  std::vector<LayerUse> out;
  std::vector<std::string> seen;
  for (const auto& arn : arns) {
    const auto name = LayerVersionName::parse_arn(arn);
    if (!name) {
      co_return fail(errors::validation(
          "[" + join(arns, ", ") + "]", "layers",
          "Member must satisfy constraint: [Member must have length less than or equal to "
          "2048, Member must have length greater than or equal to 1, Member must satisfy "
          "regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:[a-z]{2}((-gov)|"
          "(-iso(b?)))?-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|"
          "(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+), Member must not be null]"));
    }
    if (name->layer.region != ctx->region) {
      co_return fail(errors::invalid_parameter(
          "Layers are not in the same region as the function. Layers are expected to be "
          "in region " +
          ctx->region + "."));
    }
    if (std::find(seen.begin(), seen.end(), name->layer.arn()) != seen.end()) {
      co_return fail(errors::invalid_parameter(
          "Two different versions of the same layer are not allowed to be referenced in the same "
          "function. " +
          arn + " and " +
          out[static_cast<size_t>(std::find(seen.begin(), seen.end(), name->layer.arn()) -
                                  seen.begin())]
              .arn +
          " are versions of the same layer."));
    }
    const auto record = co_await as_result(layer_version(ctx, name->layer, name->version));
    if (!record && record.error().code == "ResourceNotFoundException") {
      co_return fail(errors::invalid_parameter("Layer version " + arn + " does not exist."));
    }
    if (!record) co_return fail(record.error());
    seen.push_back(name->layer.arn());
    out.push_back({.arn = arn, .code = record->code});
  }
  co_return out;
}

}  // namespace virga::lambda
