#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::apigatewayv2 {

struct PageRequest {
  size_t limit = 100;
  std::string after;  // the last id of the page before; empty: from the start
};

// MaxResults and NextToken as this service takes them: texts. `scope` is what the list is of
// ("routes/abc123"): a token of another list, or a tampered one, is a BadRequestException.
Result<PageRequest> parse_page(const std::optional<std::string>& max_results,
                               const std::optional<std::string>& next_token,
                               std::string_view scope);
std::string make_page_token(std::string_view last, std::string_view scope);

}  // namespace virga::apigatewayv2
