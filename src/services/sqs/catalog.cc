// What the door asks of a queue before a call may pass: its policy and its tags.
#include "services/sqs/service.h"

namespace virga::sqs {

Task<platform::ResourceFacts> Service::facts_of(std::string arn) {
  platform::ResourceFacts facts;
  const auto address = address_of_arn(arn);
  if (!address) co_return std::move(facts);
  async::Loop* const home = async::Loop::current();
  co_await async::switch_to(shard_.owner());
  const auto looked = shard_.transact_now(
      {}, [&](storage::Txn& txn) -> Result<QueueRef> { return begin(txn).find(*address); });
  if (looked.result && *looked.result) {
    const Queue& queue = **looked.result;
    facts.policy = queue.policy;
    for (const auto& [key, value] : queue.record.tags) facts.tags.emplace_back(key, value);
  }
  co_await async::switch_to(*home);
  if (!looked.result) co_return fail(looked.result.error());
  co_return std::move(facts);
}

}  // namespace virga::sqs
