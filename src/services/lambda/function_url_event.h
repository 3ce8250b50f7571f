#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "aws/context.h"
#include "base/document.h"
#include "net/http_server.h"
#include "services/lambda/function_url_address.h"

// A function URL's request as the function sees it, and its answer as the client does.
// Source: Lambda Developer Guide, "Invoking Lambda function URLs", request and response payloads
// (format version 2.0).
namespace virga::lambda {

// `caller`: who signed it; null with AuthType NONE.
std::string function_url_event(const net::HttpRequest& request, std::string_view body,
                               const FunctionUrlAddress& address, const std::string& request_id,
                               Timestamp now, const Principal* caller);

// What the payload means as an HTTP answer: {"statusCode":…, "headers":…, "body":…, "cookies":…,
// "isBase64Encoded":…}, or any JSON as the body of a 200. A malformed one is 502.
net::HttpResponse function_url_reply(const std::string& payload);

// What the head of a streamed answer means: {"statusCode":…, "headers":…, "cookies":…}; nullopt
// when it is none.
std::optional<net::HttpResponse> streamed_head(Document head);

// {"Message":"…"}
net::HttpResponse function_url_message(int status, std::string_view message);

}  // namespace virga::lambda
