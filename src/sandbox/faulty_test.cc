// The attacks of attack_test.cc with one fence taken away: each must now succeed, or the attack
// tests would prove nothing.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "sandbox/attack_probe.h"
#include "sandbox/jail.h"
#include "sandbox/test_support.h"

extern "C" int vj_faults_allowed(void) {
  return 1;
}

namespace virga::sandbox {
namespace {

using ::testing::HasSubstr;

// The probe as a custom runtime: the launcher of this program, which alone knows planted faults,
// starts it.
std::string attack(uint32_t faults, const std::string& event) {
  LauncherOptions options;
  options.faults = faults;
  options.platform_ports = {14566};
  EngineOptions engine;
  engine.spares_per_runtime =
      0;  // one sandbox: in the host's network a second could not listen on the same ports
  Bed bed(options, engine);
  SandboxSpec spec = bed.python("");
  spec.runtime = "provided.al2023";
  spec.memory_mb = 256;
  spec.code_dir =
      bed.code("probe", "bootstrap", std::string("#!/usr/bin/python3\n") + kAttackProbe + R"PY(
import http.client, json, os
where, _, secret = os.environ['AWS_LAMBDA_RUNTIME_API'].partition('/')
root = ('/' + secret if secret else '') + '/2018-06-01/runtime/invocation/'
api = http.client.HTTPConnection(where)
while True:
    api.request('GET', root + 'next')
    answer = api.getresponse()
    body = json.dumps(handler(json.loads(answer.read()), None))
    api.request('POST', root + '%s/response' % answer.getheader('Lambda-Runtime-Aws-Request-Id'), body)
    api.getresponse().read()
)PY");
  return bed.once(std::move(spec), event).payload;
}

TEST(PlantedFault, without_the_system_call_list_more_calls_work) {
  EXPECT_THAT(attack(0, R"({"attack": "calls"})"), HasSubstr(R"("ptrace_traceme": "ENOSYS")"));
  EXPECT_THAT(attack(VJ_FAULT_NO_SECCOMP, R"({"attack": "calls"})"),
              HasSubstr(R"("ptrace_traceme": "done")"));
}

TEST(PlantedFault, without_dropped_capabilities_mounts_work) {
  EXPECT_THAT(attack(VJ_FAULT_NO_SECCOMP | VJ_FAULT_KEEP_CAPS, R"({"attack": "calls"})"),
              HasSubstr(R"("mount": "done")"));
}

TEST(PlantedFault, with_the_hosts_files_bound_they_are_read) {
  const std::string marker =
      "/usr/lib/os-release";  // readable by all; below the folder that the fault shows
  const std::string event = R"({"attack": "host_files", "marker": ")" + marker + "\"}";
  EXPECT_THAT(attack(0, event), HasSubstr(R"("/hostMARKER": "ENOENT")"));
  EXPECT_THAT(attack(VJ_FAULT_HOST_FILES, event), HasSubstr(R"("/hostMARKER": "read 64")"));
}

TEST(PlantedFault, in_the_hosts_network_its_loopback_is_reached) {
  const Fd tcp(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(tcp.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(tcp.get(), 4), 0);
  socklen_t size = sizeof address;
  ::getsockname(tcp.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const Fd api(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in taken = address;
  taken.sin_port = htons(9001);
  if (::bind(api.get(), reinterpret_cast<sockaddr*>(&taken), sizeof taken) != 0)
    GTEST_SKIP() << "port 9001 of this machine is in use";
  ::close(const_cast<Fd&>(api).release());
  const std::string event = R"({"attack": "network", "unix": "none", "port": )" +
                            std::to_string(ntohs(address.sin_port)) + "}";
  EXPECT_THAT(attack(0, event), HasSubstr(R"("tcp": "ECONNREFUSED")"));
  EXPECT_THAT(attack(VJ_FAULT_HOST_NET, event), HasSubstr(R"("tcp": "connected")"));
}

}  // namespace
}  // namespace virga::sandbox
