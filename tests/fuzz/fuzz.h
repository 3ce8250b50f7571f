#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

// What fuzz targets share. A target checks invariants with REQUIRE; a broken one ends the process,
// which libFuzzer reports. VIRGA_PLANT=<name> switches a fault on that the target's header names:
// it stands for a bug in our code, and the run must fail then, or the check would not find a real
// one either.
namespace virga::fuzz {

inline bool planted(const char* name) {
  static const char* const plant = std::getenv("VIRGA_PLANT");
  return plant && std::strcmp(plant, name) == 0;
}

// Consumes the input as parameters and texts.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto b = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  // Up to the next occurrence of `end`, which is taken too.
  std::string_view until(char end) {
    const size_t at = rest_.find(end);
    const std::string_view text = rest_.substr(0, at);
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + 1);
    return text;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace virga::fuzz

#define REQUIRE(condition)                                                         \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (0)
