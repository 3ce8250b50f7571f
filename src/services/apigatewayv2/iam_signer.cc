#include "services/apigatewayv2/iam_signer.h"

namespace virga::apigatewayv2 {
namespace {

constexpr aws::Protocol kProtocols[] = {aws::Protocol::rest_json};

// What signatures for an API's own callers are scoped to. No operations: only their names matter
// here.
const aws::ServiceDesc& execute_api() {
  static const aws::ServiceDesc desc = [] {
    aws::ServiceDesc d;
    d.name = "execute-api";
    d.service_id = "Execute API";
    d.signing_name = "execute-api";
    d.protocols = kProtocols;
    return d;
  }();
  return desc;
}

}  // namespace

IamSigner::IamSigner(platform::IdentityStore& identities, platform::Gate* gate, async::Env& env,
                     platform::IdentifyOptions options)
    : gate_(gate), env_(env), identifier_(identities, env, std::move(options)) {}

Task<Principal> IamSigner::authorize(const net::HttpRequest& request, std::string_view body,
                                     std::string arn, std::string account) {
  platform::IdentifyQuestion question;
  question.head = &request.head();
  question.body = body;
  question.service = &execute_api();
  std::string source_ip = request.peer_ip();
  const bool secure = request.secure();
  platform::Identified who = co_await identifier_.identify(question);
  if (gate_)
    co_await check_policies(who.principal, std::move(arn), std::move(account), std::move(source_ip),
                            secure);
  co_return std::move(who.principal);
}

Task<void> IamSigner::check_policies(Principal principal, std::string arn, std::string account,
                                     std::string source_ip, bool secure) {
  RequestContext context;
  context.env = &env_;
  context.account = account;
  context.principal = std::move(principal);
  context.source_ip = std::move(source_ip);
  context.now = env_.cloud.now();
  platform::GateQuestion question{.request = &context, .action = "execute-api:Invoke"};
  question.resources.push_back(std::move(arn));
  question.style = platform::DenialStyle::rest_json;
  question.transport.secure = secure;
  co_await gate_->check(std::move(question));
  co_return ok();
}

}  // namespace virga::apigatewayv2
