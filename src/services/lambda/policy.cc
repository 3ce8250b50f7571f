#include "services/lambda/policy.h"

#include "api/lambda/add_permission.h"
#include "aws/account_id.h"
#include "base/strings.h"
#include "platform/policy.h"
#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

Result<Document> principal_of(const std::string& text, const std::string& partition) {
  if (text == "*") return Document("*");
  Document out = Document::object();
  if (is_account_id(text)) {
    out.set("AWS", "arn:" + partition + ":iam::" + text + ":root");
  } else if (text.starts_with("arn:")) {
    out.set("AWS", text);
  } else if (text.find('.') != std::string::npos &&
             text.find_first_of(" \t:/*") == std::string::npos) {
    out.set("Service", text);
  } else {
    return fail(errors::invalid_parameter(
        "The provided principal was invalid. Please check the principal and try again."));
  }
  return out;
}

bool valid_action(std::string_view action) {
  if (action == "*" || action == "lambda:*") return true;
  if (!action.starts_with("lambda:") || action.size() == 7) return false;
  for (const char c : action.substr(7)) {
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return true;
}

}  // namespace

Result<Document> make_statement(const api::AddPermissionInput& input, const FunctionName& name) {
  if (!valid_action(input.action)) {
    return fail(errors::validation(
        input.action, "action",
        "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])"));
  }
  VIRGA_TRY(principal, principal_of(input.principal, name.partition));
  Document equals;
  if (input.source_account) equals.set("AWS:SourceAccount", *input.source_account);
  if (input.principal_org_id) equals.set("aws:PrincipalOrgID", *input.principal_org_id);
  if (input.function_url_auth_type)
    equals.set("lambda:FunctionUrlAuthType", *input.function_url_auth_type);
  if (input.event_source_token) equals.set("lambda:EventSourceToken", *input.event_source_token);
  Document condition;
  if (!equals.is_null()) condition.set("StringEquals", std::move(equals));
  if (input.invoked_via_function_url) {
    condition.set("Bool", Document::object().set("lambda:InvokedViaFunctionUrl",
                                                 *input.invoked_via_function_url));
  }
  if (input.source_arn)
    condition.set("ArnLike", Document::object().set("AWS:SourceArn", *input.source_arn));
  Document out = Document::object();
  out.set("Sid", input.statement_id).set("Effect", "Allow").set("Principal", std::move(principal));
  out.set("Action", input.action).set("Resource", name.arn());
  if (!condition.is_null()) out.set("Condition", std::move(condition));
  return out;
}

std::string policy_document(const PolicyRecord& policy) {
  std::string out = "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[";
  bool comma = false;
  for (const auto& statement : policy.statements) {
    if (comma) out += ',';
    comma = true;
    out += statement.json;
  }
  return out + "]}";
}

bool layer_is_shared_with(const PolicyRecord& policy, const std::string& version_arn,
                          const std::string& account) {
  const auto document =
      platform::PolicyDocument::parse(policy_document(policy), platform::PolicyKind::resource);
  if (!document) return false;
  const std::string root = "arn:aws:iam::" + account + ":root";
  platform::ConditionContext context;
  const platform::PolicyRequest request{
      .action = "lambda:GetLayerVersion",
      .resource = version_arn,
      .context = context,
      .caller = {.account = account, .arn = root, .principal_arn = root}};
  const auto verdict = (*document)->evaluate(request);
  return !verdict.denied && verdict.allowed();
}

}  // namespace virga::lambda
