#pragma once

#include <memory>
#include <string>

#include "api/s3/shapes/website_configuration.h"
#include "platform/http_front.h"
#include "services/s3/access_control.h"
#include "services/s3/cross_origin.h"
#include "services/s3/service.h"
#include "services/s3/website_rules.h"

namespace virga::s3 {

// Serves buckets as websites, at {bucket}.s3-website.{anything} and {bucket}.s3-website-{region}.…:
// index and error documents, redirects, errors as pages. Visitors are anonymous: bucket policies
// and access control lists decide. Owned by server/; called on the first loop. Source: S3 User
// Guide, "Website endpoints".
class Website final : public platform::DataPlaneHandler {
 public:
  Website(Service& service, AccessControl& access, CrossOrigin& origins, storage::Shard& shard,
          async::Env& env, std::string region)
      : service_(service),
        access_(access),
        origins_(origins),
        shard_(shard),
        env_(env),
        region_(std::move(region)) {}

  Task<net::HttpResponse> handle(net::HttpRequest& request) override;

 private:
  // One request on its way; the coroutines below have it by pointer.
  struct Visit;
  Task<net::HttpResponse> serve(Visit* visit);
  // An object that the visitor may read, as an answer. `conditions`: the request's own headers
  // decide too.
  enum class Conditions { none, of_request };
  Task<net::HttpResponse> read(Visit* visit, std::string key, Conditions conditions);
  Task<api::WebsiteConfiguration> configuration(const Visit* visit);
  Task<net::HttpResponse> answer_to_error(Visit* visit, AwsError error);

  Service& service_;
  AccessControl& access_;
  CrossOrigin& origins_;
  storage::Shard& shard_;
  async::Env& env_;
  std::string region_;
};

}  // namespace virga::s3
