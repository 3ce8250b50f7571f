#include "aws/operation.h"

#include <algorithm>

namespace virga::aws {
namespace {

template <class Range, class Get>
auto find_by_name(const Range& range, std::string_view name, Get get)
    -> decltype(&get(*range.begin())) {
  const auto at =
      std::lower_bound(range.begin(), range.end(), name,
                       [&](const auto& e, std::string_view n) { return get(e).name < n; });
  return at != range.end() && get(*at).name == name ? &get(*at) : nullptr;
}

}  // namespace

const OperationDesc* find_operation(const ServiceDesc& service, std::string_view name) {
  return find_by_name(service.operations, name,
                      [](const OperationDesc& o) -> const OperationDesc& { return o; });
}

const ErrorDesc* find_error(const ServiceDesc& service, std::string_view name) {
  return find_by_name(service.errors, name,
                      [](const ErrorDesc* e) -> const ErrorDesc& { return *e; });
}

AwsError not_implemented(std::string_view service, std::string_view operation) {
  std::string message = "NotImplemented: ";
  message += service;
  message += ' ';
  message += operation;
  message += " is not implemented by Virga.";
  return AwsError{.code = "NotImplemented", .http_status = 501, .message = std::move(message)};
}

Task<OutputBox> invoke(const ServiceBinding& binding, const OperationDesc& op, Ctx ctx,
                       InputBox input) {
  if (!binding.implements(op)) return NotImplementedTask{op.service->name, op.name};
  return binding.thunks[op.index](binding.handlers, ctx, std::move(input));
}

namespace binding_detail {

Task<OutputBox> land(UntypedTask handling, Landing landing) {
  co_await std::move(handling);
  co_return landing.box(*landing.slot);
}

}  // namespace binding_detail
}  // namespace virga::aws
