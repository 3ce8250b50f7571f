// Files of runtimes/ that are part of the binary.
#pragma once

#include <string_view>

namespace virga::sandbox {

std::string_view embedded_python_bootstrap();
std::string_view embedded_python_shim();  // a shared library
std::string_view embedded_node_bootstrap();

}  // namespace virga::sandbox
