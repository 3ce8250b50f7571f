#pragma once

#include <string>

#include "net/http_server.h"
#include "platform/identify.h"

namespace virga::server {

// Strict mode's key to the local endpoints: a request signed for the service "virga" with a key of
// the root of the server's own account, such as `curl --aws-sigv4 aws:amz:us-east-1:virga --user
// "$ID:$SECRET"` makes. Any loop.
class RootKey final {
 public:
  RootKey(platform::IdentityStore& identity, async::Env& env, std::string account,
          std::string region);

  // Errors: those of signatures, as REST-JSON services have them; AccessDeniedException for
  // everybody but the root.
  Task<void> require(net::HttpRequest* request, std::string_view body);

 private:
  const std::string account_;
  platform::Identifier identifier_;
};

}  // namespace virga::server
