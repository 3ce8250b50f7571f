#include "server/root_key.h"

namespace virga::server {
namespace {

constexpr aws::Protocol kProtocols[] = {aws::Protocol::rest_json};

// What signatures for the local endpoints are scoped to. Not a service: only its names count.
const aws::ServiceDesc& local_endpoints() {
  static const aws::ServiceDesc desc = [] {
    aws::ServiceDesc d;
    d.name = "virga";
    d.service_id = "Virga";
    d.signing_name = "virga";
    d.protocols = kProtocols;
    return d;
  }();
  return desc;
}

}  // namespace

RootKey::RootKey(platform::IdentityStore& identity, async::Env& env, std::string account,
                 std::string region)
    : account_(account),
      identifier_(
          identity, env,
          {.strict = true, .default_account = account, .default_region = std::move(region)}) {}

Task<void> RootKey::require(net::HttpRequest* request, std::string_view body) {
  platform::IdentifyQuestion question;
  question.head = &request->head();
  question.body = body;
  question.service = &local_endpoints();
  const platform::Identified who = co_await identifier_.identify(question);
  if (who.principal.kind != Principal::Kind::root || who.principal.account != account_) {
    co_return fail("AccessDeniedException", 403,
                   "User: " + who.principal.arn + " is not the root of account " + account_);
  }
  co_return ok();
}

}  // namespace virga::server
