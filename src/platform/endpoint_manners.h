#pragma once

#include <optional>
#include <string_view>

#include "aws/operation.h"
#include "net/http_message.h"
#include "net/http_server.h"

namespace virga::platform {

// On a listener of one service: what that service's own AWS endpoint answers to requests that are
// no calls; nullopt for those that may be. JSON services: the health text for GET /, CORS for
// pages, 404 for every other method, path or content type. Services with REST protocols answer
// their own paths. Source: recorded answers of DynamoDB's endpoint.
std::optional<net::HttpResponse> endpoint_answer(const aws::ServiceDesc& service,
                                                 const net::HttpRequest& request,
                                                 std::string_view region);

// NotImplemented naming a service that has no model, in a form that its clients can read. Not every
// protocol can be told from a request; JSON with the code in a header suits most. `form`: the
// request is a form, as query services send.
net::HttpResponse unknown_service_answer(std::string_view service, bool form);

}  // namespace virga::platform
