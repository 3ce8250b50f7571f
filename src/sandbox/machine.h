// What this machine allows, in words: for `virga doctor` and the start's log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sandbox/runtimes.h"

namespace virga::sandbox {

struct MachineLine {
  std::string what;
  std::string found;
  bool good = true;  // false: something that functions need is missing
};

// False where sandboxes have to do without namespaces (bare.h). Tries it in a child process.
bool namespaces_allowed();

// Tries each thing in a child process; call it before threads exist or from a tool.
std::vector<MachineLine> describe_machine(const RuntimePaths& overrides);

}  // namespace virga::sandbox
