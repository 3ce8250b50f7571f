#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "platform/credential_issuer.h"
#include "sandbox/engine.h"
#include "services/lambda/code_store.h"
#include "services/lambda/compute.h"

namespace virga::lambda {

// sandbox::Engine as Lambda's compute: gives processes the meaning of functions. Builds the
// environment (credentials of the role included) and turns what happened to a process into Lambda's
// error types and texts. start() belongs to the engine's loop; runtime_version() may be asked from
// any thread.
class EngineCompute final : public Compute {
 public:
  struct Options {
    sandbox::RuntimePaths runtime_paths;  // as the engine's
    std::string endpoint_url =
        "http://127.0.0.1:4566";  // where the platform answers inside: an IP literal
    int edge_port = 4566;
  };
  EngineCompute(sandbox::Engine& engine, async::Env& env, CodeStore& code,
                platform::CredentialIssuer& credentials, Options options);
  ~EngineCompute() override;

  Task<std::unique_ptr<Sandbox>> start(std::shared_ptr<const SandboxSpec> spec,
                                       std::string log_stream, LogSink sink) override;
  void prepare(const std::string& runtime) override { engine_.prepare(runtime); }
  std::optional<RuntimeVersion> runtime_version(const std::string& runtime) const override;

 private:
  sandbox::Engine& engine_;
  async::Env& env_;
  CodeStore& code_;
  platform::CredentialIssuer& credentials_;
  Options options_;
  mutable std::mutex mutex_;  // guards versions_
  mutable std::unordered_map<std::string, std::optional<RuntimeVersion>> versions_;
};

// All variables that a function sees but _HANDLER and its role's credentials.
// Source: Lambda Developer Guide, "Defined runtime environment variables".
std::map<std::string, std::string> function_environment(const SandboxSpec& spec,
                                                        const std::string& log_stream,
                                                        const EngineCompute::Options& options);

// "exit status 1", "signal: killed"; of a waitpid status. `providing`: how a runtime that ended
// with 0 is described.
std::string exit_message(int wait_status);

}  // namespace virga::lambda
