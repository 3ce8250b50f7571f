// The same engine with a launcher that is not root: everything but control groups.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/attack_probe.h"
#include "sandbox/test_support.h"

namespace virga::sandbox {
namespace {

using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;

// Not in a chroot, nor where an administrator refuses (sysctl user.max_user_namespaces).
bool users_may_make_namespaces() {
  const pid_t pid = ::fork();
  if (pid == 0)
    ::_exit(::setresuid(kNobody, kNobody, kNobody) == 0 && ::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = 1;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

class Rootless : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (users_may_make_namespaces()) bed_ = new Bed({}, {}, kNobody);
  }
  void SetUp() override {
    if (bed_ == nullptr) GTEST_SKIP() << "users may not make namespaces here";
  }
  static void TearDownTestSuite() {
    delete bed_;
    bed_ = nullptr;
  }
  static Bed& bed() { return *bed_; }

 private:
  static Bed* bed_;
};
Bed* Rootless::bed_ = nullptr;

TEST_F(Rootless, runs_functions) {
  EXPECT_EQ(
      bed()
          .once(bed().python("import os\ndef handler(event, context):\n    return os.getuid()\n"))
          .payload,
      "993");
  SandboxSpec node = bed().python("");
  node.runtime = "nodejs20.x";
  node.code_dir = bed().code("node", "app.js", "exports.handler = async () => process.getuid();\n");
  EXPECT_EQ(bed().once(std::move(node)).payload, "993");
}

TEST_F(Rootless, keeps_the_same_fences) {
  const auto attack = [&](const char* name) {
    return bed()
        .once(bed().python(kAttackProbe), std::string(R"({"attack": ")") + name + "\"}")
        .payload;
  };
  EXPECT_THAT(attack("rights"), HasSubstr(R"("nnp": "1", "seccomp": "2")"));
  EXPECT_THAT(
      attack("rights"),
      HasSubstr(
          R"("caps": ["0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000")"));
  EXPECT_THAT(attack("processes"), HasSubstr(R"("count": 2)"));
  EXPECT_THAT(attack("writes"), Not(HasSubstr("done")));
  EXPECT_THAT(attack("sockets"), Not(HasSubstr("done")));
}

TEST_F(Rootless, ends_functions_at_their_timeout) {
  auto sandbox = bed().started(
      bed().python("import time\ndef handler(event, context):\n    time.sleep(60)\n"));
  ASSERT_TRUE(sandbox);
  EXPECT_EQ(bed().invoke(*sandbox, "{}", 100).kind, OutcomeKind::timed_out);
  EXPECT_TRUE(bed().run(sandbox->stop()));
}

}  // namespace
}  // namespace virga::sandbox
