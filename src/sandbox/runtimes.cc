#include "sandbox/runtimes.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <charconv>

namespace virga::sandbox {
namespace {

// Folders of real interpreters. Version managers' shims are scripts elsewhere and are no
// interpreters.
constexpr const char* kFolders[] = {"/usr/bin", "/usr/local/bin"};
constexpr int kPythonMinors = 40;  // python3.0 .. python3.39

bool executable(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

int number_after(std::string_view text, std::string_view prefix) {
  int value = -1;
  if (text.starts_with(prefix)) {
    text.remove_prefix(prefix.size());
    std::from_chars(text.data(), text.data() + text.size(), value);
  }
  return value;
}

std::optional<Interpreter> find_python(int wanted) {
  const auto at = [](int minor) -> std::optional<Interpreter> {
    for (const char* folder : kFolders) {
      const std::string path = std::string(folder) + "/python3." + std::to_string(minor);
      if (executable(path))
        return Interpreter{Family::python, real_path(path), "3." + std::to_string(minor)};
    }
    return std::nullopt;
  };
  for (int minor = wanted; minor < kPythonMinors; ++minor)
    if (auto found = at(minor)) return found;
  for (int minor = wanted - 1; minor >= 6; --minor)
    if (auto found = at(minor)) return found;
  return std::nullopt;
}

std::optional<Interpreter> find_node() {
  for (const char* folder : kFolders) {
    for (const char* name : {"/node", "/nodejs"}) {
      const std::string path = std::string(folder) + name;
      if (executable(path)) return Interpreter{Family::node, real_path(path), ""};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Family> runtime_family(std::string_view name) {
  if (name.starts_with("python3.")) return Family::python;
  if (name.starts_with("nodejs")) return Family::node;
  if (name == "provided" || name.starts_with("provided.")) return Family::provided;
  return std::nullopt;
}

std::optional<Interpreter> find_interpreter(std::string_view name, const RuntimePaths& overrides) {
  const auto family = runtime_family(name);
  if (!family) return std::nullopt;
  for (const auto& [runtime, path] : overrides)
    if (runtime == name && executable(path)) return Interpreter{*family, real_path(path), ""};
  switch (*family) {
    case Family::provided:
      return Interpreter{Family::provided, "", ""};
    case Family::node:
      return find_node();
    case Family::python:
      return find_python(number_after(name, "python3."));
  }
  return std::nullopt;
}

}  // namespace virga::sandbox
