#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sandbox/test_support.h"

namespace virga::sandbox {
namespace {

using ::testing::HasSubstr;

class NodeEngine : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bed_ = new Bed; }
  static void TearDownTestSuite() {
    delete bed_;
    bed_ = nullptr;
  }
  void SetUp() override { bed().logs.clear(); }
  static Bed& bed() { return *bed_; }
  static SandboxSpec node(const std::string& file, const std::string& text,
                          const std::string& handler = "index.handler") {
    static int count = 0;
    SandboxSpec spec = bed().python("");
    spec.runtime = "nodejs20.x";
    spec.code_dir = bed().code("node" + std::to_string(++count), file, text);
    spec.handler = handler;
    spec.environment.emplace_back("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x");
    return spec;
  }

 private:
  static Bed* bed_;
};
Bed* NodeEngine::bed_ = nullptr;

TEST_F(NodeEngine, runs_async_handlers_one_event_after_the_other) {
  auto sandbox = bed().started(node(
      "index.js", "let n = 0;\nexports.handler = async (e) => ({ sum: e.a + e.b, n: ++n });\n"));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(bed().invoke(*sandbox, R"({"a": 2, "b": 3})").payload, R"({"sum":5,"n":1})");
  EXPECT_EQ(bed().invoke(*sandbox, R"({"a": 4, "b": 3})").payload, R"({"sum":7,"n":2})");
}

TEST_F(NodeEngine, runs_callbacks_and_modules) {
  EXPECT_EQ(bed()
                .once(node("index.cjs",
                           "exports.handler = (e, c, done) => { setTimeout(() => done(null, "
                           "c.functionName), 1); };\n"))
                .payload,
            "\"test\"");
  EXPECT_EQ(bed()
                .once(node("index.mjs",
                           "const x = await Promise.resolve(41);\nexport const handler = () => "
                           "Promise.resolve(x + 1);\n"))
                .payload,
            "42");
  EXPECT_EQ(bed().once(node("index.js", "exports.handler = () => {};\n")).payload, "null");
}

TEST_F(NodeEngine, gives_errors_in_their_form) {
  const auto thrown = bed().once(
      node("index.js", "exports.handler = async () => { throw new TypeError('no good'); };\n"));
  EXPECT_EQ(thrown.kind, OutcomeKind::error);
  EXPECT_EQ(thrown.error_type, "TypeError");
  EXPECT_THAT(
      thrown.payload,
      HasSubstr(
          R"({"errorType":"TypeError","errorMessage":"no good","trace":["TypeError: no good","    at )"));
  EXPECT_THAT(bed().log_text(), HasSubstr("\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\""));
  const auto text =
      bed().once(node("index.js", "exports.handler = (e, c, done) => done('plain');\n"));
  EXPECT_EQ(text.payload, R"({"errorType":"string","errorMessage":"plain","trace":[]})");
}

TEST_F(NodeEngine, reports_why_a_handler_cannot_be_loaded) {
  const auto init = [&](const char* file, const char* code, const char* handler) {
    auto got = bed().run(bed().engine().start(node(file, code, handler)));
    return got ? got->error_type + "|" + got->payload : got.error().message;
  };
  EXPECT_THAT(init("index.js", "", "other.handler"),
              HasSubstr("Runtime.ImportModuleError|{\"errorType\":\"Runtime.ImportModuleError\","
                        "\"errorMessage\":\"Error: Cannot find module 'other'"));
  EXPECT_THAT(init("index.js", "", "index.gone"),
              HasSubstr("index.gone is undefined or not exported"));
  EXPECT_THAT(init("index.js", "exports.handler = {{", "index.handler"),
              HasSubstr("Runtime.UserCodeSyntaxError|"));
  EXPECT_THAT(init("index.js", "throw new RangeError('at init')", "index.handler"),
              HasSubstr("RangeError|"));
}

TEST_F(NodeEngine, logs_in_the_text_format) {
  bed().once(node("index.js",
                  "exports.handler = async () => { console.log('hello', { a: 1 }); "
                  "console.error('two\\nlines'); };\n"));
  EXPECT_THAT(bed().log_text(),
              ::testing::ContainsRegex("[0-9-]+T[0-9:.]+Z\treq-[0-9]+\tINFO\thello . a: 1 ."));
  EXPECT_THAT(bed().log_text(), HasSubstr("\tERROR\ttwo\nlines"));
}

TEST_F(NodeEngine, reports_rejections_and_exits) {
  const auto rejected = bed().once(node("index.js",
                                        "exports.handler = () => { Promise.reject(new "
                                        "Error('lost')); return new Promise(() => {}); };\n"));
  EXPECT_EQ(rejected.kind, OutcomeKind::error);
  EXPECT_EQ(rejected.error_type, "Runtime.UnhandledPromiseRejection");
  const auto exited =
      bed().once(node("index.js", "exports.handler = async () => process.exit(7);\n"));
  EXPECT_EQ(exited.kind, OutcomeKind::exited);
  EXPECT_EQ(WEXITSTATUS(exited.wait_status), 7);
}

TEST_F(NodeEngine, runs_custom_runtimes) {
  SandboxSpec spec = node(
      "bootstrap",
      "#!/usr/bin/python3\nimport http.client\nwhile True:\n  c = "
      "http.client.HTTPConnection('127.0.0.1', 9001)\n"
      "  c.request('GET', '/2018-06-01/runtime/invocation/next')\n  r = c.getresponse()\n  body = "
      "r.read()\n"
      "  id = r.getheader('Lambda-Runtime-Aws-Request-Id')\n"
      "  c.request('POST', '/2018-06-01/runtime/invocation/' + id + '/response', b'echo ' + body)\n"
      "  c.getresponse().read()\n");
  spec.runtime = "provided.al2023";
  auto sandbox = bed().started(std::move(spec));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(bed().invoke(*sandbox, "1").payload, "echo 1");
  EXPECT_EQ(bed().invoke(*sandbox, "2").payload, "echo 2");
}

TEST_F(NodeEngine, names_a_missing_bootstrap) {
  SandboxSpec spec = node("other", "");
  spec.runtime = "provided.al2023";
  auto got = bed().run(bed().engine().start(std::move(spec)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, StartOutcome::Kind::exited);
  EXPECT_EQ(WEXITSTATUS(got->wait_status), 142);
}

}  // namespace
}  // namespace virga::sandbox
