#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/attribute_value.h"
#include "base/document.h"
#include "base/error.h"

// The errors this service returns, by name. Texts are AWS's.
namespace virga::dynamodb::errors {

AwsError validation(std::string message);
// validation with "One or more parameter values were invalid: " before the text.
AwsError invalid_parameter(std::string_view message);
// validation with "1 validation error detected: " before the text.
AwsError one_violation(std::string_view message);
AwsError serialization(std::string message);

AwsError resource_not_found();                    // data operations name no table
AwsError table_not_found(std::string_view name);  // control operations do
AwsError arn_not_found(std::string_view arn);
AwsError index_not_found(std::string_view name);
AwsError table_exists(std::string_view name);
AwsError table_being_created(std::string_view name);
AwsError table_being_deleted(std::string_view name);
AwsError table_being_updated(std::string_view name);
AwsError deletion_protected();
AwsError policy_not_found();
AwsError table_index_not_found(std::string_view table, std::string_view index);
AwsError limit_exceeded(std::string message);
AwsError not_implemented(std::string_view what);

// `item` is the item as it was, when ReturnValuesOnConditionCheckFailure asks for it.
AwsError conditional_check_failed(const Item* item = nullptr);

// One entry per action of a transaction, in order.
struct CancellationReason {
  std::string code = "None";
  std::string message;
  Document item;  // DynamoDB JSON; null: none
};
AwsError transaction_canceled(const std::vector<CancellationReason>& reasons);
AwsError idempotent_parameter_mismatch();

}  // namespace virga::dynamodb::errors
