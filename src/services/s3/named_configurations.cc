// The configurations that a bucket may have many of, each under a name: analytics, inventories,
// metrics, archiving of INTELLIGENT_TIERING. They are kept and told; reports, metrics and moves to
// archive tiers are not made. A bucket's configurations of one kind are one record: the model's
// list of them, in the order of their names. Source: S3 API Reference, the operations' pages.
#include "services/s3/named_configurations.h"

#include <algorithm>

#include "api/s3/delete_bucket_analytics_configuration.h"
#include "api/s3/delete_bucket_intelligent_tiering_configuration.h"
#include "api/s3/delete_bucket_inventory_configuration.h"
#include "api/s3/delete_bucket_metrics_configuration.h"
#include "api/s3/get_bucket_analytics_configuration.h"
#include "api/s3/get_bucket_intelligent_tiering_configuration.h"
#include "api/s3/get_bucket_inventory_configuration.h"
#include "api/s3/get_bucket_metrics_configuration.h"
#include "api/s3/list_bucket_analytics_configurations.h"
#include "api/s3/list_bucket_intelligent_tiering_configurations.h"
#include "api/s3/list_bucket_inventory_configurations.h"
#include "api/s3/list_bucket_metrics_configurations.h"
#include "api/s3/put_bucket_analytics_configuration.h"
#include "api/s3/put_bucket_intelligent_tiering_configuration.h"
#include "api/s3/put_bucket_inventory_configuration.h"
#include "api/s3/put_bucket_metrics_configuration.h"
#include "services/s3/configurations.h"
#include "services/s3/enum_values.h"
#include "services/s3/errors.h"
#include "services/s3/listing.h"
#include "services/s3/service.h"

namespace virga::s3 {
namespace {

constexpr size_t kNamedPerBucket = 1000;
constexpr size_t kNamedPerPage = 100;

using AnalyticsKind =
    NamedKind<api::ListBucketAnalyticsConfigurationsOutput, api::AnalyticsConfiguration>;
using InventoryKind =
    NamedKind<api::ListBucketInventoryConfigurationsOutput, api::InventoryConfiguration>;
using MetricsKind =
    NamedKind<api::ListBucketMetricsConfigurationsOutput, api::MetricsConfiguration>;
using TieringKind = NamedKind<api::ListBucketIntelligentTieringConfigurationsOutput,
                              api::IntelligentTieringConfiguration>;

constexpr AnalyticsKind kAnalytics{
    config::kAnalytics,
    &api::ListBucketAnalyticsConfigurationsOutput::analytics_configuration_list};
constexpr InventoryKind kInventory{
    config::kInventory,
    &api::ListBucketInventoryConfigurationsOutput::inventory_configuration_list};
constexpr MetricsKind kMetrics{
    config::kMetrics, &api::ListBucketMetricsConfigurationsOutput::metrics_configuration_list};
constexpr TieringKind kTiering{
    config::kIntelligentTiering,
    &api::ListBucketIntelligentTieringConfigurationsOutput::intelligent_tiering_configuration_list};

AwsError no_such_configuration() {
  return errors::make("NoSuchConfiguration", 404, "The specified configuration does not exist.");
}

// All configurations of a kind, from their record.
template <class List, class Item>
Result<std::vector<Item>> decode_named(const NamedKind<List, Item>& kind,
                                       const std::optional<std::string>& bytes) {
  if (!bytes) return std::vector<Item>();
  VIRGA_TRY(list, decode_config<List>(*bytes));
  auto& items = list.*kind.list;
  return items ? std::move(*items) : std::vector<Item>();
}

template <class Item>
auto find_named(std::vector<Item>& items, const std::string& id) {
  return std::lower_bound(
      items.begin(), items.end(), id,
      [](const Item& item, const std::string& wanted) { return item.id < wanted; });
}

// Source: S3 API Reference, PutBucketMetricsConfiguration: 64 letters, digits, periods, dashes,
// underscores. A name that is not the address's is told by MalformedXML, as users report.
Result<void> check_name(const std::string& of_address, const std::string& of_body) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (of_address != of_body) return fail(errors::malformed_xml());
  if (of_body.empty() || of_body.size() > 64 || !std::all_of(of_body.begin(), of_body.end(), fits))
    return fail(errors::invalid_argument("The configuration ID is not valid", "id", of_body));
  return {};
}

// A filter has one condition, or several below And.
template <class Filter>
bool is_one_condition(const Filter& filter) {
  return filter.prefix.has_value() + static_cast<int>(static_cast<bool>(filter.tag)) +
             static_cast<int>(static_cast<bool>(filter.and_)) ==
         1;
}

Result<void> check_destination(const std::string& bucket_arn) {
  if (bucket_arn.starts_with("arn:") && bucket_arn.find(":s3:::") != std::string::npos) return {};
  return fail(errors::make("InvalidS3DestinationBucket", 400, "Invalid bucket ARN."));
}

// Source: S3 User Guide, "Using S3 Intelligent-Tiering": 90, resp. 180, to 730 days.
Result<void> check_tierings(const std::vector<api::Tiering>& tierings) {
  if (tierings.empty() || tierings.size() > 2) return fail(errors::malformed_xml());
  if (tierings.size() == 2 && tierings[0].access_tier == tierings[1].access_tier)
    return fail(errors::malformed_xml());
  for (const api::Tiering& tiering : tierings) {
    const int32_t least = tiering.access_tier == "ARCHIVE_ACCESS" ? 90 : 180;
    if (tiering.days >= least && tiering.days <= 730) continue;
    return fail(errors::invalid_argument("'Days' for " + tiering.access_tier + " must be between " +
                                             std::to_string(least) + " and 730",
                                         "Days", std::to_string(tiering.days)));
  }
  return {};
}

constexpr size_t kNamedBytesMax = 16 * 1024;  // ours: a prefix has at most 1,024, tags are few

}  // namespace

template <class List, class Item>
Task<void> Service::put_named(Ctx ctx, NamedKind<List, Item> kind, std::string bucket, Item item) {
  co_await check_enum_values(item);
  // All of one kind share a record, which this rewrites.
  if (encode_config(item).size() > kNamedBytesMax) co_return fail(errors::malformed_xml());
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(found, s3.bucket(bucket));
    VIRGA_TRY(bytes, s3.config(found, kind.config));
    VIRGA_TRY(items, decode_named(kind, bytes));
    const auto at = find_named(items, item.id);
    if (at != items.end() && at->id == item.id) {
      *at = std::move(item);
    } else if (items.size() >= kNamedPerBucket) {
      return fail(errors::make("TooManyConfigurations", 400,
                               "You are attempting to create a new configuration but have already "
                               "reached the 1,000-configuration limit."));
    } else {
      items.insert(at, std::move(item));
    }
    List list;
    list.*kind.list = std::move(items);
    s3.put_config(found, kind.config, encode_config(list));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return ok();
}

template <class List, class Item>
Task<Item> Service::get_named(NamedKind<List, Item> kind, std::string bucket, std::string id) {
  const auto bytes = co_await config_of(bucket, kind.config);
  std::vector<Item> items = co_await decode_named(kind, bytes);
  const auto at = find_named(items, id);
  if (at == items.end() || at->id != id) co_return fail(no_such_configuration());
  co_return std::move(*at);
}

template <class List, class Item>
Task<void> Service::delete_named(Ctx ctx, NamedKind<List, Item> kind, std::string bucket,
                                 std::string id) {
  const auto body = [&](S3Transaction& s3) -> Result<bool> {
    VIRGA_TRY(found, s3.bucket(bucket));
    VIRGA_TRY(bytes, s3.config(found, kind.config));
    VIRGA_TRY(items, decode_named(kind, bytes));
    const auto at = find_named(items, id);
    if (at == items.end() || at->id != id) return fail(no_such_configuration());
    items.erase(at);
    List list;
    list.*kind.list = std::move(items);
    s3.put_config(found, kind.config, encode_config(list));
    return true;
  };
  const bool done = co_await write(ctx, body);
  ignore(done, "always");
  co_return ok();
}

// A page of 100. Its token names the last configuration that was told.
template <class List, class Item>
Task<List> Service::list_named(NamedKind<List, Item> kind, std::string bucket,
                               std::optional<std::string> token) {
  const auto bytes = co_await config_of(bucket, kind.config);
  std::vector<Item> items = co_await decode_named(kind, bytes);
  const ListPosition after = co_await read_list_token(bucket, token);
  auto from = items.begin();
  if (token)
    from = std::find_if(from, items.end(), [&](auto& item) { return item.id > after.key; });
  items.erase(items.begin(), from);
  List output;
  output.is_truncated = items.size() > kNamedPerPage;
  output.continuation_token = std::move(token);
  if (items.size() > kNamedPerPage) {
    items.erase(items.begin() + kNamedPerPage, items.end());
    const ListPosition last{.key = items.back().id, .common_prefix = false, .version_id = {}};
    output.next_continuation_token = make_list_token(bucket, last);
  }
  if (!items.empty()) output.*kind.list = std::move(items);
  co_return std::move(output);
}

// ---- analytics

Task<api::PutBucketAnalyticsConfigurationOutput> Service::put_bucket_analytics_configuration(
    Ctx ctx, api::PutBucketAnalyticsConfigurationInput input) {
  api::AnalyticsConfiguration& item = input.analytics_configuration;
  co_await check_name(input.id, item.id);
  if (item.filter && !is_one_condition(*item.filter)) co_return fail(errors::malformed_xml());
  if (const auto& exported = item.storage_class_analysis.data_export)
    co_await check_destination(exported->destination.s3_bucket_destination.bucket);
  co_await put_named(ctx, kAnalytics, input.bucket, std::move(item));
  co_return api::PutBucketAnalyticsConfigurationOutput();
}

Task<api::GetBucketAnalyticsConfigurationOutput> Service::get_bucket_analytics_configuration(
    Ctx, api::GetBucketAnalyticsConfigurationInput input) {
  api::GetBucketAnalyticsConfigurationOutput output;
  api::AnalyticsConfiguration found = co_await get_named(kAnalytics, input.bucket, input.id);
  output.analytics_configuration = std::move(found);
  co_return std::move(output);
}

Task<api::DeleteBucketAnalyticsConfigurationOutput> Service::delete_bucket_analytics_configuration(
    Ctx ctx, api::DeleteBucketAnalyticsConfigurationInput input) {
  co_await delete_named(ctx, kAnalytics, input.bucket, input.id);
  co_return api::DeleteBucketAnalyticsConfigurationOutput();
}

Task<api::ListBucketAnalyticsConfigurationsOutput> Service::list_bucket_analytics_configurations(
    Ctx, api::ListBucketAnalyticsConfigurationsInput input) {
  return list_named(kAnalytics, input.bucket, input.continuation_token);
}

// ---- inventory

Task<api::PutBucketInventoryConfigurationOutput> Service::put_bucket_inventory_configuration(
    Ctx ctx, api::PutBucketInventoryConfigurationInput input) {
  api::InventoryConfiguration& item = input.inventory_configuration;
  co_await check_name(input.id, item.id);
  co_await check_destination(item.destination.s3_bucket_destination.bucket);
  const auto& encryption = item.destination.s3_bucket_destination.encryption;
  if (encryption && encryption->sses3 && encryption->ssekms)
    co_return fail(errors::malformed_xml());
  co_await put_named(ctx, kInventory, input.bucket, std::move(item));
  co_return api::PutBucketInventoryConfigurationOutput();
}

Task<api::GetBucketInventoryConfigurationOutput> Service::get_bucket_inventory_configuration(
    Ctx, api::GetBucketInventoryConfigurationInput input) {
  api::GetBucketInventoryConfigurationOutput output;
  api::InventoryConfiguration found = co_await get_named(kInventory, input.bucket, input.id);
  output.inventory_configuration = std::move(found);
  co_return std::move(output);
}

Task<api::DeleteBucketInventoryConfigurationOutput> Service::delete_bucket_inventory_configuration(
    Ctx ctx, api::DeleteBucketInventoryConfigurationInput input) {
  co_await delete_named(ctx, kInventory, input.bucket, input.id);
  co_return api::DeleteBucketInventoryConfigurationOutput();
}

Task<api::ListBucketInventoryConfigurationsOutput> Service::list_bucket_inventory_configurations(
    Ctx, api::ListBucketInventoryConfigurationsInput input) {
  return list_named(kInventory, input.bucket, input.continuation_token);
}

// ---- metrics

Task<api::PutBucketMetricsConfigurationOutput> Service::put_bucket_metrics_configuration(
    Ctx ctx, api::PutBucketMetricsConfigurationInput input) {
  api::MetricsConfiguration& item = input.metrics_configuration;
  co_await check_name(input.id, item.id);
  if (item.filter) {
    const bool access_point = item.filter->access_point_arn.has_value();
    if (access_point == is_one_condition(*item.filter)) co_return fail(errors::malformed_xml());
  }
  co_await put_named(ctx, kMetrics, input.bucket, std::move(item));
  co_return api::PutBucketMetricsConfigurationOutput();
}

Task<api::GetBucketMetricsConfigurationOutput> Service::get_bucket_metrics_configuration(
    Ctx, api::GetBucketMetricsConfigurationInput input) {
  api::GetBucketMetricsConfigurationOutput output;
  api::MetricsConfiguration found = co_await get_named(kMetrics, input.bucket, input.id);
  output.metrics_configuration = std::move(found);
  co_return std::move(output);
}

Task<api::DeleteBucketMetricsConfigurationOutput> Service::delete_bucket_metrics_configuration(
    Ctx ctx, api::DeleteBucketMetricsConfigurationInput input) {
  co_await delete_named(ctx, kMetrics, input.bucket, input.id);
  co_return api::DeleteBucketMetricsConfigurationOutput();
}

Task<api::ListBucketMetricsConfigurationsOutput> Service::list_bucket_metrics_configurations(
    Ctx, api::ListBucketMetricsConfigurationsInput input) {
  return list_named(kMetrics, input.bucket, input.continuation_token);
}

// ---- archive tiers of INTELLIGENT_TIERING

Task<api::PutBucketIntelligentTieringConfigurationOutput>
Service::put_bucket_intelligent_tiering_configuration(
    Ctx ctx, api::PutBucketIntelligentTieringConfigurationInput input) {
  api::IntelligentTieringConfiguration& item = input.intelligent_tiering_configuration;
  co_await check_name(input.id, item.id);
  if (item.filter && !is_one_condition(*item.filter)) co_return fail(errors::malformed_xml());
  co_await check_tierings(item.tierings);
  co_await put_named(ctx, kTiering, input.bucket, std::move(item));
  co_return api::PutBucketIntelligentTieringConfigurationOutput();
}

Task<api::GetBucketIntelligentTieringConfigurationOutput>
Service::get_bucket_intelligent_tiering_configuration(
    Ctx, api::GetBucketIntelligentTieringConfigurationInput input) {
  api::GetBucketIntelligentTieringConfigurationOutput output;
  api::IntelligentTieringConfiguration found = co_await get_named(kTiering, input.bucket, input.id);
  output.intelligent_tiering_configuration = std::move(found);
  co_return std::move(output);
}

Task<api::DeleteBucketIntelligentTieringConfigurationOutput>
Service::delete_bucket_intelligent_tiering_configuration(
    Ctx ctx, api::DeleteBucketIntelligentTieringConfigurationInput input) {
  co_await delete_named(ctx, kTiering, input.bucket, input.id);
  co_return api::DeleteBucketIntelligentTieringConfigurationOutput();
}

Task<api::ListBucketIntelligentTieringConfigurationsOutput>
Service::list_bucket_intelligent_tiering_configurations(
    Ctx, api::ListBucketIntelligentTieringConfigurationsInput input) {
  return list_named(kTiering, input.bucket, input.continuation_token);
}

}  // namespace virga::s3
