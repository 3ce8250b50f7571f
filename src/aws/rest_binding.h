#pragma once

#include "aws/member_set.h"
#include "aws/wire.h"

// Members of REST operations that live outside the body: labels, query parameters, headers, the
// status.
namespace virga::aws {

Result<void> read_bindings(const Match& match, const WireRequest& request, const StructDesc& shape,
                           void* object, MemberSet& seen);
// Adds headers; a status member, when set, replaces the response's status.
void write_bindings(const StructDesc& shape, const void* object, net::HttpResponse& response);

}  // namespace virga::aws
