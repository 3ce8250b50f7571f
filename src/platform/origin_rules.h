#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"

namespace virga::platform {

// What a request's Origin is to a resource that has cross-origin rules of its own (S3's buckets).
struct OriginQuestion {
  std::string path;  // of the request, in path style
  std::string origin;
  std::string method;             // of a preflight, the method asked for
  std::string requested_headers;  // of a preflight
  bool preflight = false;
};

struct OriginVerdict {
  bool governed = false;  // the path leads to a resource that has a say
  std::vector<std::pair<std::string, std::string>>
      headers;                      // of an answer that the rules let pass; else empty
  std::optional<AwsError> refusal;  // of a preflight
};

class OriginRules {
 public:
  virtual ~OriginRules() = default;
  virtual Task<OriginVerdict> judge(OriginQuestion question) = 0;
};

}  // namespace virga::platform
