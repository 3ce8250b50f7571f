#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "aws/door.h"
#include "aws/validate.h"
#include "platform/answer_checks.h"
#include "platform/gate.h"
#include "platform/metrics.h"
#include "platform/service_authorizer.h"
#include "storage/shard.h"

namespace virga::platform {

// The stages of every call that come after its bytes: authorise → check constraints → handle → wait
// until what the answer depends on is durable. HTTP requests reach it through HttpFront, calls from
// inside through generated clients. Built by the composition root, used by every loop; bindings are
// added before the first call.
class Dispatcher final : public aws::Door {
 public:
  struct Options {
    bool strict = false;  // check policies; signatures are the front's business
    bool check_answers = check_answers_by_default();
  };

  Dispatcher(storage::Shard& shard, async::Env& env, Metrics& metrics, Options options);

  void add(aws::ServiceBinding binding);
  // Required before the first call in strict mode; outlives the dispatcher.
  void set_gate(Gate& gate) { gate_ = &gate; }
  // With several loops: handlers run on `home`, whatever loop a call came in on...
  void set_home(async::Loop& home) { home_ = &home; }
  // ...but those of these operations, which run on the calling loop.
  void run_anywhere(const aws::ServiceDesc& service, std::span<const std::string_view> operations);
  // True when calls of the service's operations may come in on any loop.
  bool runs_anywhere(const aws::ServiceDesc& service) const { return anywhere_.contains(&service); }
  // The service decides by itself who may call it.
  void set_authorizer(const aws::ServiceDesc& service, ServiceAuthorizer& authorizer) {
    authorizers_[&service] = &authorizer;
  }
  const aws::ServiceBinding* binding(const aws::ServiceDesc& service) const;
  std::vector<std::string> implemented_services() const;

  // A call from inside: the principal is who the caller says it is.
  Task<aws::OutputBox> call(const aws::OperationDesc& op, aws::CallContext call,
                            aws::InputBox input) override;

  // What a call from inside says about the resource it is made for.
  struct Source {
    std::string arn;
    std::string account;
  };
  // A call whose context the front has filled in. Resumes on the calling loop when the answer may
  // be sent, errors too.
  Task<aws::OutputBox> run(const aws::OperationDesc& op, RequestContext& context,
                           aws::InputBox input, aws::DecodeNotes notes, Source source = {});

 private:
  Task<aws::OutputBox> stages(const aws::OperationDesc* op, Ctx ctx, aws::InputBox input,
                              aws::DecodeNotes notes, const Source* source);
  bool must_go_home(const aws::OperationDesc& op) const;
  Task<void> authorise(const aws::OperationDesc* op, Ctx ctx, const aws::StructBox* input,
                       const Source* source);

  storage::Shard& shard_;
  async::Env& env_;
  Metrics& metrics_;
  Options options_;
  Gate* gate_ = nullptr;
  struct Bound {
    aws::ServiceBinding binding;
    WithoutEffect without_effect;
  };
  std::unordered_map<const aws::ServiceDesc*, Bound> bindings_;
  std::unordered_map<const aws::ServiceDesc*, ServiceAuthorizer*> authorizers_;
  async::Loop* home_ = nullptr;
  std::unordered_map<const aws::ServiceDesc*, std::vector<bool>>
      anywhere_;  // by OperationDesc::index
};

// A request id in the service's form: upper-case alphanumerics of its length, or a UUID.
std::string make_request_id(const aws::ServiceDesc& service, async::Random& random);

}  // namespace virga::platform
