// Metric filters. They are kept, listed and tested; no metric is made of what they find yet.
// Source: CloudWatch Logs API Reference, the pages of these operations; quota "Metric filters": 100
// per log group.
#include <algorithm>
#include <tuple>

#include "api/logs/delete_metric_filter.h"
#include "api/logs/describe_metric_filters.h"
#include "api/logs/put_metric_filter.h"
#include "api/logs/shapes/metric_filter.h"
#include "api/logs/shapes/metric_filter_match_record.h"
#include "api/logs/shapes/metric_transformation.h"
#include "api/logs/test_metric_filter.h"
#include "services/logs/errors.h"
#include "services/logs/filter_pattern.h"
#include "services/logs/service.h"
#include "services/logs/settings.h"
#include "services/logs/tokens.h"

namespace virga::logs {
namespace {

constexpr size_t kFiltersPerGroup = 100;
constexpr int32_t kFiltersPerPage = 50;

bool has_metric(const api::MetricFilter& filter, const std::optional<std::string>& name,
                const std::optional<std::string>& space) {
  if (!name && !space) return true;
  return std::any_of(filter.metric_transformations->begin(), filter.metric_transformations->end(),
                     [&](const auto& t) {
                       return (!name || t.metric_name == *name) &&
                              (!space || t.metric_namespace == *space);
                     });
}

// The filters of one group, or of all, in the order of their names.
Result<std::vector<api::MetricFilter>> filters_of(const LogReader& reader,
                                                  const std::optional<std::string>& group_name,
                                                  std::string_view prefix) {
  std::vector<api::MetricFilter> out;
  Result<void> decoded;
  const auto take = [&](std::string_view bytes) {
    auto filter = decode_setting<api::MetricFilter>(bytes);
    if (!filter) {
      decoded = fail(filter.error());
      return false;
    }
    if (filter->filter_name->starts_with(prefix)) out.push_back(std::move(*filter));
    return true;
  };
  std::vector<Group> groups;
  if (group_name) {
    VIRGA_TRY(group, reader.group(*group_name));
    groups.push_back(std::move(group));
  } else {
    VIRGA_TRY_VOID(reader.each_group("", [&](Group&& g) {
      groups.push_back(std::move(g));
      return true;
    }));
  }
  for (const Group& group : groups) {
    VIRGA_TRY_VOID(reader.each_setting(Setting::metric_filter, group.id, take));
    VIRGA_TRY_VOID(decoded);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(*a.filter_name, *a.log_group_name) <
           std::tie(*b.filter_name, *b.log_group_name);
  });
  return out;
}

// Dimensions are fields of the event, so its pattern has to name fields.
Result<void> check_dimensions(std::string_view pattern, const api::MetricTransformation& t) {
  if (!t.dimensions || t.dimensions->empty()) return {};
  if (t.default_value) {
    return fail(
        errors::invalid_parameter("Invalid metric transformation: dimensions and default value are "
                                  "mutually exclusive properties."));
  }
  const auto first = pattern.find_first_not_of(' ');
  if (first == std::string_view::npos || (pattern[first] != '{' && pattern[first] != '['))
    return fail(
        errors::invalid_parameter("The specified filter pattern does not support dimensions"));
  return {};
}

std::string place_of(const api::MetricFilter& filter) {
  return *filter.filter_name + '\n' + *filter.log_group_name;
}

}  // namespace

Task<api::PutMetricFilterOutput> Service::put_metric_filter(Ctx ctx,
                                                            api::PutMetricFilterInput input) {
  co_await FilterPattern::parse(input.filter_pattern);
  for (const auto& transformation : input.metric_transformations)
    co_await check_dimensions(input.filter_pattern, transformation);
  api::MetricFilter filter;
  filter.filter_name = input.filter_name;
  filter.log_group_name = input.log_group_name;
  filter.filter_pattern = input.filter_pattern;
  filter.metric_transformations = input.metric_transformations;
  filter.creation_time = ctx->now.at.millis();
  filter.apply_on_transformed_logs = input.apply_on_transformed_logs.value_or(false);
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(found, logs.find_setting(Setting::metric_filter, group.id, input.filter_name));
    if (found) {
      VIRGA_TRY(before, decode_setting<api::MetricFilter>(*found));
      filter.creation_time = before.creation_time;
    } else {
      VIRGA_TRY(count, logs.count_settings(Setting::metric_filter, group.id));
      if (count >= kFiltersPerGroup) return fail(errors::limit_exceeded());
    }
    logs.put_setting(Setting::metric_filter, group.id, input.filter_name, encode_setting(filter));
    return {};
  });
  co_return api::PutMetricFilterOutput();
}

Task<api::DescribeMetricFiltersOutput> Service::describe_metric_filters(
    Ctx ctx, api::DescribeMetricFiltersInput input) {
  const std::string after = co_await read_token(input.next_token);
  const auto limit = static_cast<size_t>(input.limit.value_or(kFiltersPerPage));
  const auto view = shard_.snapshot();
  const LogReader reader(*view, ctx->account, ctx->region);
  auto all =
      co_await filters_of(reader, input.log_group_name, input.filter_name_prefix.value_or(""));
  api::DescribeMetricFiltersOutput output;
  auto& out = output.metric_filters.emplace();
  for (api::MetricFilter& filter : all) {
    if (!after.empty() && place_of(filter) <= after) continue;
    if (!has_metric(filter, input.metric_name, input.metric_namespace)) continue;
    if (out.size() == limit) {
      output.next_token = make_token(place_of(out.back()));
      break;
    }
    out.push_back(std::move(filter));
  }
  co_return output;
}

Task<api::DeleteMetricFilterOutput> Service::delete_metric_filter(
    Ctx ctx, api::DeleteMetricFilterInput input) {
  co_await write(ctx, [&](LogTransaction& logs) -> Result<void> {
    VIRGA_TRY(group, logs.group(input.log_group_name));
    VIRGA_TRY(found, logs.find_setting(Setting::metric_filter, group.id, input.filter_name));
    if (!found) return fail(errors::no_such_metric_filter());
    logs.erase_setting(Setting::metric_filter, group.id, input.filter_name);
    return {};
  });
  co_return api::DeleteMetricFilterOutput();
}

Task<api::TestMetricFilterOutput> Service::test_metric_filter(Ctx ctx,
                                                              api::TestMetricFilterInput input) {
  const FilterPattern pattern = co_await FilterPattern::parse(input.filter_pattern);
  api::TestMetricFilterOutput output;
  auto& matches = output.matches.emplace();
  int64_t number = 0;
  for (const std::string& message : input.log_event_messages) {
    ++number;
    if (!pattern.matches(message)) continue;
    auto& match = matches.emplace_back();
    match.event_number = number;
    match.event_message = message;
    match.extracted_values = pattern.extracted(message);
  }
  co_return output;
}

}  // namespace virga::logs
