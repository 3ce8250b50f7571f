#pragma once

#include "aws/context.h"
#include "storage/shard.h"

namespace virga::platform {

// A transaction on behalf of a call: the call's answer, refusals included, then waits for what the
// transaction wrote or saw (the door does, by ctx->depends_on_lsn).
//
//   const int version = co_await platform::transact(ctx, shard_, [&](storage::Txn& txn) ->
//   Result<int> { … });
template <class F, class R = std::invoke_result_t<F&, storage::Txn&>>
Task<typename R::value_type> transact(
    Ctx ctx, storage::Shard& shard, F body,
    storage::CommitClass commit_class = storage::CommitClass::durable) {
  const storage::TransactOptions options{.commit_class = commit_class};
  auto done = co_await shard.transact(options, std::move(body));
  ctx->depends_on(done.lsn);
  co_return std::move(done.result);
}

}  // namespace virga::platform
