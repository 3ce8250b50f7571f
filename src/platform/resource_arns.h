#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/context.h"
#include "aws/operation.h"
#include "aws/shape.h"
#include "platform/policy_pattern.h"

// What a call needs to be allowed to do, from its operation's authorization overlay
// (models/overlays/<service>.auth.json) and its input. Source of the overlays' facts: Service
// Authorization Reference, "Actions, resources, and condition keys".
//
// An ARN template:
//   ${Partition} ${Region} ${Account}  the call's
//   {TableName}                        the input member's text; members of structures by '.',
//   elements of lists by "[]", keys
//                                      of maps by ".*": {TransactItems[].Put.TableName},
//                                      {RequestItems.*}. Several values make several ARNs. A value
//                                      that is an ARN itself takes the place of all before it.
//   {UserName|caller}                  as that; absent, the ARN is the caller's
//   {%ResourceArn}                     percent-encoded
//   {/QueueUrl}                        the queue that a URL names, as REGION:ACCOUNT:NAME
//   {?Tags}                            nothing, but the template only counts when the member is
//   there A else B                           B when A has an absent member
// An action with '?' in front ("?dynamodb:TagResource") is needed only if one of its templates
// counts; any other without a countable template is asked for on "*". Condition keys are
// "dynamodb:Select=Select"; "aws:RequestTag=Tags" means a list of Key and Value (or a map) and sets
// aws:TagKeys too.
namespace virga::platform {

struct NeededAction {
  std::string_view action;
  std::vector<std::string> resources;
};

std::vector<NeededAction> needed_actions(const aws::OperationDesc& op, const aws::StructBox& input,
                                         const RequestContext& request);
// The condition keys that the input carries, of all the operation's actions.
void add_input_keys(ConditionContext& context, const aws::OperationDesc& op,
                    const aws::StructBox& input);
// The account in an ARN; `otherwise` when it has none ("*", S3's).
std::string_view account_of_arn(std::string_view arn, std::string_view otherwise);

// The texts that a member path leads to.
std::vector<std::string> texts_at(const aws::StructDesc& shape, const void* object,
                                  std::string_view path);

}  // namespace virga::platform
