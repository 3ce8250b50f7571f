#include "server/init_scripts.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/log.h"
#include "net/fd_ready.h"

extern char** environ;

namespace virga::server {
namespace {

std::vector<std::string> command_of(const std::filesystem::path& path) {
  if (::access(path.c_str(), X_OK) == 0) return {path.string()};
  if (path.extension() == ".sh") return {"/bin/sh", path.string()};
  if (path.extension() == ".py") return {"python3", path.string()};
  return {};
}

// Ours, and what a client needs to find this server. What the user has set stays.
std::vector<std::string> script_environment(const std::string& endpoint,
                                            const ServeOptions& options) {
  std::map<std::string, std::string> add = {{"AWS_ENDPOINT_URL", endpoint},
                                            {"AWS_DEFAULT_REGION", options.region}};
  if (options.auth == AuthMode::open) {
    add["AWS_ACCESS_KEY_ID"] = "test";
    add["AWS_SECRET_ACCESS_KEY"] = "test";
  }
  std::vector<std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    add.erase(text.substr(0, text.find('=')));
    out.push_back(text);
  }
  for (const auto& [name, value] : add) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// The server blocks its ending signals and writes its start line to standard output: neither is for
// scripts.
Result<pid_t> spawn(std::vector<std::string> command, std::vector<std::string> environment) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  auto argv = pointers(command);
  auto envp = pointers(environment);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return fail("Usage", 400, command[0] + ": " + std::strerror(error));
  return pid;
}

const char* const kStateNames[] = {"UNKNOWN", "RUNNING", "SUCCESSFUL", "ERROR"};

}  // namespace

Result<void> InitScripts::find() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.init_dir, error)) {
    if (!entry.is_regular_file()) continue;
    auto command = command_of(entry.path());
    if (command.empty()) continue;
    scripts_.push_back({.name = entry.path().filename().string(), .command = std::move(command)});
  }
  if (error) return fail("Usage", 400, "--init-dir " + options_.init_dir + ": " + error.message());
  std::sort(scripts_.begin(), scripts_.end(),
            [](const Script& a, const Script& b) { return a.name < b.name; });
  return {};
}

Task<void> InitScripts::run(std::string endpoint) {
  if (!options_.init_dir.empty()) co_await find();
  for (Script& script : scripts_) {
    script.state = State::running;
    LOG_INFO("init_script", kv("name", script.name));
    const auto code = co_await as_result(run_one(&script, endpoint));
    script.state = code && *code == 0 ? State::successful : State::error;
    if (script.state == State::error) {
      LOG_ERROR("init_script_failed", kv("name", script.name),
                kv("status", code ? std::to_string(*code) : code.error().message));
    }
  }
  completed_ = true;
  co_return ok();
}

Task<int> InitScripts::run_one(const Script* script, std::string endpoint) {
  const pid_t pid = co_await spawn(script->command, script_environment(endpoint, options_));
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd >= 0) {
    const Result<void> ended = co_await net::FdReady(fd, EPOLLIN);
    ::close(fd);
    if (!ended) ::kill(pid, SIGTERM);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Document InitScripts::state() const {
  Document list = Document::array();
  for (const Script& script : scripts_) {
    list.push(Document::object()
                  .set("name", script.name)
                  .set("stage", "READY")
                  .set("state", kStateNames[static_cast<size_t>(script.state)]));
  }
  Document completed = Document::object();
  completed.set("BOOT", true).set("START", true).set("READY", completed_).set("SHUTDOWN", false);
  return Document::object().set("completed", std::move(completed)).set("scripts", std::move(list));
}

}  // namespace virga::server
