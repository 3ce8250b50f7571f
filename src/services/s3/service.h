#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "api/s3/handlers.h"
#include "async/offload.h"
#include "async/task.h"
#include "services/s3/s3_store.h"
#include "storage/blob_store.h"
#include "storage/shard.h"

namespace virga::s3 {

// S3: buckets, objects and their versions, uploads in parts. Constructed by server/; any loop may
// call.
class Service final : public api::Handlers {
 public:
  Service(storage::Shard& shard, storage::BlobStore& blobs, async::Env& env, async::Pool& pool)
      : shard_(shard), blobs_(blobs), env_(env), pool_(pool) {}

  // buckets.cc
  Task<api::CreateBucketOutput> create_bucket(Ctx ctx, api::CreateBucketInput input) override;
  Task<api::HeadBucketOutput> head_bucket(Ctx ctx, api::HeadBucketInput input) override;
  Task<api::DeleteBucketOutput> delete_bucket(Ctx ctx, api::DeleteBucketInput input) override;
  Task<api::ListBucketsOutput> list_buckets(Ctx ctx, api::ListBucketsInput input) override;

 private:
  // Runs `body` (Result<T>(S3Transaction&)) as one durable transaction.
  template <class F, class T = typename std::invoke_result_t<F&, S3Transaction&>::value_type>
  Task<T> write(Ctx ctx, F body) {
    storage::Committed<T> done = co_await shard_.transact(
        storage::CommitClass::durable, [this, body = std::move(body)](storage::Txn& txn) mutable {
          S3Transaction s3(txn, blobs_);
          return body(s3);
        });
    ctx->depends_on(done.lsn);
    co_return std::move(done.result);
  }

  storage::Shard& shard_;
  storage::BlobStore& blobs_;
  [[maybe_unused]] async::Env& env_;
  [[maybe_unused]] async::Pool& pool_;
};

}  // namespace virga::s3
