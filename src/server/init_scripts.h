#pragma once

#include <string>
#include <vector>

#include "async/task.h"
#include "base/document.h"
#include "server/options.h"

namespace virga::server {

// The scripts of --init-dir: run one after the other, in the order of their names, when the server
// answers and before it says Ready. Executable files run as they are, *.sh by sh, *.py by python3;
// other files and folders are left alone. A script that fails is logged and does not keep the
// others from running. Their output goes to the server's standard error. One loop.
class InitScripts final {
 public:
  explicit InitScripts(const ServeOptions& options) : options_(options) {}

  // `endpoint`: what AWS_ENDPOINT_URL is for them.
  Task<void> run(std::string endpoint);
  // {"completed": {"BOOT": true, …}, "scripts": [{"name": …, "stage": "READY", "state":
  // "SUCCESSFUL"}]}
  Document state() const;

 private:
  enum class State { unknown, running, successful, error };
  struct Script {
    std::string name;
    std::vector<std::string> command;
    State state = State::unknown;
  };
  Result<void> find();
  Task<int> run_one(const Script* script, std::string endpoint);

  const ServeOptions& options_;
  std::vector<Script> scripts_;
  bool completed_ = false;
};

}  // namespace virga::server
