#include "sandbox/zygotes.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <string_view>

#include "sandbox/embedded.h"

namespace virga::sandbox {
namespace {

// Source of the two numbers: facts of the design, hardening checklist ("rotate the zygote").
constexpr int kForksMax = 1000;
constexpr int64_t kSecondsMax = 15 * 60;

int64_t now_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

Fd memory_file(const char* name, std::string_view content) {
  Fd fd(::memfd_create(name, 0));
  if (fd.get() < 0 ||
      ::write(fd.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
    return Fd();
  return fd;
}

[[noreturn]] void become_interpreter(const std::string& path, int socket, int shim, int script) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  ::fcntl(socket, F_SETFD, 0);
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.get(), 0);
  ::dup2(2, 1);
  // 3 and 4 (here the engine's socket and the epoll set) stay taken, so that no library opens
  // something there: in a sandbox they are the telemetry and assignment descriptors.
  ::dup2(null.get(), VJ_FD_TELEMETRY);
  ::dup2(null.get(), VJ_FD_ASSIGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  const std::string program =
      "import "
      "sys;exec(compile(open('/proc/self/fd/'+sys.argv[3],encoding='utf-8').read(),'/var/runtime/"
      "bootstrap.py','exec'))";
  const std::string numbers[] = {std::to_string(socket), std::to_string(shim),
                                 std::to_string(script)};
  const char* const arguments[] = {path.c_str(),
                                   "-I",
                                   "-B",
                                   "-X",
                                   "utf8",
                                   "-c",
                                   program.c_str(),
                                   numbers[0].c_str(),
                                   numbers[1].c_str(),
                                   numbers[2].c_str(),
                                   nullptr};
  const char* const environment[] = {
      "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin",
      "AWS_EC2_METADATA_DISABLED=true",
      // Nothing of whoever starts the server: no home, no AWS configuration.
      "HOME=/nonexistent", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
      nullptr};
  ::execve(arguments[0], const_cast<char* const*>(arguments),
           const_cast<char* const*>(environment));
  ::_exit(97);
}

}  // namespace

pid_t Zygotes::start(const std::string& path) {
  // The files come from this binary's own memory, so nobody who can write to a disk can change what
  // runs here.
  const Fd shim = memory_file("virga-shim", embedded_python_shim());
  const Fd script = memory_file("virga-bootstrap", embedded_python_bootstrap());
  Fd ours, theirs;
  if (shim.get() < 0 || script.get() < 0 || !make_socketpair(SOCK_SEQPACKET, &ours, &theirs))
    return -1;
  const pid_t pid = ::fork();
  if (pid == 0) become_interpreter(path, theirs.get(), shim.get(), script.get());
  if (pid < 0) return -1;
  Zygote& zygote = zygotes_[pid];
  zygote.path = path;
  zygote.socket = std::move(ours);
  zygote.born_seconds = now_seconds();
  watch_(zygote.socket.get(), pid);
  return pid;
}

void Zygotes::warm(const Interpreter& interpreter) {
  if (!current_.contains(interpreter.path))
    if (const pid_t pid = start(interpreter.path); pid > 0) current_[interpreter.path] = pid;
}

int Zygotes::fork_into(const Interpreter& interpreter, const vj_spawn& spawn,
                       const std::vector<int>& fds) {
  warm(interpreter);
  const auto found = current_.find(interpreter.path);
  if (found == current_.end()) return ENOENT;
  Zygote& zygote = zygotes_[found->second];
  const int error =
      vj_send(zygote.socket.get(), &spawn, sizeof spawn, fds.data(), static_cast<int>(fds.size()));
  if (error != 0) return error;
  ++zygote.pending;
  if (++zygote.forks >= kForksMax || now_seconds() - zygote.born_seconds > kSecondsMax) {
    // The old one goes on until the new one stands.
    if (!next_.contains(interpreter.path))
      if (const pid_t pid = start(interpreter.path); pid > 0) next_[interpreter.path] = pid;
  }
  return 0;
}

// Ends it as soon as nothing is asked of it. Its children are then the launcher's.
void Zygotes::retire(pid_t pid) {
  const auto found = zygotes_.find(pid);
  if (found != zygotes_.end() && found->second.pending == 0) found->second.socket = Fd();
}

std::optional<vj_reply> Zygotes::read(pid_t pid) {
  const auto found = zygotes_.find(pid);
  if (found == zygotes_.end() || found->second.socket.get() < 0) return std::nullopt;
  Zygote& zygote = found->second;
  vj_reply reply{};
  int fds[1];
  int count = 0;
  if (vj_receive(zygote.socket.get(), &reply, sizeof reply, fds, 1, &count) <= 0) {
    zygote.socket = Fd();
    return std::nullopt;
  }
  if (reply.kind == VJ_STARTED) {
    const auto next = next_.find(zygote.path);
    if (next == next_.end() || next->second != pid) return std::nullopt;
    const std::string path = zygote.path;
    next_.erase(next);
    const auto old = current_.find(path);
    const pid_t old_pid = old == current_.end() ? 0 : old->second;
    current_[path] = pid;
    retire(old_pid);
    return std::nullopt;
  }
  if (reply.kind == VJ_FORKED || reply.kind == VJ_FAILED) {
    --zygote.pending;
    const auto current = current_.find(zygote.path);
    if (current == current_.end() || current->second != pid) retire(pid);
  }
  return reply;
}

std::optional<std::string> Zygotes::reaped(pid_t pid) {
  const auto found = zygotes_.find(pid);
  if (found == zygotes_.end()) return std::nullopt;
  const std::string path = found->second.path;
  zygotes_.erase(found);
  std::erase_if(next_, [&](const auto& entry) { return entry.second == pid; });
  const bool in_use =
      std::erase_if(current_, [&](const auto& entry) { return entry.second == pid; }) > 0;
  return in_use ? std::optional(path) : std::optional<std::string>("");
}

void Zygotes::cool(const std::string& path) {
  const auto found = current_.find(path);
  if (found == current_.end()) return;
  const pid_t pid = found->second;
  current_.erase(found);
  retire(pid);
}

std::string Zygotes::path_of(pid_t pid) const {
  const auto found = zygotes_.find(pid);
  return found == zygotes_.end() ? "" : found->second.path;
}

void Zygotes::close() {
  for (auto& [pid, zygote] : zygotes_) zygote.socket = Fd();
}

}  // namespace virga::sandbox
