#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "aws/context.h"
#include "net/http_server.h"
#include "platform/function_invoker.h"
#include "platform/iam_signer.h"
#include "platform/log_writer.h"
#include "services/apigatewayv2/gateway_request.h"
#include "services/apigatewayv2/key_cache.h"
#include "services/apigatewayv2/lambda_authorizer.h"
#include "services/apigatewayv2/reply.h"
#include "services/apigatewayv2/throttle.h"
#include "services/apigatewayv2/upstream.h"

namespace virga::apigatewayv2 {

struct MappedRequest;
class ServiceCaller;

// Where the compiled APIs come from: the service's cache over the shard; a map in tests.
class ApiSource {
 public:
  virtual ~ApiSource() = default;
  // Null when there is no such API. Any loop.
  virtual Result<std::shared_ptr<const CompiledApi>> find_api(std::string_view api_id) = 0;
};

// Where the API mapping of a custom domain leads; the path then does not name the stage.
struct MappedStage {
  std::string stage;     // empty, like the API's id: no mapping has a key that the path lies under
  size_t key_bytes = 0;  // of the path: "/v1" for the key v1
};

// A request's address on the data plane.
struct DataPlaneAddress {
  std::string api_id;
  std::string path;         // begins with '/', with the stage's name if it has one; percent-encoded
  std::string domain_name;  // requestContext.domainName
  std::optional<MappedStage> mapping;
};

// The address when the request is for an HTTP API, else nullopt:
//   Host {id}.execute-api.…            path /{stage}/…  or for the $default stage  /…
//   any Host, path /_aws/execute-api/{id}/…  the same, and /_aws/execute-api/{id}/$default/… too
std::optional<DataPlaneAddress> data_plane_address(const net::HttpRequest& request);
bool is_data_plane_host(std::string_view host);
// The host of the request without port, lower case.
std::string called_host(const net::HttpRequest& request);

// Serves HTTP APIs. One for the server, called from every loop: it holds no state of its own but
// caches that may be lost.
class DataPlane {
 public:
  struct Parts {
    async::Env& env;
    ApiSource& apis;
    platform::FunctionInvoker& functions;
    Upstream& upstream;
    AuthorizerCache& authorizations;  // the service's: it clears them when authorizers change
    platform::RequestSigner* signer = nullptr;  // null: routes with AWS_IAM refuse everybody
    platform::LogWriter* logs = nullptr;        // null: no access logs
    ServiceCaller* services = nullptr;          // null: integrations with services fail
  };
  explicit DataPlane(Parts parts);

  // Limits. Source: API Gateway Developer Guide, "Quotas for configuring and running an HTTP API".
  static constexpr size_t kPayloadBytesMax = 10 * 1024 * 1024;
  static constexpr size_t kHeadBytesMax = 10'240;
  static constexpr int64_t kAuthorizerMs = 10'000;
  // A function's event holds 6 MB. Source: Lambda quotas, invocation payload.
  static constexpr size_t kEventBytesMax = 6'291'456;

  // The answer; every failure is an answer too.
  Task<net::HttpResponse> handle(net::HttpRequest& request, DataPlaneAddress address);

 private:
  struct Call;

  Task<GatewayReply> serve(Call* call);
  bool select_stage(Call& call) const;
  bool within_limits(const Call& call);
  Task<std::optional<GatewayReply>> authorize(Call* call);
  Task<std::optional<GatewayReply>> authorize_jwt(Call* call);
  Task<std::optional<GatewayReply>> authorize_lambda(Call* call);
  Task<std::optional<GatewayReply>> authorize_iam(Call* call);
  Task<std::shared_ptr<const AuthorizerVerdict>> ask_authorizer(
      Call* call, std::vector<std::string> identities);
  Task<GatewayReply> integrate(Call* call);
  Task<GatewayReply> integrate_lambda(const CompiledIntegration* integration,
                                      const MappedRequest* mapped, AccessFacts* facts);
  Task<GatewayReply> integrate_service(const CompiledIntegration* integration,
                                       const Exchange* exchange, AccessFacts* facts);
  Task<GatewayReply> integrate_http(const CompiledIntegration* integration,
                                    const MappedRequest* mapped, AccessFacts* facts);
  Task<void> log_access(Call* call, const GatewayReply* reply);

  Parts parts_;
  KeyCache keys_;
  Throttles throttles_;
};

}  // namespace virga::apigatewayv2
