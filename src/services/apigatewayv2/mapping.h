#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace virga {
class Document;
}

namespace virga::apigatewayv2 {

struct Exchange;

// One expression of an HTTP API, compiled: parameter mappings' values and authorizers' identity
// sources.
//   $request.header.name  $request.querystring.name  $request.path  $request.path.name
//   $request.body.json.path $response.header.name  $response.body.json.path  $context.name
//   $stageVariables.name a static text, or text with any of these inside ${…}
// Source: API Gateway Developer Guide, "Transform API requests and responses for HTTP APIs".
struct MappingPart {
  enum class Kind {
    text,
    request_header,
    request_query,
    request_path,
    path_parameter,
    request_body,
    response_header,
    response_body,
    context,
    stage_variable,
  };
  Kind kind = Kind::text;
  std::string name;               // header, parameter or variable; the text itself
  std::vector<std::string> path;  // of a body: member names and indices
};

struct MappingValue {
  std::vector<MappingPart> parts;  // concatenated
};

// `append:header.x`, `overwrite:path`, `remove:querystring.x`, `overwrite:statuscode` with their
// values.
struct ParameterMapping {
  enum class Action { append, overwrite, remove };
  enum class Target { header, query, path, status };
  Action action = Action::overwrite;
  Target target = Target::header;
  std::string name;
  MappingValue value;
};

enum class MappingSide { request, response };

// BadRequestException when the text is no expression that this side allows.
Result<MappingValue> parse_mapping_value(std::string_view text, MappingSide side);
Result<ParameterMapping> parse_parameter_mapping(std::string_view key, std::string_view value,
                                                 MappingSide side);

// What expressions about the response draw from.
struct ResponseView {
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;
  std::string_view body;
};

// The value for this request: nullopt when what a lone expression names is absent; within a
// concatenation an absent part is the empty text. Bodies are parsed at most once per evaluation
// set.
class MappingEvaluator {
 public:
  MappingEvaluator(const Exchange& exchange, const ResponseView* response);
  ~MappingEvaluator();
  std::optional<std::string> evaluate(const MappingValue& value);

 private:
  std::optional<std::string> part(const MappingPart& part);
  std::optional<std::string> from_body(bool response, const std::vector<std::string>& path);

  const Exchange& exchange_;
  const ResponseView* response_;
  struct Bodies;
  std::unique_ptr<Bodies> bodies_;
};

// The value of $context.NAME: requestId, routeKey, identity.sourceIp, authorizer.claims.sub, …
std::optional<std::string> context_variable(const Exchange& exchange, std::string_view name);

// Puts stage variables in place of ${stageVariables.name}; an unknown one becomes the empty text.
std::string with_stage_variables(std::string_view text, const Exchange& exchange);

// Headers that mappings must not touch (access-control-*, authorization, host, …). `name` in any
// case.
bool is_reserved_header(std::string_view name);

}  // namespace virga::apigatewayv2
