// GetQueueUrl, ListQueues, DeleteQueue, PurgeQueue, ListDeadLetterSourceQueues.
// Source: SQS API Reference, the pages of these operations.
#include "api/sqs/delete_queue.h"
#include "api/sqs/get_queue_url.h"
#include "api/sqs/list_dead_letter_source_queues.h"
#include "api/sqs/list_queues.h"
#include "api/sqs/purge_queue.h"
#include "base/strings.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

constexpr int32_t kPageMax = 1000;
// Source: SQS API Reference, PurgeQueue: once every 60 seconds.
constexpr int64_t kPurgeEveryMicros = 60'000'000;

struct Page {
  std::vector<std::string> names;
  std::optional<std::string> next;  // the first name of the next page
};

Result<int32_t> page_size(const std::optional<int32_t>& wanted) {
  const int32_t size = wanted.value_or(kPageMax);
  if (size >= 1 && size <= kPageMax) return size;
  return fail(
      errors::invalid_value(std::to_string(size), "MaxResults", "Must be between 1 and 1000."));
}

// Tokens hold the name to go on with.
Result<std::string> first_name(const std::optional<std::string>& token, std::string_view prefix) {
  if (!token) return std::string(prefix);
  auto name = from_base64(*token);
  if (!name || !check_queue_name(*name, is_fifo_name(*name))) {
    return fail(errors::invalid_parameter("Invalid or expired next token."));
  }
  return std::move(*name);
}

// Where a page ends and whether there is more is told by NextToken, which only those get who asked
// for pages.
template <class Pick>
Result<Page> read_page(const storage::View& view, const QueueAddress& scope,
                       const std::string& from, int32_t size, Pick pick) {
  Page page;
  VIRGA_TRY_VOID(Queues::each(view, scope.account, scope.region, from,
                              [&](const std::string& name, const QueueRecord& record) {
                                const auto wanted = pick(name, record);
                                if (!wanted) return false;
                                if (!*wanted) return true;
                                if (page.names.size() == static_cast<size_t>(size)) {
                                  page.next = name;
                                  return false;
                                }
                                page.names.push_back(name);
                                return true;
                              }));
  return page;
}

template <class Output, class Urls>
void fill(Output& out, Urls& urls, const Page& page, bool paged, const RequestContext& context,
          const QueueAddress& scope) {
  if (!page.names.empty()) {
    auto& list = urls.emplace();
    for (const auto& name : page.names)
      list.push_back(url_of(context, {scope.account, scope.region, name}));
  }
  if (page.next && paged) out.next_token = to_base64(*page.next);
}

}  // namespace

Task<api::GetQueueUrlOutput> Service::get_queue_url(Ctx ctx, api::GetQueueUrlInput input) {
  const QueueAddress address{input.queue_owner_aws_account_id.value_or(ctx->account), ctx->region,
                             input.queue_name};
  co_await check_queue_name(input.queue_name, is_fifo_name(input.queue_name));
  auto read = [](Work&, Queue&) -> Result<bool> { return true; };
  co_await on_queue(ctx, address, read);
  api::GetQueueUrlOutput out;
  out.queue_url = url_of(*ctx, address);
  co_return out;
}

Task<api::ListQueuesOutput> Service::list_queues(Ctx ctx, api::ListQueuesInput input) {
  const QueueAddress scope{ctx->account, ctx->region, {}};
  const int32_t size = co_await page_size(input.max_results);
  const std::string prefix = input.queue_name_prefix.value_or("");
  const std::string from = co_await first_name(input.next_token, prefix);
  const auto pick = [&](const std::string& name, const QueueRecord&) -> std::optional<bool> {
    if (name.starts_with(prefix)) return true;
    if (name > prefix) return std::nullopt;
    return false;
  };
  auto read = [&](Work& work) { return read_page(work.txn, scope, from, size, pick); };
  const Page page = co_await transact(ctx, std::move(read));
  api::ListQueuesOutput out;
  fill(out, out.queue_urls, page, input.max_results.has_value(), *ctx, scope);
  co_return out;
}

Task<api::ListDeadLetterSourceQueuesOutput> Service::list_dead_letter_source_queues(
    Ctx ctx, api::ListDeadLetterSourceQueuesInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  const int32_t size = co_await page_size(input.max_results);
  const std::string from = co_await first_name(input.next_token, "");
  auto read = [&](Work& work, Queue& queue) -> Result<Page> {
    return read_page(work.txn, address, from, size,
                     [&](const std::string&, const QueueRecord& record) -> std::optional<bool> {
                       return Settings::of(record.attributes).dead_letter_arn == queue.arn;
                     });
  };
  const Page page = co_await on_queue(ctx, address, std::move(read));
  api::ListDeadLetterSourceQueuesOutput out;
  fill(out, out.queue_urls, page, input.max_results.has_value(), *ctx, address);
  if (!out.queue_urls) out.queue_urls.emplace();  // this one is told even when there is none
  co_return out;
}

Task<api::DeleteQueueOutput> Service::delete_queue(Ctx ctx, api::DeleteQueueInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto erase = [&](Work& work, Queue& queue) -> Result<bool> {
    if (options_.lifecycle_delay_ms > 0) Queues::note_deleted(work.txn, address, work.now);
    work.queues.erase(work.txn, queue);
    return true;
  };
  co_await on_queue(ctx, address, std::move(erase));
  co_return api::DeleteQueueOutput();
}

// DIFFERS: AWS takes up to 60 seconds and refuses a second purge within them; here it is done with
// the answer, and refused with --lifecycle-delay only.
Task<api::PurgeQueueOutput> Service::purge_queue(Ctx ctx, api::PurgeQueueInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto purge = [&](Work& work, Queue& queue) -> Result<bool> {
    if (options_.lifecycle_delay_ms > 0 && queue.record.purged_at &&
        queue.record.purged_at + kPurgeEveryMicros > work.now) {
      return fail(errors::purge_in_progress(address.name));
    }
    work.queues.purge(work.txn, queue, work.now);
    return true;
  };
  co_await on_queue(ctx, address, std::move(purge));
  co_return api::PurgeQueueOutput();
}

}  // namespace virga::sqs
