#include "sandbox/runtimes.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>

namespace virga::sandbox {
namespace {

// Folders of real interpreters. Version managers' shims are scripts elsewhere and are no
// interpreters.
constexpr const char* kFolders[] = {"/usr/bin", "/usr/local/bin"};
constexpr int kPythonOldest = 6, kPythonMinors = 40;  // python3.6 .. python3.39

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

// What changes when a program is put into one of the folders or taken away.
using FolderTimes = std::array<std::pair<int64_t, int64_t>, std::size(kFolders)>;

FolderTimes folder_times() {
  FolderTimes out{};
  for (size_t i = 0; i < out.size(); ++i) {
    struct stat info{};
    if (::stat(kFolders[i], &info) == 0) out[i] = {info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
  }
  return out;
}

// Paths of the Pythons here by their minor versions. Every start of a function asks; a search of
// all names takes longer than its other work in the server.
const std::map<int, std::string>& installed_pythons() {
  thread_local FolderTimes searched{};
  thread_local std::map<int, std::string> found;
  const FolderTimes now = folder_times();
  const bool stands = now == searched && std::all_of(found.begin(), found.end(), [](auto& entry) {
                        return executable(entry.second);
                      });
  if (stands) return found;
  searched = now;
  found.clear();
  for (int minor = kPythonOldest; minor < kPythonMinors; ++minor) {
    for (const char* folder : kFolders) {
      const std::string path = std::string(folder) + "/python3." + std::to_string(minor);
      if (executable(path)) found.emplace(minor, path);
    }
  }
  return found;
}

std::optional<Interpreter> find_python(int wanted) {
  const auto& installed = installed_pythons();
  if (installed.empty()) return std::nullopt;
  auto best = installed.lower_bound(wanted);
  if (best == installed.end()) --best;
  return Interpreter{Family::python, real_path(best->second), "3." + std::to_string(best->first)};
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
