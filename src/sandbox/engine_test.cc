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
  auto sandbox = bed().started(bed().python("def handler(event, context):\n    return {'sum': event['a'] + event['b']}\n"));
  ASSERT_TRUE(sandbox);
  const auto got = bed().invoke(*sandbox, R"({"a": 2, "b": 3})");
  EXPECT_EQ(got.kind, OutcomeKind::response);
  EXPECT_EQ(got.payload, R"({"sum": 5})");
  EXPECT_GT(got.duration_micros, 0);
}

TEST_F(PythonEngine, has_delivered_what_was_printed_when_invoke_returns) {
  auto sandbox = bed().started(bed().python(
      "import logging, sys\nprint('at init')\n"
      "def handler(event, context):\n    print('one\\ntwo')\n    logging.getLogger().warning('careful')\n"
      "    print('bad', file=sys.stderr)\n    print('no newline', end='')\n"));
  ASSERT_TRUE(sandbox);
  bed().invoke(*sandbox, "{}");
  EXPECT_THAT(bed().log_text(), HasSubstr("at init\none\ntwo\n"));
  EXPECT_THAT(bed().log_text(), HasSubstr("bad\n"));
  EXPECT_THAT(bed().log_text(), HasSubstr("no newline\n"));
  EXPECT_THAT(bed().log_text(), ::testing::ContainsRegex("\\[WARNING\\]\t[0-9T:-]+\\.[0-9]+Z\treq-[0-9]+\tcareful"));
}

}  // namespace
}  // namespace virga::sandbox
