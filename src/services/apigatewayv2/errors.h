#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

// The errors of this service. Texts are AWS's where they are known from answers that users
// published.
namespace virga::apigatewayv2::errors {

inline AwsError bad_request(std::string message) {
  return {.code = "BadRequestException",
          .http_status = 400,
          .message = std::move(message),
          .detail = {}};
}
inline AwsError conflict(std::string message) {
  return {
      .code = "ConflictException", .http_status = 409, .message = std::move(message), .detail = {}};
}
inline AwsError not_found(std::string message) {
  return {
      .code = "NotFoundException", .http_status = 404, .message = std::move(message), .detail = {}};
}
// "Invalid API identifier specified 000000000000:abc"
inline AwsError no_such_api(std::string_view account, std::string_view api_id) {
  return not_found("Invalid API identifier specified " + std::string(account) + ":" +
                   std::string(api_id));
}
// "Invalid Route identifier specified abc"; kind is the word: Route, Integration, Authorizer,
// Deployment, Stage.
inline AwsError no_such_part(std::string_view kind, std::string_view id) {
  return not_found("Invalid " + std::string(kind) + " identifier specified " + std::string(id));
}
// What this service does not do yet says so instead of pretending.
inline AwsError not_implemented(std::string what) {
  return {.code = "NotImplemented",
          .http_status = 501,
          .message = what + " is not implemented by Virga.",
          .detail = {}};
}

}  // namespace virga::apigatewayv2::errors
