// The Python zygotes of a launcher: one per interpreter, replaced now and then, because processes
// forked from one zygote share the layout of its memory and its hash seed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/fd.h"
#include "sandbox/jail.h"
#include "sandbox/runtimes.h"

namespace virga::sandbox {

class Zygotes {
 public:
  // `watch` is told of each zygote's socket; what it has to say is then read by read().
  explicit Zygotes(std::function<void(int fd, pid_t pid)> watch) : watch_(std::move(watch)) {}

  // Orders a fork; 0 or an errno. The answer comes through read().
  int fork_into(const Interpreter& interpreter, const vj_spawn& spawn, const std::vector<int>& fds);
  // Starts the interpreter's zygote if none runs.
  void warm(const Interpreter& interpreter);
  // Ends it; sandboxes forked from it live on.
  void cool(const std::string& path);
  std::string path_of(pid_t pid) const;
  void close();

  // A reply of that zygote; nullopt when there is none (it ended, or said something about itself).
  std::optional<vj_reply> read(pid_t pid);
  // Tells that a child ended; its interpreter's path if it was a zygote in use.
  std::optional<std::string> reaped(pid_t pid);

 private:
  struct Zygote {
    std::string path;
    Fd socket;
    int pending = 0;  // forks ordered and not answered
    int forks = 0;
    int64_t born_seconds = 0;
  };
  pid_t start(const std::string& path);
  void retire(pid_t pid);

  const std::function<void(int, pid_t)> watch_;
  std::map<pid_t, Zygote> zygotes_;
  std::map<std::string, pid_t> current_;  // by interpreter
  std::map<std::string, pid_t> next_;     // started to replace the current one
};

}  // namespace virga::sandbox
