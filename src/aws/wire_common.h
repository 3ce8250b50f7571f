#pragma once

#include <string>
#include <string_view>

#include "aws/operation.h"
#include "net/http_message.h"

// Shared by answers and errors.
namespace virga::aws {

// The request id in the service's headers, and what else each of its answers carries.
void write_envelope(const ServiceDesc& service, std::string_view request_id,
                    net::HttpResponse& response);
std::string_view json_content_type(const ServiceDesc& service);

}  // namespace virga::aws
