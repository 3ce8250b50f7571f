#include "services/lambda/invocation_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace virga::lambda {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const Timestamp kStart = from_civil(2026, 3, 1, 12, 0, 0, 0);
const Timestamp kEnd{kStart.micros + 2000};

std::vector<std::string> texts(const std::vector<LogLine>& lines) {
  std::vector<std::string> out;
  for (const auto& line : lines) out.push_back(line.text);
  return out;
}

Execution run() {
  Execution out;
  out.started = kStart;
  out.ended = kEnd;
  return out;
}

InvocationReport report() {
  return {.request_id = "r-1",
          .version = "$LATEST",
          .memory_mb = 128,
          .runtime_description = "python:3.11.v1",
          .runtime_version_arn = "arn:aws:lambda:us-east-1::runtime:aa"};
}

TEST(InvocationLog, a_warm_invocation_has_start_end_and_report) {
  Execution execution = run();
  execution.outcome = {.duration_micros = 1230, .max_memory_bytes = 40 << 20};
  execution.log = {{kStart, "hello"}};
  EXPECT_THAT(texts(full_log(execution, report())),
              ElementsAre("START RequestId: r-1 Version: $LATEST", "hello", "END RequestId: r-1",
                          "REPORT RequestId: r-1\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory "
                          "Size: 128 MB\tMax "
                          "Memory Used: 40 MB"));
}

TEST(InvocationLog, a_cold_one_begins_with_init_start_and_bills_the_initialisation) {
  Execution execution = run();
  execution.outcome = {.duration_micros = 1230, .max_memory_bytes = 1};
  execution.init_micros = 100'500;
  execution.log = {{Timestamp{kStart.micros - 10}, "importing"}, {kStart, "hello"}};
  const auto lines = texts(full_log(execution, report()));
  EXPECT_EQ(lines[0],
            "INIT_START Runtime Version: python:3.11.v1\tRuntime Version ARN: "
            "arn:aws:lambda:us-east-1::runtime:aa");
  EXPECT_EQ(lines[1], "importing");
  EXPECT_EQ(lines[2], "START RequestId: r-1 Version: $LATEST");
  EXPECT_THAT(lines.back(), HasSubstr("Billed Duration: 102 ms"));
  EXPECT_THAT(lines.back(), HasSubstr("\tInit Duration: 100.50 ms"));
}

TEST(InvocationLog, a_timeout_is_told_with_its_time) {
  Execution execution = run();
  execution.outcome = {.kind = OutcomeKind::timed_out,
                       .error_type = "Sandbox.Timedout",
                       .message = "Task timed out after 3.00 seconds",
                       .duration_micros = 3'000'000};
  const auto lines = texts(full_log(execution, report()));
  EXPECT_EQ(lines[1], "2026-03-01T12:00:00.002Z r-1 Task timed out after 3.00 seconds");
  EXPECT_THAT(lines.back(), HasSubstr("Duration: 3000.00 ms\tBilled Duration: 3000 ms"));
  EXPECT_THAT(lines.back(), HasSubstr("\tStatus: timeout"));
  EXPECT_EQ(error_payload(execution.outcome, "r-1"),
            "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: r-1 Error: Task "
            "timed out after 3.00 "
            "seconds\"}");
}

TEST(InvocationLog, running_out_of_memory_shows_all_of_it_used) {
  Execution execution = run();
  execution.outcome = {.kind = OutcomeKind::out_of_memory,
                       .error_type = "Runtime.OutOfMemory",
                       .message = "Runtime exited with error: signal: killed"};
  const auto lines = texts(full_log(execution, report()));
  EXPECT_THAT(lines.back(),
              HasSubstr("Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory"));
  EXPECT_EQ(lines[1], "RequestId: r-1 Error: Runtime exited with error: signal: killed");
}

TEST(InvocationLog, an_error_that_the_runtime_reported_stands_as_it_is) {
  const Outcome outcome{.kind = OutcomeKind::handler_error,
                        .payload = "{\"errorType\":\"ValueError\"}"};
  EXPECT_EQ(error_payload(outcome, "r"), "{\"errorType\":\"ValueError\"}");
}

TEST(InvocationLog, a_failed_initialisation_has_its_own_report) {
  Execution execution = run();
  execution.outcome = {
      .kind = OutcomeKind::init_error, .payload = "{}", .error_type = "Runtime.ImportModuleError"};
  execution.init_micros = 5000;
  const auto lines = texts(full_log(execution, report()));
  EXPECT_EQ(lines[1],
            "INIT_REPORT Init Duration: 5.00 ms\tPhase: init\tStatus: error\tError Type: "
            "Runtime.ImportModuleError");
  EXPECT_THAT(lines.back(), Not(HasSubstr("Init Duration")));
}

TEST(LogTail, keeps_the_last_4_kb_from_a_line_on) {
  std::vector<LogLine> lines;
  for (int i = 0; i < 1000; ++i) lines.push_back({kStart, "line " + std::to_string(i)});
  const auto tail = log_tail(lines);
  EXPECT_LE(tail.size(), 4096u);
  EXPECT_GT(tail.size(), 4080u);
  EXPECT_TRUE(tail.starts_with("line "));
  EXPECT_TRUE(tail.ends_with("line 999\n"));
  EXPECT_EQ(log_tail({}), "");
  EXPECT_EQ(log_tail({{kStart, std::string(9000, 'x')}}).size(), 4096u);
}

TEST(InvocationLog, in_json_the_level_decides_what_the_platform_tells) {
  Execution execution = run();
  execution.outcome = {.duration_micros = 1230, .max_memory_bytes = 40 << 20};
  execution.init_micros = 100'500;
  execution.log = {{kStart, "hello"}};
  InvocationReport json = report();
  json.json = true;
  json.system_log_level = "INFO";
  const auto info = texts(full_log(execution, json));
  ASSERT_EQ(info.size(), 4u);
  EXPECT_EQ(
      info[0],
      R"({"time":"2026-03-01T11:59:59.899Z","type":"platform.initStart","record":{"initializationType":"on-demand",)"
      R"("phase":"init","runtimeVersion":"python:3.11.v1","runtimeVersionArn":"arn:aws:lambda:us-east-1::runtime:aa"}})");
  EXPECT_EQ(
      info[1],
      R"({"time":"2026-03-01T12:00:00.000Z","type":"platform.start","record":{"requestId":"r-1",)"
      R"("version":"$LATEST"}})");
  EXPECT_EQ(info[2], "hello");
  EXPECT_THAT(info[3],
              HasSubstr(R"("metrics":{"durationMs":1.23,"billedDurationMs":102,"memorySizeMB":128,)"
                        R"("maxMemoryUsedMB":40,"initDurationMs":100.5},"status":"success"})"));
  json.system_log_level = "DEBUG";
  EXPECT_EQ(texts(full_log(execution, json)).size(), 7u);
  json.system_log_level = "WARN";
  EXPECT_THAT(texts(full_log(execution, json)), ElementsAre("hello"));
  execution.outcome = {.kind = OutcomeKind::timed_out,
                       .message = "Task timed out after 3.00 seconds"};
  const auto failed = texts(full_log(execution, json));
  ASSERT_EQ(failed.size(), 3u);
  EXPECT_THAT(failed.back(), HasSubstr(R"("status":"timeout")"));
}

}  // namespace
}  // namespace virga::lambda
