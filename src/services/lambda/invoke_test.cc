#include "api/lambda/invoke.h"

#include "api/lambda/delete_function.h"
#include "api/lambda/get_account_settings.h"
#include "api/lambda/get_function_concurrency.h"
#include "api/lambda/put_function_concurrency.h"
#include "api/lambda/put_function_event_invoke_config.h"
#include "services/lambda/service.h"
#include "services/lambda/test_service.h"

namespace virga::lambda {
namespace {

TEST(Invoke, answers_and_leaves_log_and_usage) {
  Fixture f;
  f.create();
  f.compute.invoke_lines = {"hello"};
  api::InvokeInput in;
  in.function_name = "f";
  in.payload = "{\"x\":1}";
  in.log_type = "Tail";
  const auto got = f.call(&Service::invoke, in);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status_code, 200);
  EXPECT_EQ(got->payload, "{\"x\":1}");
  EXPECT_EQ(got->executed_version, "$LATEST");
  EXPECT_FALSE(got->function_error);
  const std::string tail = *from_base64(*got->log_result);
  EXPECT_THAT(tail, HasSubstr("START RequestId: req-1 Version: $LATEST\n"));
  EXPECT_THAT(tail,
              HasSubstr("\nREPORT RequestId: req-1\tDuration: 1.23 ms\tBilled Duration: 102 ms\t"));
  ASSERT_EQ(f.log.appended.size(), 1u);
  EXPECT_EQ(f.log.appended[0].group, "/aws/lambda/f");
  EXPECT_THAT(f.log.appended[0].stream, HasSubstr("/[$LATEST]"));
  EXPECT_THAT(f.log.appended[0].events.front().message,
              StartsWith("INIT_START Runtime Version: python3.12.v1\t"));
  f.shard.settle();
  const auto usage = platform::read_usage(*f.shard->snapshot(), "000000000000", "us-east-1",
                                          "lambda", Timestamp{0}, Timestamp{INT64_MAX}, 10);
  ASSERT_TRUE(usage);
  ASSERT_EQ(usage->size(), 1u);
  EXPECT_EQ((*usage)[0].id, "req-1");
  EXPECT_EQ((*usage)[0].quantities[2].name, "billed_millis");
  EXPECT_EQ((*usage)[0].quantities[2].value, 102);
}

TEST(Invoke, nothing_sent_is_an_empty_object) {
  Fixture f;
  f.create();
  ASSERT_TRUE(f.invoke("f", ""));
  EXPECT_THAT(f.compute.payloads, ElementsAre("{}"));
}

TEST(Invoke, a_function_error_is_an_answer) {
  Fixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::timed_out,
                                   .error_type = "Sandbox.Timedout",
                                   .message = "Task timed out after 3.00 seconds",
                                   .reusable = false};
  const auto got = f.invoke("f");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status_code, 200);
  EXPECT_EQ(got->function_error, "Unhandled");
  EXPECT_EQ(got->payload,
            "{\"errorType\":\"Sandbox.Timedout\",\"errorMessage\":\"RequestId: req-1 Error: Task "
            "timed out after 3.00 "
            "seconds\"}");
}

TEST(Invoke, dry_run_runs_nothing) {
  Fixture f;
  f.create();
  auto in = f.named<api::InvokeInput>();
  in.invocation_type = "DryRun";
  EXPECT_EQ(f.call(&Service::invoke, in)->status_code, 204);
  EXPECT_EQ(f.compute.started, 0);
}

TEST(Invoke, refuses_large_payloads_and_what_is_no_json) {
  Fixture f;
  f.create();
  const auto large = f.invoke("f", "\"" + std::string(6'291'456, 'x') + "\"");
  EXPECT_EQ(large.error().code, "RequestTooLargeException");
  EXPECT_EQ(large.error().http_status, 413);
  EXPECT_EQ(large.error().message,
            "6291458 byte payload is too large for the RequestResponse invocation type (limit "
            "6291456 bytes)");
  const auto broken = f.invoke("f", "{a");
  EXPECT_EQ(broken.error().code, "InvalidRequestContentException");
  EXPECT_THAT(broken.error().message, StartsWith("Could not parse request body into json: "));
}

TEST(Invoke, reserved_concurrency_of_zero_throttles) {
  Fixture f;
  f.create();
  auto in = f.named<api::PutFunctionConcurrencyInput>();
  in.reserved_concurrent_executions = 0;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, in));
  const auto got = f.invoke("f");
  EXPECT_EQ(got.error().code, "TooManyRequestsException");
  EXPECT_EQ(f.call(&Service::get_function_concurrency, f.named<api::GetFunctionConcurrencyInput>())
                ->reserved_concurrent_executions,
            0);
  in.reserved_concurrent_executions = 901;
  EXPECT_THAT(f.call(&Service::put_function_concurrency, in).error().message,
              HasSubstr("below its minimum value of [100]"));
  in.reserved_concurrent_executions = 900;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, in));
  const auto settings = f.call(&Service::get_account_settings, api::GetAccountSettingsInput());
  EXPECT_EQ(settings->account_limit->unreserved_concurrent_executions, 100);
  EXPECT_EQ(settings->account_usage->function_count, 1);
}

struct EventFixture : Fixture {
  using Fixture::Fixture;
  Result<api::InvokeOutput> send(const std::string& payload, const std::string& id = "e-1") {
    context.request_id = id;
    auto in = named<api::InvokeInput>();
    in.invocation_type = "Event";
    in.payload = payload;
    return call(&Service::invoke, std::move(in));
  }
};

TEST(InvokeEvent, answers_202_and_runs_later_under_the_same_request_id) {
  EventFixture f;
  f.create();
  const auto got = f.send("{\"n\":1}");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status_code, 202);
  EXPECT_FALSE(got->executed_version);
  f.settle();
  EXPECT_THAT(f.compute.payloads, ElementsAre("{\"n\":1}"));
  EXPECT_EQ(f.compute.invocations[0].request_id, "e-1");
  ASSERT_EQ(f.log.appended.size(), 1u);
  const auto usage = platform::read_usage(*f.shard->snapshot(), "000000000000", "us-east-1",
                                          "lambda", Timestamp{0}, Timestamp{INT64_MAX}, 10);
  EXPECT_EQ(usage->size(), 1u);
  f.pass(3'600'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
}

TEST(InvokeEvent, is_tried_again_after_one_and_two_minutes_and_then_given_up) {
  EventFixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("1"));
  f.settle();
  EXPECT_EQ(f.compute.payloads.size(), 1u);
  f.pass(59'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
  f.pass(2'000);
  EXPECT_EQ(f.compute.payloads.size(), 2u);
  f.pass(119'000);
  EXPECT_EQ(f.compute.payloads.size(), 2u);
  f.pass(2'000);
  EXPECT_EQ(f.compute.payloads.size(), 3u);
  f.pass(6 * 3'600'000);
  EXPECT_EQ(f.compute.payloads.size(), 3u);
  EXPECT_EQ(f.compute.invocations[2].request_id, "e-1");
}

TEST(InvokeEvent, obeys_the_functions_own_number_of_retries_and_the_base_delay) {
  EventFixture f({.retry_base_delay_ms = 100});
  f.create();
  auto config = f.named<api::PutFunctionEventInvokeConfigInput>();
  config.maximum_retry_attempts = 1;
  ASSERT_TRUE(f.call(&Service::put_function_event_invoke_config, config));
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("1"));
  f.settle();
  f.pass(101);
  f.pass(60'000);
  EXPECT_EQ(f.compute.payloads.size(), 2u);
}

TEST(InvokeEvent, throttling_delays_and_does_not_count_as_a_failure) {
  EventFixture f;
  f.create();
  auto one = f.named<api::PutFunctionConcurrencyInput>();
  one.reserved_concurrent_executions = 1;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, one));
  f.compute.hold_invokes = true;
  ASSERT_TRUE(f.send("1", "e-1"));
  f.settle();
  ASSERT_TRUE(f.send("2", "e-2"));
  for (int i = 0; i < 10; ++i) f.pass(60'000);
  EXPECT_THAT(f.compute.payloads, ElementsAre("1"));
  f.compute.hold_invokes = false;
  f.compute.finish_all();
  f.pass(301'000);
  EXPECT_THAT(f.compute.payloads, ElementsAre("1", "2"));
}

// What another service was asked for.
struct Called {
  std::string operation, principal;
  Document input;
};

ServiceOptions calling(std::vector<Called>* calls) {
  ServiceOptions out;
  out.has_service = [](std::string_view service) { return service != "sns"; };
  out.call = [calls](aws::CallContext call, std::string service, std::string operation,
                     Document input) -> Task<Document> {
    calls->push_back({service + ":" + operation, call.principal.arn, std::move(input)});
    co_return Document::object();
  };
  return out;
}

TEST(InvokeEvent, an_event_for_a_function_without_concurrency_goes_to_its_dead_letter_queue) {
  std::vector<Called> calls;
  EventFixture f(calling(&calls));
  auto in = f.function();
  in.dead_letter_config.emplace().target_arn = "arn:aws:sqs:us-east-1:000000000000:dead";
  ASSERT_TRUE(f.call(&Service::create_function, in));
  auto none = f.named<api::PutFunctionConcurrencyInput>();
  none.reserved_concurrent_executions = 0;
  ASSERT_TRUE(f.call(&Service::put_function_concurrency, none));
  ASSERT_TRUE(f.send("{\"n\":1}"));
  f.settle();
  EXPECT_TRUE(f.compute.payloads.empty());
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].operation, "sqs:SendMessage");
  EXPECT_EQ(calls[0].principal, "arn:aws:sts::000000000000:assumed-role/r/f");
  EXPECT_EQ(calls[0].input.string_or("MessageBody", ""), "{\"n\":1}");
  EXPECT_EQ(
      calls[0].input.find("MessageAttributes")->find("RequestID")->string_or("StringValue", ""),
      "e-1");
}

TEST(InvokeEvent, success_is_told_to_a_bus) {
  std::vector<Called> calls;
  EventFixture f(calling(&calls));
  f.create();
  auto config = f.named<api::PutFunctionEventInvokeConfigInput>();
  config.destination_config.emplace().on_success.emplace().destination =
      "arn:aws:events:us-east-1:000000000000:event-bus/default";
  ASSERT_TRUE(f.call(&Service::put_function_event_invoke_config, config));
  ASSERT_TRUE(f.send("{\"n\":1}"));
  f.settle();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].operation, "events:PutEvents");
  const Document& entry = calls[0].input.find("Entries")->as_array()[0];
  EXPECT_EQ(entry.string_or("DetailType", ""), "Lambda Function Invocation Result - Success");
  const auto detail = parse_json(entry.string_or("Detail", ""));
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->find("requestContext")->string_or("condition", ""), "Success");
  EXPECT_EQ(to_json(*detail->find("responsePayload")), "{\"n\":1}");
}

TEST(EventInvokeConfig, a_destination_of_a_service_that_is_not_there_is_refused) {
  std::vector<Called> calls;
  EventFixture f(calling(&calls));
  f.create();
  auto config = f.named<api::PutFunctionEventInvokeConfigInput>();
  config.destination_config.emplace().on_failure.emplace().destination =
      "arn:aws:sns:us-east-1:000000000000:t";
  EXPECT_EQ(f.call(&Service::put_function_event_invoke_config, config).error().code,
            "NotImplemented");
}

TEST(InvokeEvent, survives_the_process) {
  EventFixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("\"x\""));
  f.settle();
  f.restart();
  f.compute.next_outcome.reset();
  f.pass(61'000);
  EXPECT_THAT(f.compute.payloads, ElementsAre("\"x\"", "\"x\""));
}

TEST(InvokeEvent, of_a_function_that_is_gone_ends) {
  EventFixture f;
  f.create();
  f.compute.next_outcome = Outcome{.kind = OutcomeKind::handler_error, .payload = "{}"};
  ASSERT_TRUE(f.send("1"));
  f.settle();
  ASSERT_TRUE(f.call(&Service::delete_function, f.named<api::DeleteFunctionInput>()));
  f.pass(61'000);
  f.pass(600'000);
  EXPECT_EQ(f.compute.payloads.size(), 1u);
}

TEST(InvokeEvent, has_a_limit_of_one_megabyte) {
  EventFixture f;
  f.create();
  EXPECT_EQ(
      f.send("\"" + std::string(1'048'576, 'x') + "\"").error().message,
      "1048578 byte payload is too large for the Event invocation type (limit 1048576 bytes)");
}

}  // namespace
}  // namespace virga::lambda
