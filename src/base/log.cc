#include "base/log.h"

#include <time.h>
#include <unistd.h>

#include <atomic>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"

namespace virga {
namespace {

std::atomic<LogLevel> g_level{LogLevel::info};

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error", "off"};

}  // namespace

LogLevel log_level() {
  return g_level.load(std::memory_order_relaxed);
}
void set_log_level(LogLevel level) {
  g_level.store(level, std::memory_order_relaxed);
}

std::string_view log_level_name(LogLevel level) {
  return kNames[static_cast<int>(level)];
}

bool parse_log_level(std::string_view text, LogLevel& out) {
  for (int i = 0; i < 5; ++i) {
    if (text == kNames[i]) {
      out = static_cast<LogLevel>(i);
      return true;
    }
  }
  return false;
}

void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  timespec now;
  clock_gettime(CLOCK_REALTIME,
                &now);  // the time of a log line is for people; nothing replays from it
  std::string line = format_iso8601_millis({now.tv_sec * 1'000'000 + now.tv_nsec / 1000});
  line.push_back(' ');
  line += log_level_name(level);
  line.push_back(' ');
  line += event;
  for (const auto& field : fields) {
    line.push_back(' ');
    line += field.name;
    line.push_back('=');
    if (field.value.empty() || field.value.find_first_of(" \"\n\r\t=\\") != std::string::npos) {
      append_json_string(line, field.value);
    } else {
      line += field.value;
    }
  }
  line.push_back('\n');
  ignore(::write(2, line.data(), line.size()),
         "a log line that cannot be written has nowhere to go");
}

}  // namespace virga
