#pragma once

#include <functional>
#include <string>

#include "aws/operation.h"

// What is implemented, from the bindings themselves: `virga coverage` and docs/COVERAGE.md.
namespace virga::aws {

struct CoverageCounts {
  size_t implemented = 0;  // complete
  size_t partial = 0;      // with notes of what is missing
  size_t total = 0;
};

CoverageCounts count_coverage(const ServiceDesc& service, const ServiceBinding* binding);

// The service's lines, one an operation: "  CreateTable: partial: SSESpecification is stored
// without effect". Operations that are not implemented are left out unless asked for.
enum class Missing { left_out, listed };
std::string coverage_text(const ServiceDesc& service, const ServiceBinding* binding,
                          Missing missing);

// The whole page in Markdown; `binding_of` gives a service's binding or null.
std::string coverage_markdown(
    const std::function<const ServiceBinding*(const ServiceDesc&)>& binding_of,
    Table<const ServiceDesc*> services);

}  // namespace virga::aws
