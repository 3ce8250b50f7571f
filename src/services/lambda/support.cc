#include "services/lambda/support.h"

#include "base/hashing.h"
#include "base/strings.h"
#include "services/lambda/errors.h"

namespace virga::lambda {
namespace {

// Not a secret: it tells tokens of ours, and of which list, from others.
std::string mark(std::string_view list, std::string_view last) {
  const auto digest = hmac_sha256("virga-lambda-marker-1/" + std::string(list), last);
  return std::string(as_bytes(digest).substr(0, 8));
}

}  // namespace

Result<void> must_be_unqualified(const FunctionName& name, std::string_view what) {
  if (name.qualifier.empty() || name.qualifier == kLatest) return {};
  return fail(errors::invalid_parameter(
      "This operation is permitted on Lambda functions only. Aliases and versions do not "
      "support this operation. Please specify either a function name or an unqualified "
      "function ARN" +
      (what.empty() ? "." : " for " + std::string(what) + ".")));
}

std::string make_marker(std::string_view list, std::string_view last) {
  return to_base64(mark(list, last) + std::string(last));
}

Result<std::string> read_marker(std::string_view list, const std::optional<std::string>& marker) {
  if (!marker || marker->empty()) return std::string();
  const auto bytes = from_base64(*marker);
  if (bytes && bytes->size() > 8 && bytes->substr(0, 8) == mark(list, bytes->substr(8)))
    return bytes->substr(8);
  return fail(errors::invalid_parameter("The Marker is invalid."));
}

}  // namespace virga::lambda
