#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "services/lambda/compute.h"
#include "services/lambda/function_store.h"

namespace virga::lambda {

// A function version as an invocation needs it: decoded once, shared by all requests for it, never
// changed.
struct Runnable {
  std::shared_ptr<const FunctionRecord> function;
  VersionRecord version;
  std::shared_ptr<const SandboxSpec> spec;
  std::string arn;  // qualified by the version
};

// Decoded records of invoked functions. An entry counts only while the stored bytes are what it was
// made from, so it needs no invalidation: a reader always gets what its snapshot holds. Owned by
// the service; any loop.
class Runnables {
 public:
  // The version that the name's qualifier means, an alias' share of traffic decided by `chance` in
  // [0, 1). Function not found when there is none.
  Result<std::shared_ptr<const Runnable>> find(const storage::View& view, const FunctionName& name,
                                               double chance);

 private:
  struct Function {
    std::string bytes;
    std::shared_ptr<const FunctionRecord> record;
    std::shared_ptr<const Runnable> latest;
  };
  struct Version {
    std::string bytes;
    std::shared_ptr<const Runnable> runnable;
  };
  Result<Function> function(const storage::View& view, const FunctionName& name);

  std::mutex mutex_;
  std::unordered_map<std::string, Function> functions_;  // by key
  std::unordered_map<std::string, Version> versions_;
};

}  // namespace virga::lambda
