#include "base/error.h"

#include "base/document.h"

namespace virga {

AwsError internal_failure(std::string what) {
  return AwsError{.code = "InternalFailure",
                  .http_status = 500,
                  .message = "We encountered an internal error. Please try again. (" + what + ")"};
}

}  // namespace virga
