#pragma once

#include <string>
#include <vector>

#include "api/s3/handlers.h"
#include "platform/identity.h"
#include "platform/service_authorizer.h"
#include "services/s3/bucket_access.h"
#include "services/s3/owners.h"
#include "services/s3/s3_store.h"
#include "storage/shard.h"

namespace virga::s3 {

// Who may do what: S3's part of the door. Beside identities' own policies (in strict mode) it
// weighs the bucket's policy, its access control lists and those of its objects, object ownership
// and the public access block; and what every request to a bucket has to hold to: its region,
// x-amz-expected-bucket-owner. In open mode every signed caller may do all within its own account,
// as far as no bucket policy denies it. Constructed by server/; any loop may call. Source: S3 User
// Guide, "How Amazon S3 authorizes a request".
class AccessControl final : public platform::ServiceAuthorizer {
 public:
  AccessControl(storage::Shard& shard, platform::IdentityStore& identity, const Owners& owners,
                async::Env& env, platform::AuthMode mode)
      : shard_(shard), identity_(identity), owners_(owners), env_(env), mode_(mode) {}

  // Errors: AccessDenied, PermanentRedirect.
  Task<platform::Admission> authorize(const aws::OperationDesc& op, Ctx ctx,
                                      const aws::StructBox& input) override;
  // Of each of the call's objects whether the caller may delete it: S3 answers for each by itself.
  // Error of each: AccessDenied. Source: S3 API Reference, DeleteObjects.
  Task<std::vector<Result<void>>> may_delete(Ctx ctx, const api::DeleteObjectsInput* input);

 private:
  struct Call;
  Task<void> know_caller(Call* call);
  Task<void> check_account_call(Call* call);
  Task<void> check_bucket_call(Call* call);
  // Whether the caller is charged.
  Result<bool> check_payer(const Call& call, const S3Reader& reader) const;
  // Loads what decides about the bucket. False: there is nothing to weigh.
  Task<bool> open_call(Call* call);
  Task<void> weigh(Call* call);
  Result<void> check_action(const Call& call, std::string_view action,
                            const std::string& resource) const;
  // By the caller's own policies, and the bucket's where it is the caller's account's.
  Result<void> check_identity(const Call& call, std::string_view action,
                              const std::string& resource,
                              const platform::PolicyDocument* bucket_policy = nullptr) const;

  storage::Shard& shard_;
  platform::IdentityStore& identity_;
  const Owners& owners_;
  async::Env& env_;
  platform::AuthMode mode_;
};

}  // namespace virga::s3
