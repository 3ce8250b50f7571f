#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/apigatewayv2/shapes/authorizer.h"
#include "api/apigatewayv2/shapes/cors.h"
#include "api/apigatewayv2/shapes/integration.h"
#include "api/apigatewayv2/shapes/stage.h"
#include "base/error.h"
#include "base/time.h"

// What records must hold before they are stored. The model's own constraints were checked at the
// door.
namespace virga::apigatewayv2 {

inline constexpr std::string_view kRouteSelection = "$request.method $request.path";
inline constexpr int kTimeoutMsDefault = 30'000;

Result<void> check_cors(const api::Cors& cors);
Result<void> check_integration(const api::Integration& integration);
Result<void> check_authorizer(const api::Authorizer& authorizer);
Result<void> check_stage(const api::Stage& stage);
// AWS's rules of tags: 50 of them, keys up to 128 and values up to 256 characters, none beginning
// with "aws:".
Result<void> check_tags(const std::map<std::string, std::string>& tags);

// A stage with the members that every stage shows.
api::Stage new_stage(std::string name, Timestamp now);

}  // namespace virga::apigatewayv2
