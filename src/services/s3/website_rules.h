#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/s3/shapes/website_configuration.h"

// What a bucket's website configuration says about a visit. Source: S3 User Guide, "Hosting a
// static website using Amazon S3": "Configuring an index document", "(Optional) Configuring a
// webpage redirect".
namespace virga::s3 {

struct WebsiteVisit {
  std::string scheme;  // as the visitor came: "http"
  std::string host;    // with its port
  std::string key;     // of the path, decoded, without its first slash
  std::string query;   // as sent, without '?'
};

struct WebsiteRedirect {
  int status = 301;
  std::string location;
};

// Where RedirectAllRequestsTo sends the visit.
WebsiteRedirect redirect_of_all(const api::RedirectAllRequestsTo& to, const WebsiteVisit& visit);

// The first routing rule that holds: of those without HttpErrorCodeReturnedEquals before the object
// is looked for (`error` 0), of those with it once it could not be had.
std::optional<WebsiteRedirect> redirect_by_rules(const api::WebsiteConfiguration& website,
                                                 const WebsiteVisit& visit, int error);

// The key that a visit asks for: folders mean their index document.
std::string website_key(const api::WebsiteConfiguration& website, std::string_view key);

}  // namespace virga::s3
