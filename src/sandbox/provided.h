#pragma once

namespace virga::sandbox {

// What a sandbox of a custom runtime runs until its assignment: waits for the environment, then
// executes the function's `bootstrap` (from the code folder, else the layers'). The caller is
// locked down already. Its exit status when there is no bootstrap that can be executed.
inline constexpr int kInvalidEntrypoint = 142;

[[noreturn]] void provided_main(const char* task = "/var/task", const char* opt = "/opt");

}  // namespace virga::sandbox
