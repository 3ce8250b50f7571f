#include "platform/iam_signer.h"

namespace virga::platform {
namespace {

constexpr aws::Protocol kProtocols[] = {aws::Protocol::rest_json};

}  // namespace

IamSigner::IamSigner(IdentityStore& identities, Gate* gate, async::Env& env,
                     IdentifyOptions options, std::string_view service, std::string_view action)
    : gate_(gate), env_(env), identifier_(identities, env, std::move(options)), action_(action) {
  service_.name = service;
  service_.service_id = service;
  service_.signing_name = service;
  service_.protocols = kProtocols;
}

Task<Principal> IamSigner::authorize(SignedCall call) {
  IdentifyQuestion question;
  question.head = &call.request.head();
  question.body = call.body;
  question.service = &service_;
  Identified who = co_await identifier_.identify(question);
  if (gate_) co_await check_policies(who.principal, std::move(call));
  co_return std::move(who.principal);
}

Task<void> IamSigner::check_policies(Principal principal, SignedCall call) {
  RequestContext context;
  context.env = &env_;
  context.account = std::move(call.account);
  context.principal = std::move(principal);
  context.source_ip = call.request.peer_ip();
  context.now = env_.cloud.now();
  GateQuestion question{.request = &context, .action = action_};
  question.resources.push_back(std::move(call.arn));
  question.conditions = std::move(call.conditions);
  question.style = DenialStyle::rest_json;
  question.transport.secure = call.request.secure();
  co_await gate_->check(std::move(question));
  co_return ok();
}

}  // namespace virga::platform
