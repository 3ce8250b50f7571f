#include "api/dynamodb/describe_contributor_insights.h"
#include "api/dynamodb/describe_kinesis_streaming_destination.h"
#include "api/dynamodb/list_contributor_insights.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/service.h"

// Reads of what no table here can have: deployment tools make them of every table.
namespace virga::dynamodb {

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

}  // namespace virga::dynamodb
