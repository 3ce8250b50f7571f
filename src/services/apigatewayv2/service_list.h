#pragma once

#include "services/apigatewayv2/paging.h"
#include "services/apigatewayv2/service.h"

namespace virga::apigatewayv2 {

template <class T, class Input, class Output>
Result<void> Service::list(const RequestContext& context, const Input& input, Part part,
                           Output& output) const {
  const auto view = shard_.snapshot();
  VIRGA_TRY_VOID(require_api(*view, context, input.api_id));
  const std::string scope = std::to_string(static_cast<int>(part)) + "/" + input.api_id;
  VIRGA_TRY(request, parse_page(input.max_results, input.next_token, scope));
  VIRGA_TRY(page, list_parts(*view, input.api_id, part, request.after, request.limit));
  auto& items = output.items.emplace();
  for (const auto& bytes : page.records) {
    VIRGA_TRY(record, decode_record<T>(bytes));
    items.push_back(std::move(record));
  }
  if (!page.next.empty()) output.next_token = make_page_token(page.next, scope);
  return {};
}

}  // namespace virga::apigatewayv2
