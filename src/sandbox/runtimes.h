// Which interpreter runs a runtime name on this machine.
// Source of the names: the Runtime enum of the Lambda API model; only Python, Node and provided are
// interpreted here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace virga::sandbox {

enum class Family { python, node, provided };

struct Interpreter {
  Family family{};
  std::string path;     // real file; empty for provided
  std::string version;  // "3.11", "20"; empty when unknown
};

using RuntimePaths =
    std::vector<std::pair<std::string, std::string>>;  // runtime name -> interpreter, from
                                                       // --runtime

// The family of a name; nullopt for families that this engine does not run (java, ruby, dotnet,
// go).
std::optional<Family> runtime_family(std::string_view name);

// The exact interpreter if installed, else the nearest newer, else the newest older; nullopt when
// none of its family is.
std::optional<Interpreter> find_interpreter(std::string_view name, const RuntimePaths& overrides);

}  // namespace virga::sandbox
