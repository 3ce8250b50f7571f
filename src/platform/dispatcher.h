#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "aws/door.h"
#include "aws/validate.h"
#include "platform/identity.h"
#include "platform/metrics.h"
#include "platform/service_authorizer.h"
#include "storage/shard.h"

namespace virga::platform {

// The stages of every call that come after its bytes: authorise → check constraints → handle → wait until what the
// answer depends on is durable. HTTP requests reach it through HttpFront, calls from inside through generated clients.
// Built by the composition root, used by every loop; bindings are added before the first call.
class Dispatcher final : public aws::Door {
 public:
  struct Options {
    bool strict = false;  // check policies; signatures are the front's business
  };

  Dispatcher(storage::Shard& shard, async::Env& env, Metrics& metrics, Options options);

  void add(aws::ServiceBinding binding);
  // Required before the first call in strict mode.
  void set_identity(IdentityStore& identity) { identity_ = &identity; }
  // The service decides by itself who may call it.
  void set_authorizer(const aws::ServiceDesc& service, ServiceAuthorizer& authorizer) { authorizers_[&service] = &authorizer; }
  const aws::ServiceBinding* binding(const aws::ServiceDesc& service) const;
  std::vector<std::string> implemented_services() const;

  // A call from inside: the principal is who the caller says it is.
  Task<aws::OutputBox> call(const aws::OperationDesc& op, aws::CallContext call, aws::InputBox input) override;

  // A call whose context the front has filled in. Resumes on the calling loop when the answer may be sent, errors too.
  Task<aws::OutputBox> run(const aws::OperationDesc& op, RequestContext& context, aws::InputBox input,
                           aws::DecodeNotes notes);

 private:
  Task<aws::OutputBox> stages(const aws::OperationDesc* op, Ctx ctx, aws::InputBox input, aws::DecodeNotes notes);
  Task<void> authorise(const aws::OperationDesc* op, Ctx ctx, const aws::StructBox* input);

  storage::Shard& shard_;
  async::Env& env_;
  Metrics& metrics_;
  Options options_;
  IdentityStore* identity_ = nullptr;
  std::unordered_map<const aws::ServiceDesc*, aws::ServiceBinding> bindings_;
  std::unordered_map<const aws::ServiceDesc*, ServiceAuthorizer*> authorizers_;
};

// A request id in the service's form: 52 upper-case alphanumerics for DynamoDB, 16 for S3, a UUID for the others.
std::string make_request_id(std::string_view service, async::Random& random);

}  // namespace virga::platform
