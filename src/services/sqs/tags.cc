// TagQueue, UntagQueue, ListQueueTags. Source: SQS API Reference, the pages of these operations.
#include "services/sqs/tags.h"

#include "api/sqs/list_queue_tags.h"
#include "api/sqs/tag_queue.h"
#include "api/sqs/untag_queue.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

constexpr size_t kTagsMax = 50;
constexpr size_t kKeyMax = 128;
constexpr size_t kValueMax = 256;

}  // namespace

Result<void> check_tags(const std::map<std::string, std::string>& tags,
                        std::string_view queue_name) {
  if (tags.size() > kTagsMax)
    return fail(errors::invalid_parameter("Too many tags added for queue " +
                                          std::string(queue_name) + "."));
  for (const auto& [key, value] : tags) {
    if (key.empty() || key.size() > kKeyMax) {
      return fail(
          errors::invalid_parameter("Tag keys must be between 1 and 128 characters in length."));
    }
    if (value.size() > kValueMax)
      return fail(
          errors::invalid_parameter("Tag values must be between 0 and 256 characters in length."));
    if (key.starts_with("aws:")) {
      return fail(errors::invalid_parameter(
          "Tag keys beginning with aws: are reserved and cannot be used."));
    }
  }
  return {};
}

Task<api::TagQueueOutput> Service::tag_queue(Ctx ctx, api::TagQueueInput input) {
  if (input.tags.empty()) co_return fail(errors::missing_parameter("Tags"));
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto tag = [&](Work& work, Queue& queue) -> Result<bool> {
    QueueRecord record = queue.record;
    for (const auto& [key, value] : input.tags) record.tags[key] = value;
    VIRGA_TRY_VOID(check_tags(record.tags, address.name));
    work.queues.change(work.txn, queue, std::move(record));
    return true;
  };
  co_await on_queue(ctx, address, std::move(tag));
  co_return api::TagQueueOutput();
}

Task<api::UntagQueueOutput> Service::untag_queue(Ctx ctx, api::UntagQueueInput input) {
  if (input.tag_keys.empty()) co_return fail(errors::missing_parameter("TagKeys"));
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto untag = [&](Work& work, Queue& queue) -> Result<bool> {
    QueueRecord record = queue.record;
    for (const auto& key : input.tag_keys) record.tags.erase(key);
    work.queues.change(work.txn, queue, std::move(record));
    return true;
  };
  co_await on_queue(ctx, address, std::move(untag));
  co_return api::UntagQueueOutput();
}

Task<api::ListQueueTagsOutput> Service::list_queue_tags(Ctx ctx, api::ListQueueTagsInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto read = [](Work&, Queue& queue) -> Result<std::map<std::string, std::string>> {
    return queue.record.tags;
  };
  auto tags = co_await on_queue(ctx, address, read);
  api::ListQueueTagsOutput out;
  if (!tags.empty()) out.tags = std::move(tags);
  co_return out;
}

}  // namespace virga::sqs
