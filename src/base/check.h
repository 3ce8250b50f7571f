#pragma once

namespace virga {

// Ends the process with the place and the broken condition on stderr. Used by CHECK only.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace virga

// States what must hold; on in every build. Input from outside never reaches a CHECK: it gets an
// AwsError.
#define CHECK(cond) \
  (__builtin_expect(!!(cond), 1) ? (void)0 : ::virga::check_failed(#cond, __FILE__, __LINE__))
