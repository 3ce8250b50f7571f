// AddPermission, RemovePermission: statements in the queue's policy, by label.
// Source: SQS API Reference, AddPermission; SQS Developer Guide, "Custom policies".
#include <algorithm>

#include "api/sqs/add_permission.h"
#include "api/sqs/remove_permission.h"
#include "aws/account_id.h"
#include "base/json.h"
#include "base/strings.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

constexpr std::string_view kActions[] = {
    "*",           "ChangeMessageVisibility",    "DeleteMessage", "GetQueueAttributes",
    "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",    "ReceiveMessage",
    "SendMessage"};
constexpr std::string_view kOwnersActions[] = {"AddPermission",
                                               "CancelMessageMoveTask",
                                               "CreateQueue",
                                               "DeleteQueue",
                                               "ListMessageMoveTasks",
                                               "ListQueues",
                                               "ListQueueTags",
                                               "RemovePermission",
                                               "SetQueueAttributes",
                                               "StartMessageMoveTask",
                                               "TagQueue",
                                               "UntagQueue"};
// Source: SQS Developer Guide, "Amazon SQS policy quotas": actions, principals and statements of a
// policy.
constexpr size_t kActionsMax = 7;
constexpr size_t kStatementsMax = 20;

template <class List>
bool contains(const List& list, std::string_view value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

// One value stands alone, several in a list.
Document one_or_list(const std::vector<std::string>& values) {
  if (values.size() == 1) return values.front();
  Document out = Document::array();
  for (const auto& value : values) out.push(value);
  return out;
}

Result<Document> make_statement(const api::AddPermissionInput& input, const std::string& arn,
                                std::string_view partition) {
  std::vector<std::string> principals, actions;
  for (const auto& account : input.aws_account_ids) {
    if (!is_account_id(account)) {
      return fail(errors::invalid_value(account, "PrincipalId", "Unable to verify."));
    }
    principals.push_back("arn:" + std::string(partition) + ":iam::" + account + ":root");
  }
  for (const auto& action : input.actions) {
    if (contains(kOwnersActions, action)) {
      return fail(errors::invalid_value("SQS:" + action, "ActionName",
                                        "Only the queue owner is allowed to invoke this action."));
    }
    if (!contains(kActions, action)) {
      return fail(errors::invalid_value(
          "SQS:" + action, "ActionName",
          "Please refer to the appropriate WSDL for a list of valid actions."));
    }
    actions.push_back("SQS:" + action);
  }
  if (actions.size() > kActionsMax) {
    return fail(errors::over_limit(std::to_string(actions.size()) +
                                   " Actions were found, maximum allowed is 7."));
  }
  Document statement = Document::object();
  statement.set("Sid", input.label).set("Effect", "Allow");
  statement.set("Principal", Document::object().set("AWS", one_or_list(principals)));
  statement.set("Action", one_or_list(actions)).set("Resource", arn);
  return statement;
}

// The queue's policy, or a new one without statements.
Document policy_of(const Queue& queue) {
  const auto found = queue.record.attributes.find("Policy");
  if (found != queue.record.attributes.end()) {
    if (auto parsed = parse_json(found->second)) return std::move(*parsed);
  }
  Document policy = Document::object();
  policy.set("Version", "2008-10-17")
      .set("Id", queue.arn + "/SQSDefaultPolicy")
      .set("Statement", Document::array());
  return policy;
}

// A single statement may stand without a list.
Document::Array statements_of(const Document& policy) {
  const Document* found = policy.find("Statement");
  if (!found) return {};
  return found->is_array() ? found->as_array() : Document::Array{*found};
}

}  // namespace

Task<api::AddPermissionOutput> Service::add_permission(Ctx ctx, api::AddPermissionInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  const bool good_label = !input.label.empty() && input.label.size() <= 80 &&
                          std::all_of(input.label.begin(), input.label.end(), [](unsigned char c) {
                            return std::isalnum(c) || c == '-' || c == '_';
                          });
  if (!good_label) {
    co_return fail(errors::invalid_value(
        input.label, "Label", "Must be 1 to 80 alphanumeric characters, hyphens or underscores."));
  }
  if (input.aws_account_ids.empty()) co_return fail(errors::missing_parameter("AWSAccountIds"));
  if (input.actions.empty()) co_return fail(errors::missing_parameter("Actions"));
  auto add = [&](Work& work, Queue& queue) -> Result<bool> {
    VIRGA_TRY(statement, make_statement(input, queue.arn, ctx->partition));
    Document policy = policy_of(queue);
    Document::Array statements = statements_of(policy);
    for (const Document& other : statements) {
      if (other.string_or("Sid", "") == input.label)
        return fail(errors::invalid_value(input.label, "Label", "Already exists."));
    }
    if (statements.size() >= kStatementsMax) {
      return fail(errors::over_limit(std::to_string(statements.size() + 1) +
                                     " Statements were found, maximum allowed is 20."));
    }
    statements.push_back(std::move(statement));
    policy.set("Statement", Document(std::move(statements)));
    QueueRecord record = queue.record;
    record.attributes["Policy"] = to_json(policy);
    record.modified_at = work.now / 1'000'000;
    work.queues.change(work.txn, queue, std::move(record));
    return true;
  };
  co_await on_queue(ctx, address, std::move(add));
  co_return api::AddPermissionOutput();
}

Task<api::RemovePermissionOutput> Service::remove_permission(Ctx ctx,
                                                             api::RemovePermissionInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto remove = [&](Work& work, Queue& queue) -> Result<bool> {
    Document policy = policy_of(queue);
    Document::Array statements = statements_of(policy);
    const size_t gone = std::erase_if(
        statements, [&](const Document& s) { return s.string_or("Sid", "") == input.label; });
    if (gone == 0)
      return fail(
          errors::invalid_value(input.label, "Label", "can't find label on existing policy."));
    QueueRecord record = queue.record;
    if (statements.empty()) {
      record.attributes.erase("Policy");
    } else {
      policy.set("Statement", Document(std::move(statements)));
      record.attributes["Policy"] = to_json(policy);
    }
    record.modified_at = work.now / 1'000'000;
    work.queues.change(work.txn, queue, std::move(record));
    return true;
  };
  co_await on_queue(ctx, address, std::move(remove));
  co_return api::RemovePermissionOutput();
}

}  // namespace virga::sqs
