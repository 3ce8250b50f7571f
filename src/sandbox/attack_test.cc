// Attacks from inside: each must fail, and the engine must go on. The same probes run in
// faulty_test.cc with a fence taken away, to show that they would succeed.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/document.h"
#include "base/json.h"
#include "sandbox/attack_probe.h"
#include "sandbox/test_support.h"

namespace virga::sandbox {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class Attack : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { bed_ = new Bed; }
  static void TearDownTestSuite() {
    delete bed_;
    bed_ = nullptr;
  }
  void TearDown() override {
    // Whatever was tried: the next function works.
    EXPECT_EQ(bed().once(bed().python("def handler(event, context):\n    return 'fine'\n")).payload,
              "\"fine\"");
  }
  static Bed& bed() { return *bed_; }
  static std::string attack(const std::string& name, const std::string& more = "",
                            int64_t memory_mb = 256) {
    SandboxSpec spec = bed().python(kAttackProbe);
    spec.memory_mb = memory_mb;
    return bed().once(std::move(spec), "{\"attack\": \"" + name + "\"" + more + "}").payload;
  }

 private:
  static Bed* bed_;
};
Bed* Attack::bed_ = nullptr;

TEST_F(Attack, finds_no_file_of_the_host) {
  const std::string marker = bed().folder + "/marker";
  std::ofstream(marker) << "secret";
  SandboxSpec spec = bed().python(kAttackProbe);
  ASSERT_EQ(::symlink(marker.c_str(), (spec.code_dir + "/link").c_str()), 0);
  const auto got =
      bed()
          .once(std::move(spec), R"({"attack": "host_files", "marker": ")" + marker + "\"}")
          .payload;
  EXPECT_THAT(got, Not(HasSubstr("listed"))) << got;
  // /proc/kcore and /proc/kmsg read as /dev/null.
  for (size_t at = got.find("\"read "); at != std::string::npos; at = got.find("\"read ", at + 1))
    EXPECT_EQ(got.substr(at, 8), "\"read 0\"") << got;
  EXPECT_THAT(got, HasSubstr(R"("MARKER": "ENOENT")"));
}

TEST_F(Attack, sees_only_the_few_folders_it_is_given) {
  EXPECT_THAT(
      attack("root_listing"),
      AnyOf(
          R"(["bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sbin", "tmp", "usr", "var"])",
          R"(["bin", "dev", "etc", "lib", "lib64", "opt", "proc", "sbin", "tmp", "usr", "var"])",
          R"(["bin", "dev", "etc", "lib", "lib32", "lib64", "opt", "proc", "sbin", "tmp", "usr", "var"])"));
}

TEST_F(Attack, sees_no_process_but_its_own) {
  const auto got = attack("processes");
  EXPECT_THAT(got, HasSubstr("\"count\": 2")) << got;
  EXPECT_THAT(got, HasSubstr("\"init_lives\": true")) << got;
}

TEST_F(Attack, reaches_neither_the_hosts_loopback_nor_the_world) {
  const Fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(tcp.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(tcp.get(), 4), 0);
  socklen_t size = sizeof address;
  ::getsockname(tcp.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const Fd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  memcpy(name.sun_path, "\0virga-attack", 13);
  ASSERT_EQ(::bind(local.get(), reinterpret_cast<sockaddr*>(&name), sizeof(sa_family_t) + 13), 0);
  ASSERT_EQ(::listen(local.get(), 4), 0);
  EXPECT_EQ(
      attack("network",
             ", \"unix\": \"virga-attack\", \"port\": " + std::to_string(ntohs(address.sin_port))),
      R"({"tcp": "ECONNREFUSED", "unix": "ECONNREFUSED", "outside": "ENETUNREACH", "interfaces": ["lo"]})");
}

TEST_F(Attack, gets_no_dangerous_socket) {
  EXPECT_EQ(
      attack("sockets"),
      R"({"raw": "EPERM", "raw6": "EPERM", "packet": "EAFNOSUPPORT", "vsock": "EAFNOSUPPORT", "alg": "EAFNOSUPPORT", )"
      R"("bluetooth": "EAFNOSUPPORT", "audit": "EAFNOSUPPORT", "netfilter": "EAFNOSUPPORT"})");
}

TEST_F(Attack, gets_no_dangerous_system_call) {
  const auto parsed = parse_json(attack("calls"));
  ASSERT_TRUE(parsed);
  int refused = 0;
  for (const auto& [name, value] : parsed->as_object()) {
    EXPECT_THAT(value.as_string(), AnyOf("ENOSYS", "EPERM", "EFAULT")) << name;
    ++refused;
  }
  EXPECT_EQ(refused, 38);
}

TEST_F(Attack, writes_nowhere_but_in_tmp) {
  const auto parsed = parse_json(attack("writes"));
  ASSERT_TRUE(parsed);
  for (const auto& [name, value] : parsed->as_object())
    EXPECT_THAT(value.as_string(), AnyOf("EROFS", "EACCES", "EPERM", "ENOENT")) << name;
}

TEST_F(Attack, fills_no_more_than_its_tmp) {
  EXPECT_EQ(attack("fill_tmp", "", 1024), R"({"mb": 512, "error": "ENOSPC"})");
  SandboxSpec spec = bed().python(kAttackProbe);
  spec.memory_mb = 1024;
  spec.tmp_mb = 600;
  EXPECT_EQ(bed().once(std::move(spec), R"({"attack": "fill_tmp"})").payload,
            R"({"mb": 600, "error": "ENOSPC"})");
}

TEST_F(Attack, dies_alone_when_tmp_takes_its_memory) {
  SandboxSpec spec = bed().python(kAttackProbe);
  spec.memory_mb = 128;
  EXPECT_EQ(bed().once(std::move(spec), R"({"attack": "fill_tmp"})").kind,
            OutcomeKind::out_of_memory);
}

TEST_F(Attack, forks_no_more_than_its_limit) {
  SandboxSpec spec = bed().python(kAttackProbe);
  spec.memory_mb = 3008;
  auto sandbox = bed().started(std::move(spec));
  ASSERT_TRUE(sandbox);
  const auto got = bed().invoke(*sandbox, R"({"attack": "fork_bomb"})", 240'000).payload;
  EXPECT_THAT(
      got, ::testing::ContainsRegex("\"made\": (10[0-2][0-9]|9[0-9][0-9]), \"error\": \"EAGAIN\""))
      << got;
  // All of them. A loaded kernel takes longer over a thousand processes than one stop() waits.
  bool gone = false;
  for (int i = 0; i < 12 && !gone; ++i) gone = bed().run(sandbox->stop()).has_value();
  EXPECT_TRUE(gone);
}

TEST_F(Attack, holds_no_right_and_no_descriptor_too_many) {
  const auto got = attack("rights");
  EXPECT_THAT(got, HasSubstr(R"("uid": "993\t993\t993\t993")")) << got;
  EXPECT_THAT(
      got,
      HasSubstr(
          R"("caps": ["0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000"])"));
  EXPECT_THAT(got, HasSubstr(R"("nnp": "1", "seccomp": "2", "groups": "")"));
  EXPECT_THAT(got, HasSubstr(R"("raise_limit": false)"));
  // /dev/null, three pipes, the Runtime API's socket; a random device that the SDK's libraries keep
  // open.
  EXPECT_THAT(
      got, AnyOf(HasSubstr(R"("fds": ["/dev/null", "pipe", "pipe", "pipe", "socket"])"),
                 HasSubstr(
                     R"("fds": ["/dev/null", "/dev/urandom", "pipe", "pipe", "pipe", "socket"])")));
}

TEST_F(Attack, gains_nothing_from_setuid_programs) {
  EXPECT_THAT(attack("setuid_programs"), AnyOf("[\"993\"]", "[]"));
}

TEST_F(Attack, floods_in_vain) {
  EXPECT_EQ(attack("flood_api"), "true");
  EXPECT_EQ(attack("flood_logs"), "\"flooded\"");
  EXPECT_EQ(attack("abuse_descriptors"), "\"closed\"");
}

}  // namespace
}  // namespace virga::sandbox
