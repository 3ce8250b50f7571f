#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace virga {

enum class LogLevel { debug, info, warn, error, off };

// The level may change while running; reading it is one relaxed load.
LogLevel log_level();
void set_log_level(LogLevel level);
bool parse_log_level(std::string_view text, LogLevel& out);
std::string_view log_level_name(LogLevel level);

struct LogField {
  std::string_view name;
  std::string value;
};
inline LogField kv(std::string_view name, std::string_view value) {
  return {name, std::string(value)};
}
inline LogField kv(std::string_view name, const char* value) {
  return {name, value};
}
inline LogField kv(std::string_view name, const std::string& value) {
  return {name, value};
}
template <class T>
  requires std::is_arithmetic_v<T>
LogField kv(std::string_view name, T value) {
  return {name, std::to_string(value)};
}

// One event, one line on stderr: `2026-03-01T12:00:00.000Z warn outbox_retry target=… attempt=2`.
// Values with spaces are quoted. Secrets, bodies and signatures never appear.
void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

}  // namespace virga

#define VIRGA_LOG(level, event, ...)                                                          \
  do {                                                                                        \
    if ((level) >= ::virga::log_level()) ::virga::log_event((level), (event), {__VA_ARGS__}); \
  } while (0)
#define LOG_DEBUG(event, ...) VIRGA_LOG(::virga::LogLevel::debug, event, ##__VA_ARGS__)
#define LOG_INFO(event, ...) VIRGA_LOG(::virga::LogLevel::info, event, ##__VA_ARGS__)
#define LOG_WARN(event, ...) VIRGA_LOG(::virga::LogLevel::warn, event, ##__VA_ARGS__)
#define LOG_ERROR(event, ...) VIRGA_LOG(::virga::LogLevel::error, event, ##__VA_ARGS__)
