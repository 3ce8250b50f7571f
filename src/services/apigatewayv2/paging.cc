#include "services/apigatewayv2/paging.h"

#include <algorithm>

#include "base/hashing.h"
#include "base/strings.h"
#include "services/apigatewayv2/errors.h"

namespace virga::apigatewayv2 {
namespace {

constexpr size_t kSumBytes = 8;

std::string sum(std::string_view last, std::string_view scope) {
  std::string text = "apigatewayv2 page\n";
  text += scope;
  text += '\n';
  text += last;
  return std::string(as_bytes(sha256(text)).substr(0, kSumBytes));
}

}  // namespace

std::string make_page_token(std::string_view last, std::string_view scope) {
  return to_base64(sum(last, scope) + std::string(last));
}

Result<PageRequest> parse_page(const std::optional<std::string>& max_results,
                               const std::optional<std::string>& next_token,
                               std::string_view scope) {
  static constexpr int64_t kLimitMax = 500;
  PageRequest page;
  if (max_results && !max_results->empty()) {
    const auto number = parse_int(*max_results);
    if (!number || *number < 1)
      return fail(errors::bad_request("Invalid value for MaxResults: " + *max_results));
    page.limit = static_cast<size_t>(std::min(*number, kLimitMax));
  }
  if (next_token && !next_token->empty()) {
    const auto bytes = from_base64(*next_token);
    if (!bytes || bytes->size() <= kSumBytes ||
        bytes->substr(0, kSumBytes) != sum(bytes->substr(kSumBytes), scope)) {
      return fail(errors::bad_request("Invalid NextToken specified"));
    }
    page.after = bytes->substr(kSumBytes);
  }
  return page;
}

}  // namespace virga::apigatewayv2
