#include "platform/authorizer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/time.h"

namespace virga::platform {
namespace {

// What all policies of one kind say together.
PolicyVerdict evaluate_all(std::span<const PolicyRef> policies, const PolicyRequest& request) {
  PolicyVerdict all;
  for (const PolicyRef& p : policies) {
    const PolicyVerdict v = p->evaluate(request);
    all.denied = all.denied || v.denied;
    all.grant = std::max(all.grant, v.grant);
  }
  return all;
}

struct Verdicts {
  PolicyVerdict identity;
  PolicyVerdict session;
  PolicyVerdict boundary;
  PolicyVerdict resource;
};

std::string because_none(std::string_view kind, std::string_view action) {
  std::string out = " because no ";
  out += kind;
  out += " allows the ";
  out += action;
  out += " action";
  return out;
}

// The reason to refuse, or nullopt to let pass.
std::optional<std::string> refusal(const AuthorizeRequest& r, const Verdicts& v) {
  if (v.identity.denied) return " with an explicit deny in an identity-based policy";
  if (v.resource.denied) return " with an explicit deny in a resource-based policy";
  if (v.session.denied) return " with an explicit deny in a session policy";
  if (v.boundary.denied) return " with an explicit deny in a permissions boundary";

  const bool root = r.principal.kind == Principal::Kind::root;
  const bool same_account =
      !r.principal.account.empty() && r.principal.account == r.resource_account;
  const bool has_identity = r.principal.kind != Principal::Kind::anonymous &&
                            r.principal.kind != Principal::Kind::service;
  const bool identity_allows = root || v.identity.allowed();

  // Callers without policies of their own pass by the resource's only.
  if (!has_identity) {
    if (v.resource.grant >= Grant::direct) return std::nullopt;
    return because_none("resource-based policy", r.action);
  }
  if (same_account && v.resource.grant == Grant::session) return std::nullopt;
  if (!same_account || r.resource_policy_decides) {
    if (!v.resource.allowed()) {
      return because_none(identity_allows || r.resource_policy_decides ? "resource-based policy"
                                                                       : "identity-based policy",
                          r.action);
    }
  }
  const bool resource_suffices = same_account && v.resource.grant >= Grant::direct;
  if (!identity_allows && !resource_suffices)
    return because_none("identity-based policy", r.action);
  if (r.policies.limited_by_session && !v.session.allowed())
    return because_none("session policy", r.action);
  // A boundary limits what identity-based policies allow a user; a resource-based grant to the user
  // itself passes it.
  if (r.policies.boundary && !v.boundary.allowed()) {
    if (!(resource_suffices && r.principal.kind == Principal::Kind::user))
      return because_none("permissions boundary", r.action);
  }
  return std::nullopt;
}

}  // namespace

Result<void> authorize(const AuthorizeRequest& r) {
  const bool service = r.principal.kind == Principal::Kind::service;
  const bool anonymous = r.principal.kind == Principal::Kind::anonymous;
  const PolicyCaller caller{
      .account = anonymous || service ? std::string_view() : std::string_view(r.principal.account),
      .arn = anonymous || service ? std::string_view() : std::string_view(r.principal.arn),
      .principal_arn = r.policies.principal_arn.empty()
                           ? std::string_view(r.principal.arn)
                           : std::string_view(r.policies.principal_arn),
      .service = r.principal.service,
      .anonymous = anonymous};
  for (const std::string& resource : r.resources) {
    const PolicyRequest request{
        .action = r.action, .resource = resource, .context = r.context, .caller = caller};
    Verdicts v;
    v.identity = evaluate_all(r.policies.identity, request);
    if (r.policies.limited_by_session) v.session = evaluate_all(r.policies.session, request);
    if (r.policies.boundary) v.boundary = r.policies.boundary->evaluate(request);
    if (r.resource_policy) v.resource = r.resource_policy->evaluate(request);
    if (const auto reason = refusal(r, v)) {
      return fail(access_denied(
          r, resource, r.resource_policy_decides ? std::string_view() : std::string_view(*reason)));
    }
  }
  return ok();
}

AwsError access_denied(const AuthorizeRequest& r, std::string_view resource,
                       std::string_view reason) {
  std::string who = r.principal.kind == Principal::Kind::anonymous ? "anonymous"
                    : r.principal.kind == Principal::Kind::service ? r.principal.service
                                                                   : r.principal.arn;
  std::string message = "User: " + std::move(who) + " is not authorized to perform: ";
  message += r.action;
  if (resource != "*") {
    message += " on resource: ";
    message += resource;
  }
  message += reason;
  const bool query = r.style == DenialStyle::query;
  return {.code = query ? "AccessDenied" : "AccessDeniedException",
          .http_status = r.style == DenialStyle::json ? 400 : 403,
          .message = std::move(message),
          .detail = nullptr};
}

void add_global_keys(ConditionContext& context, const RequestContext& request,
                     const PrincipalPolicies& policies, std::string_view resource_account,
                     async::WallTime now, TransportFacts transport) {
  const Principal& p = request.principal;
  const bool service = p.kind == Principal::Kind::service;
  if (p.kind != Principal::Kind::anonymous && !service) {
    context.set("aws:PrincipalArn",
                policies.principal_arn.empty() ? p.arn : policies.principal_arn);
    context.set("aws:PrincipalAccount", p.account);
    context.set("aws:userid", p.user_id);
    const char* type = p.kind == Principal::Kind::root   ? "Account"
                       : p.kind == Principal::Kind::user ? "User"
                                                         : "AssumedRole";
    context.set("aws:PrincipalType", type);
    if (!policies.user_name.empty()) context.set("aws:username", policies.user_name);
    // Only temporary credentials tell whether a second factor was there; ours never are made with
    // one.
    if (p.access_key_id.starts_with("ASIA")) context.set("aws:MultiFactorAuthPresent", "false");
    for (const auto& [key, value] : policies.tags) context.set("aws:PrincipalTag/" + key, value);
  } else if (p.kind == Principal::Kind::anonymous) {
    context.set("aws:PrincipalType", "Anonymous");
    context.set("aws:userid", "anonymous");
  }
  context.set("aws:PrincipalIsAWSService", service ? "true" : "false");
  if (service) context.set("aws:PrincipalServiceName", p.service);
  context.set("aws:RequestedRegion", request.region);
  if (!resource_account.empty()) context.set("aws:ResourceAccount", std::string(resource_account));
  context.set("aws:CurrentTime", format_iso8601(now.at));
  context.set("aws:EpochTime", std::to_string(now.at.seconds()));
  context.set("aws:SecureTransport", transport.secure ? "true" : "false");
  if (!request.source_ip.empty() && !service) context.set("aws:SourceIp", request.source_ip);
  if (!request.user_agent.empty()) context.set("aws:UserAgent", request.user_agent);
  if (!request.referer.empty()) context.set("aws:Referer", request.referer);
}

DenialStyle denial_style(std::string_view service) {
  static constexpr std::array<std::string_view, 9> kRest{
      "lambda",    "sqs",   "apigateway",  "apigatewayv2", "apigatewaymanagementapi",
      "scheduler", "pipes", "execute-api", "cloudwatch"};
  static constexpr std::array<std::string_view, 7> kQuery{"iam", "sts",     "sns", "cloudformation",
                                                          "s3",  "route53", "ec2"};
  if (std::find(kRest.begin(), kRest.end(), service) != kRest.end()) return DenialStyle::rest_json;
  if (std::find(kQuery.begin(), kQuery.end(), service) != kQuery.end()) return DenialStyle::query;
  return DenialStyle::json;
}

}  // namespace virga::platform
