#pragma once

#include "platform/http_front.h"
#include "platform/iam_signer.h"
#include "services/lambda/service.h"
#include "services/lambda/url_store.h"

namespace virga::lambda {

// Serves function URLs: finds the function, answers CORS, turns the request into an event and the
// function's answer into HTTP. Owned by server/; called from every loop. Source: Lambda Developer
// Guide, "Lambda function URLs".
class FunctionUrlPlane final : public platform::DataPlaneHandler {
 public:
  // `signer` judges the callers of URLs with AuthType AWS_IAM.
  FunctionUrlPlane(Service& service, platform::RequestSigner& signer)
      : service_(service), signer_(signer) {}
  Task<net::HttpResponse> handle(net::HttpRequest& request) override;

 private:
  Task<net::HttpResponse> serve(net::HttpRequest* request);
  Task<Principal> caller(const net::HttpRequest* request, const std::string* body,
                         const Service::UrlAddress* target);
  Task<net::HttpResponse> answer(Service::UrlCall call);
  Task<net::HttpResponse> streamed_answer(Service::UrlCall call);

  Service& service_;
  platform::RequestSigner& signer_;
};

}  // namespace virga::lambda
