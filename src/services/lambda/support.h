#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "services/lambda/function_name.h"
#include "services/lambda/function_store.h"

// What most operations begin and end with.
namespace virga::lambda {

// The function that the call means.
inline Result<FunctionName> parse_name(Ctx ctx, const std::string& text,
                                       const std::optional<std::string>& qualifier = std::nullopt) {
  std::optional<std::string_view> separate;
  if (qualifier) separate = *qualifier;
  return FunctionName::parse(text, separate, ctx->account, ctx->region, ctx->partition);
}

// For operations on the function itself: a qualifier other than $LATEST is refused by AWS's text.
Result<void> must_be_unqualified(const FunctionName& name, std::string_view what);

inline std::string new_revision_id(Ctx ctx) {
  return ctx->env->random.uuid();
}

// How many items a page has: AWS's lists give at most 50 whatever is asked. Source: ListFunctions,
// MaxItems: "Note that ListFunctions returns a maximum of 50 items in each response, even if you
// set the number higher."
inline size_t page_size(const std::optional<int32_t>& max_items) {
  const int asked = max_items.value_or(50);
  return static_cast<size_t>(asked < 1 || asked > 50 ? 50 : asked);
}

// The payload of an invocation: within the limits of its type, and JSON. (invoke.cc)
Result<void> check_payload(const std::string& payload, std::string_view type);
Result<std::string> decode_client_context(const std::optional<std::string>& text);

// A new X-Ray header value, not sampled.
std::string make_trace_id(async::Env& env);

// Page tokens: opaque, valid after a restart; what we did not make is refused.
std::string make_marker(std::string_view list, std::string_view last);
Result<std::string> read_marker(std::string_view list, const std::optional<std::string>& marker);

}  // namespace virga::lambda
