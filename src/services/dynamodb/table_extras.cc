#include "api/dynamodb/describe_contributor_insights.h"
#include "api/dynamodb/describe_global_table.h"
#include "api/dynamodb/describe_global_table_settings.h"
#include "api/dynamodb/describe_kinesis_streaming_destination.h"
#include "api/dynamodb/list_contributor_insights.h"
#include "api/dynamodb/list_global_tables.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/service.h"

// Reads of what no table here can have: deployment tools make them of every table.
namespace virga::dynamodb {
namespace {

AwsError global_table_not_found(const std::string& name) {
  return AwsError{.code = "GlobalTableNotFoundException",
                  .http_status = 400,
                  .message = "Global table with name: '" + name + "' does not exist."};
}

}  // namespace

// Contributor insights cannot be switched on here, so they are off. Source: DynamoDB API Reference,
// DescribeContributorInsights.
Task<api::DescribeContributorInsightsOutput> Service::describe_contributor_insights(
    Ctx ctx, api::DescribeContributorInsightsInput input) {
  const TableRef table = co_await control_table(*ctx, input.table_name);
  if (input.index_name && !table->find_index(*input.index_name)) {
    co_return fail(errors::table_index_not_found(table->name, *input.index_name));
  }
  api::DescribeContributorInsightsOutput output;
  output.table_name = table->name;
  output.index_name = input.index_name;
  output.contributor_insights_status = "DISABLED";
  co_return std::move(output);
}

// Only tables that have had them are listed: none.
Task<api::ListContributorInsightsOutput> Service::list_contributor_insights(
    Ctx ctx, api::ListContributorInsightsInput input) {
  if (input.table_name) {
    const TableRef table = co_await control_table(*ctx, *input.table_name);
    ignore(table, "only that it exists");
  }
  api::ListContributorInsightsOutput output;
  output.contributor_insights_summaries.emplace();
  co_return std::move(output);
}

// Source: DynamoDB API Reference, DescribeKinesisStreamingDestination.
Task<api::DescribeKinesisStreamingDestinationOutput>
Service::describe_kinesis_streaming_destination(
    Ctx ctx, api::DescribeKinesisStreamingDestinationInput input) {
  const TableRef table = co_await control_table(*ctx, input.table_name);
  api::DescribeKinesisStreamingDestinationOutput output;
  output.table_name = table->name;
  output.kinesis_data_stream_destinations.emplace();
  co_return std::move(output);
}

// Global tables of version 2017.11.29 cannot be made here, so no account has any. Source: DynamoDB
// API Reference, ListGlobalTables.
Task<api::ListGlobalTablesOutput> Service::list_global_tables(Ctx, api::ListGlobalTablesInput) {
  api::ListGlobalTablesOutput output;
  output.global_tables.emplace();
  co_return std::move(output);
}

Task<api::DescribeGlobalTableOutput> Service::describe_global_table(
    Ctx, api::DescribeGlobalTableInput input) {
  co_return fail(global_table_not_found(input.global_table_name));
}

Task<api::DescribeGlobalTableSettingsOutput> Service::describe_global_table_settings(
    Ctx, api::DescribeGlobalTableSettingsInput input) {
  co_return fail(global_table_not_found(input.global_table_name));
}

}  // namespace virga::dynamodb
