#pragma once

#include <string>
#include <string_view>

namespace virga::server {

// What `virga coverage [service]` prints: each operation as implemented, partial (and what is
// missing) or not implemented, read from the models and from the handlers that exist. An empty name
// means all services; the text is empty when no service has the name. `--markdown` gives the text
// of docs/COVERAGE.md.
std::string coverage_text(std::string_view which);

}  // namespace virga::server
