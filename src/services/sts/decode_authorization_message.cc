#include "api/sts/decode_authorization_message.h"

#include "services/sts/service.h"

namespace virga::sts {

// Services that encode their refusals (EC2) are not here: their reason is in the message already,
// and no text can be one of ours. Source: STS API Reference, DecodeAuthorizationMessage, errors.
Task<api::DecodeAuthorizationMessageOutput> Service::decode_authorization_message(
    Ctx ctx, api::DecodeAuthorizationMessageInput input) {
  co_return fail("InvalidAuthorizationMessageException", 400,
                 "The authorization message is not valid.");
}

}  // namespace virga::sts
