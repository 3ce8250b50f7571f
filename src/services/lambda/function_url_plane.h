#pragma once

#include "platform/http_front.h"
#include "services/lambda/service.h"
#include "services/lambda/url_store.h"

namespace virga::lambda {

// Serves function URLs: finds the function, answers CORS, turns the request into an event and the
// function's answer into HTTP. Owned by server/; called from every loop. Source: Lambda Developer
// Guide, "Lambda function URLs".
class FunctionUrlPlane final : public platform::DataPlaneHandler {
 public:
  explicit FunctionUrlPlane(Service& service) : service_(service) {}
  Task<net::HttpResponse> handle(net::HttpRequest& request) override;

 private:
  Task<net::HttpResponse> serve(net::HttpRequest* request);

  Service& service_;
};

}  // namespace virga::lambda
