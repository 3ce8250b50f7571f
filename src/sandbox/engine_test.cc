#include "sandbox/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/test_support.h"

namespace virga::sandbox {
namespace {

using ::testing::HasSubstr;

class PythonEngine : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bed_ = new Bed; }
  static void TearDownTestSuite() {
    delete bed_;
    bed_ = nullptr;
  }
  void SetUp() override { bed().logs.clear(); }
  static Bed& bed() { return *bed_; }

 private:
  static Bed* bed_;
};
Bed* PythonEngine::bed_ = nullptr;

TEST_F(PythonEngine, runs_a_function_and_gives_its_answer) {
  auto sandbox = bed().started(
      bed().python("def handler(event, context):\n    return {'sum': event['a'] + event['b']}\n"));
  ASSERT_TRUE(sandbox);
  const auto got = bed().invoke(*sandbox, R"({"a": 2, "b": 3})");
  EXPECT_EQ(got.kind, OutcomeKind::response);
  EXPECT_EQ(got.payload, R"({"sum": 5})");
  EXPECT_GT(got.duration_micros, 0);
}

TEST_F(PythonEngine, has_delivered_what_was_printed_when_invoke_returns) {
  auto sandbox = bed().started(
      bed().python("import logging, sys\nprint('at init')\n"
                   "def handler(event, context):\n    print('one\\ntwo')\n    "
                   "logging.getLogger().warning('careful')\n"
                   "    print('bad', file=sys.stderr)\n    print('no newline', end='')\n"));
  ASSERT_TRUE(sandbox);
  bed().invoke(*sandbox, "{}");
  EXPECT_THAT(bed().log_text(), HasSubstr("at init\none\ntwo\n"));
  EXPECT_THAT(bed().log_text(), HasSubstr("bad\n"));
  EXPECT_THAT(bed().log_text(), HasSubstr("no newline\n"));
  EXPECT_THAT(bed().log_text(),
              ::testing::ContainsRegex("\\[WARNING\\]\t[0-9T:-]+\\.[0-9]+Z\treq-[0-9]+\tcareful"));
}

TEST_F(PythonEngine, keeps_its_state_between_events) {
  auto sandbox = bed().started(bed().python(
      "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n"));
  ASSERT_TRUE(sandbox);
  for (const char* want : {"1", "2", "3"}) EXPECT_EQ(bed().invoke(*sandbox, "{}").payload, want);
}

TEST_F(PythonEngine, gives_errors_in_their_form) {
  const auto got = bed().once(bed().python(
      "def inner():\n    raise KeyError('k')\ndef handler(event, context):\n    inner()\n"));
  EXPECT_EQ(got.kind, OutcomeKind::error);
  EXPECT_EQ(got.error_type, "KeyError");
  EXPECT_THAT(got.payload,
              HasSubstr(R"({"errorMessage": "'k'", "errorType": "KeyError", "requestId": "req-)"));
  EXPECT_THAT(
      got.payload,
      HasSubstr(
          R"("stackTrace": ["  File \"/var/task/app.py\", line 4, in handler\n    inner()\n",)"));
  EXPECT_THAT(bed().log_text(),
              HasSubstr("[ERROR] KeyError: 'k'\nTraceback (most recent call last):\n"));
}

TEST_F(PythonEngine, reports_what_cannot_be_marshalled) {
  const auto got = bed().once(bed().python("def handler(event, context):\n    return {1, 2}\n"));
  EXPECT_EQ(got.error_type, "Runtime.MarshalError");
  EXPECT_THAT(got.payload,
              HasSubstr("Unable to marshal response: Object of type set is not JSON serializable"));
}

TEST_F(PythonEngine, reports_why_a_handler_cannot_be_loaded) {
  const auto init = [&](const char* code, const char* handler) {
    auto spec = bed().python(code);
    spec.handler = handler;
    auto got = bed().run(bed().engine().start(std::move(spec)));
    return got ? got->error_type + "|" + got->payload : got.error().message;
  };
  EXPECT_THAT(
      init("", "other.handler"),
      HasSubstr(
          R"(Runtime.ImportModuleError|{"errorMessage": "Unable to import module 'other': No module named 'other'")"));
  EXPECT_THAT(init("", "app.gone"), HasSubstr("Handler 'gone' missing on module 'app'"));
  EXPECT_THAT(init("", "nodot"), HasSubstr("Runtime.MalformedHandlerName|"));
  EXPECT_THAT(init("def (", "app.handler"),
              HasSubstr("Runtime.UserCodeSyntaxError|{\"errorMessage\": \"Syntax error in module "
                        "'app': invalid syntax"));
  EXPECT_THAT(init("import nothing_here", "app.handler"),
              HasSubstr("Unable to import module 'app': No module named 'nothing_here'"));
  EXPECT_THAT(init("raise ValueError('at init')", "app.handler"),
              HasSubstr(R"(ValueError|{"errorMessage": "at init")"));
}

TEST_F(PythonEngine, gives_the_context_and_the_environment) {
  auto spec = bed().python(
      "import os, sys\ndef handler(event, context):\n    return [context.function_name, "
      "context.invoked_function_arn, os.getcwd(),\n"
      "        os.environ.get('MINE'), os.environ['_HANDLER'], sys.path[0], os.getuid(), "
      "context.get_remaining_time_in_millis() > 0]\n");
  spec.environment.emplace_back("MINE", "a=b c");
  EXPECT_EQ(
      bed().once(std::move(spec)).payload,
      R"(["test", "arn:aws:lambda:us-east-1:000000000000:function:test", "/var/task", "a=b c", "app.handler", "/var/task", 993, true])");
}

TEST_F(PythonEngine, ends_a_function_at_its_timeout) {
  auto sandbox = bed().started(bed().python(
      "import time\ndef handler(event, context):\n    print('begun')\n    time.sleep(60)\n"));
  ASSERT_TRUE(sandbox);
  const auto got = bed().invoke(*sandbox, "{}", 200);
  EXPECT_EQ(got.kind, OutcomeKind::timed_out);
  EXPECT_FALSE(sandbox->alive());
  EXPECT_THAT(bed().log_text(), HasSubstr("begun"));
  EXPECT_EQ(bed().invoke(*sandbox, "{}").payload, "SandboxGone");
}

TEST_F(PythonEngine, reports_exits_signals_and_exhausted_memory) {
  const auto status =
      bed().once(bed().python("import os\ndef handler(event, context):\n    os._exit(3)\n"));
  EXPECT_EQ(status.kind, OutcomeKind::exited);
  EXPECT_EQ(WEXITSTATUS(status.wait_status), 3);
  const auto sys_exit =
      bed().once(bed().python("import sys\ndef handler(event, context):\n    sys.exit(4)\n"));
  EXPECT_EQ(WEXITSTATUS(sys_exit.wait_status), 4);
  const auto killed =
      bed().once(bed().python("import os, signal\ndef handler(event, context):\n    "
                              "os.kill(os.getpid(), signal.SIGKILL)\n"));
  EXPECT_EQ(killed.kind, OutcomeKind::exited);
  EXPECT_EQ(WTERMSIG(killed.wait_status), SIGKILL);
  const auto memory = bed().once(
      bed().python("def handler(event, context):\n    return len(bytearray(400_000_000))\n"));
  EXPECT_EQ(memory.kind, OutcomeKind::out_of_memory);
  EXPECT_GT(memory.memory_peak_bytes, 100 << 20);
}

TEST_F(PythonEngine, ends_an_init_that_takes_too_long_or_exits) {
  auto slow = bed().python("import time\ntime.sleep(60)\n");
  slow.init_timeout_ms = 100;
  auto got = bed().run(bed().engine().start(std::move(slow)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, StartOutcome::Kind::timed_out);
  got = bed().run(bed().engine().start(bed().python("import os\nos._exit(9)\n")));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, StartOutcome::Kind::exited);
  EXPECT_EQ(WEXITSTATUS(got->wait_status), 9);
}

TEST_F(PythonEngine, refuses_an_answer_over_six_mebibytes_and_lives_on) {
  auto sandbox =
      bed().started(bed().python("def handler(event, context):\n    return 'x' * event\n"));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(bed().invoke(*sandbox, "6291554").kind, OutcomeKind::response);
  EXPECT_EQ(bed().invoke(*sandbox, "6291555").kind, OutcomeKind::too_large);
  EXPECT_EQ(bed().invoke(*sandbox, "2").payload, "\"xx\"");
  EXPECT_EQ(bed().invoke(*sandbox, std::string(6'000'000, '1') + "0").kind,
            OutcomeKind::error);  // a number Python refuses
}

TEST_F(PythonEngine, answers_after_it_was_frozen) {
  auto sandbox =
      bed().started(bed().python("import time\ndef handler(event, context):\n    return 'warm'\n"));
  ASSERT_TRUE(sandbox);
  for (int i = 0; i < 3; ++i) {
    const auto until = bed().loop.now().plus_millis(40);  // past the freeze
    while (bed().loop.now() < until) bed().loop.run_once(10);
    EXPECT_EQ(bed().invoke(*sandbox, "{}").payload, "\"warm\"");
  }
}

TEST_F(PythonEngine, resolves_platform_names_and_refuses_others_at_once) {
  const auto got = bed().once(bed().python(
      "import socket, time\ndef look(name):\n    try:\n        return socket.getaddrinfo(name, "
      "80)[0][4][0]\n    except OSError:\n        return 'none'\n"
      "def handler(event, context):\n    begun = time.time()\n"
      "    return [look('localhost') in ('127.0.0.1', '::1'), look('bucket.s3.localhost') in "
      "('127.0.0.1', '::1'),\n"
      "        look('s3.localhost.localstack.cloud') in ('127.0.0.1', '::1'), look('example.com'), "
      "time.time() - begun < 1]\n"));
  EXPECT_EQ(got.payload, R"([true, true, true, "none", true])");
}

TEST_F(PythonEngine, brings_an_sdk_that_finds_the_platform) {
  auto spec = bed().python(
      "import boto3\nclient = boto3.client('dynamodb')\n"
      "def handler(event, context):\n    return [client.meta.endpoint_url, "
      "boto3.client('s3').meta.endpoint_url,\n"
      "        boto3.client('sqs', endpoint_url='http://127.0.0.1:1').meta.endpoint_url, "
      "boto3.resource('s3').meta.client.meta.endpoint_url]\n");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"AWS_REGION", "eu-west-1"},
           {"AWS_DEFAULT_REGION", "eu-west-1"},
           {"AWS_ACCESS_KEY_ID", "a"},
           {"AWS_SECRET_ACCESS_KEY", "b"},
           {"AWS_ENDPOINT_URL", "http://127.0.0.1:4566"},
           {"AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000"}})
    spec.environment.emplace_back(name, value);
  EXPECT_EQ(
      bed().once(std::move(spec)).payload,
      R"(["http://127.0.0.1:4566", "http://127.0.0.1:9000", "http://127.0.0.1:1", "http://127.0.0.1:9000"])");
}

TEST_F(PythonEngine, leaves_no_trace_of_the_sdk_calls_it_has_rehearsed) {
  auto spec = bed().python(
      "import threading\nimport boto3\nfrom urllib3.util import connection\n"
      "def mine(value):\n"
      "    boto3.DEFAULT_SESSION.events.register('creating-resource-class.dynamodb.Table',\n"
      "        lambda class_attributes, **kwargs: class_attributes.update(mine=value))\n"
      "    return boto3.resource('dynamodb').Table('orders')\n"
      "before = boto3.resource('dynamodb').Table('orders')\n"
      "tables = [mine(1), mine(2)]\n"
      "def handler(event, context):\n"
      "    client = tables[0].meta.client\n"
      "    return [hasattr(before, 'mine'), tables[0].mine, tables[1].mine, "
      "client.meta.region_name, "
      "client.meta.endpoint_url,\n"
      "        client._request_signer._credentials.access_key, "
      "connection.create_connection.__module__,\n"
      "        type(before) is type(boto3.Session().resource('dynamodb').Table('orders')), "
      "threading.active_count()]\n");
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"AWS_DEFAULT_REGION", "eu-west-1"},
                                                        {"AWS_ACCESS_KEY_ID", "a"},
                                                        {"AWS_SECRET_ACCESS_KEY", "b"},
                                                        {"AWS_ENDPOINT_URL", "http://127.0.0.1:1"}})
    spec.environment.emplace_back(name, value);
  EXPECT_EQ(
      bed().once(std::move(spec)).payload,
      R"([false, 1, 2, "eu-west-1", "http://127.0.0.1:1", "a", "urllib3.util.connection", false, 1])");
}

TEST_F(PythonEngine, survives_a_hostile_runtime_api_client) {
  auto sandbox = bed().started(
      bed().python("import socket\ndef send(data):\n    s = socket.create_connection(('127.0.0.1', "
                   "9001))\n    s.sendall(data)\n    s.shutdown(1)\n"
                   "    got = s.recv(100)\n    s.close()\n    return got[:12].decode()\n"
                   "def handler(event, context):\n    post = b'POST "
                   "/2018-06-01/runtime/invocation/x/response HTTP/1.1\\r\\n'\n"
                   "    return [send(b'GET /nothing HTTP/1.1\\r\\n\\r\\n'), send(b'x' * 40000), "
                   "send(b'GET / HTTP/1.0\\r\\n\\r\\n'),\n"
                   "        send(post + b'Content-Length: 1\\r\\nContent-Length: 1\\r\\n\\r\\na'), "
                   "send(post + b'Content-Length: -1\\r\\n\\r\\n'),\n"
                   "        send(post + b'Transfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n'), "
                   "send(post + b'Content-Length: 1\\r\\n\\r\\na')]\n"));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(
      bed().invoke(*sandbox, "{}").payload,
      R"(["HTTP/1.1 404", "HTTP/1.1 400", "HTTP/1.1 400", "HTTP/1.1 400", "HTTP/1.1 400", "HTTP/1.1 400", "HTTP/1.1 400"])");
  EXPECT_EQ(bed().invoke(*sandbox, "{}").kind, OutcomeKind::response);
}

TEST_F(PythonEngine, prefers_packages_that_the_function_brings) {
  auto spec =
      bed().python("import urllib3\ndef handler(event, context):\n    return urllib3.mine\n");
  std::ofstream(spec.code_dir + "/urllib3.py") << "mine = 'own'\n";
  EXPECT_EQ(bed().once(std::move(spec)).payload, "\"own\"");
  auto layered = bed().python(
      "import from_layer\ndef handler(event, context):\n    return from_layer.value\n");
  const std::string layer = bed().code("layer", "readme", "");
  ::mkdir((layer + "/python").c_str(), 0755);
  std::ofstream(layer + "/python/from_layer.py") << "value = 7\n";
  layered.layers = {layer};
  EXPECT_EQ(bed().once(std::move(layered)).payload, "7");
}

TEST_F(PythonEngine, leaves_no_process_after_stop) {
  auto sandbox =
      bed().started(bed().python("import subprocess\nsubprocess.Popen(['sleep', '1000'])\ndef "
                                 "handler(event, context):\n    return 1\n"));
  ASSERT_TRUE(sandbox);
  EXPECT_TRUE(bed().run(sandbox->stop()));
  EXPECT_FALSE(sandbox->alive());
}

TEST(Engine, hands_over_connections_to_the_platform) {
  std::vector<std::pair<int, PlatformPeer>> taken;
  EngineOptions options;
  options.on_platform_connection = [&](int fd, const PlatformPeer& peer) {
    taken.emplace_back(fd, peer);
    ignore(::write(fd, "hello", 5), "the test reads it");
    ::close(fd);
  };
  LauncherOptions launcher;
  launcher.platform_ports = {4566, 5000};
  Bed bed(launcher, options);
  auto spec = bed.python(
      "import socket\ndef get(address):\n    with socket.create_connection(address) as s:\n        "
      "return s.recv(5).decode()\n"
      "def handler(event, context):\n    return [get(('127.0.0.1', 4566)), get(('::1', 4566)), "
      "get(('127.0.0.1', 5000))]\n");
  spec.owner = "arn:mine";
  EXPECT_EQ(bed.once(std::move(spec)).payload, R"(["hello", "hello", "hello"])");
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_EQ(taken[0].second.owner, "arn:mine");
  EXPECT_EQ(taken[2].second.port, 5000);
}

TEST(Engine, starts_functions_again_after_it_let_their_runtime_go) {
  Bed bed;
  const char* const code = "def handler(event, context):\n    return 'here'\n";
  auto kept = bed.started(bed.python(code));
  ASSERT_TRUE(kept);
  for (int i = 0; i < 3; ++i) {
    bed.engine().cool("python3.12");
    EXPECT_EQ(bed.once(bed.python(code)).payload, "\"here\"");
  }
  EXPECT_EQ(bed.invoke(*kept, "{}").payload, "\"here\"");  // outlives its zygote
  EXPECT_TRUE(bed.run(kept->stop()));
}

TEST(Engine, replaces_spares_that_know_less_than_their_interpreter_does_by_now) {
  Bed bed;
  ASSERT_TRUE(bed.run(bed.engine().warm("python3.12")));
  const size_t first = bed.engine().stats().created;
  const auto until = bed.loop.now().plus_millis(60'000);
  const auto replaced = [&] {
    const EngineStats now = bed.engine().stats();
    return now.created >= first + 2 && now.spares == 2 && now.live == 2;
  };
  while (!replaced() && bed.loop.now() < until) bed.loop.run_once(100);
  EXPECT_TRUE(replaced());
  EXPECT_EQ(bed.once(bed.python("def handler(event, context):\n    return 'here'\n")).payload,
            "\"here\"");
}

TEST(Engine, mounts_code_only_from_where_it_may) {
  LauncherOptions launcher;
  launcher.code_roots = {"/usr/share"};
  Bed bed(launcher);
  auto refused =
      bed.run(bed.engine().start(bed.python("def handler(event, context):\n    return 1\n")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "SandboxUnavailable");
  EXPECT_THAT(refused.error().message, HasSubstr("code folder outside of the allowed ones"));
  SandboxSpec spec = bed.python("");
  spec.code_dir = "/usr/share/nothing-here";
  refused = bed.run(bed.engine().start(std::move(spec)));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("code folder"));
}

TEST(Engine, names_a_runtime_that_is_not_there) {
  Bed bed;
  SandboxSpec spec = bed.python("");
  spec.runtime = "java21";
  const auto got = bed.run(bed.engine().start(std::move(spec)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, "InvalidRuntime");
}

TEST(Engine, ends_its_sandboxes_with_the_launcher_and_goes_on_with_the_next) {
  Bed bed;
  auto sandbox =
      bed.started(bed.python("import time\ndef handler(event, context):\n    time.sleep(60)\n"));
  ASSERT_TRUE(sandbox);
  InvokeRequest request;
  request.request_id = "r";
  request.payload = "{}";
  request.timeout_ms = 30'000;
  bed.loop.post([&] { ::kill(bed.launcher_pid, SIGKILL); });
  const auto got = bed.run(sandbox->invoke(std::move(request)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, OutcomeKind::exited);
  EXPECT_FALSE(bed.engine().launcher_alive());
  auto refused = bed.run(bed.engine().start(bed.python("")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "SandboxUnavailable");

  bed.new_launcher();
  EXPECT_EQ(bed.once(bed.python("def handler(event, context):\n    return 'again'\n")).payload,
            "\"again\"");
}

}  // namespace
}  // namespace virga::sandbox
