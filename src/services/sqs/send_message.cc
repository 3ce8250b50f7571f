// SendMessage, SendMessageBatch. Source: SQS API Reference, the pages of these operations; SQS
// Developer Guide, "Exactly-once processing in Amazon SQS".
#include "api/sqs/send_message.h"

#include <utility>

#include "api/sqs/send_message_batch.h"
#include "api/sqs/shapes.h"
#include "base/hashing.h"
#include "base/strings.h"
#include "services/sqs/batch.h"
#include "services/sqs/new_message.h"
#include "services/sqs/sequence_number.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

struct SentMessage {
  std::string id;
  uint64_t sequence = 0;
};

template <class Given>
Result<NewMessage> read_message(const Given& given, std::string body) {
  NewMessage out;
  out.body = std::move(body);
  out.delay_seconds = given.delay_seconds;
  out.group = given.message_group_id;
  out.deduplication_id = given.message_deduplication_id;
  VIRGA_TRY(attributes, read_attributes(given.message_attributes, false));
  out.attributes = std::move(attributes);
  VIRGA_TRY(system, read_attributes(given.message_system_attributes, true));
  out.system_attributes = std::move(system);
  return out;
}

// Within a FIFO queue's deduplication interval the same id is the same message: it is answered, not
// kept again.
Result<SentMessage> put_message(Work& work, Queue& queue, const NewMessage& given,
                                const RequestContext& context) {
  VIRGA_TRY(messages, work.messages(queue));
  Message m;
  m.sent_at = work.now;
  m.visible_at =
      work.now + int64_t{given.delay_seconds.value_or(queue.settings.delay_seconds)} * 1'000'000;
  m.sender =
      context.principal.user_id.empty() ? context.principal.account : context.principal.user_id;
  m.body = given.body;
  m.attributes = given.attributes;
  if (const auto trace = given.system_attributes.find("AWSTraceHeader");
      trace != given.system_attributes.end()) {
    m.trace_header = trace->second.value;
  }
  m.group = given.group.value_or("");
  std::string scope;
  if (queue.settings.fifo) {
    m.deduplication_id =
        given.deduplication_id ? *given.deduplication_id : to_hex(as_bytes(sha256(given.body)));
    if (queue.settings.deduplicate_by_group) scope = m.group;
    VIRGA_TRY(known, messages->find_duplicate(work.txn, scope, m.deduplication_id, work.now));
    if (known) return SentMessage{known->message_id, known->sequence};
  }
  m.id = context.env->random.uuid();
  const uint64_t sequence = work.sequencer.next(work.txn);
  SentMessage sent{m.id, sequence};
  if (queue.settings.fifo) {
    VIRGA_TRY_VOID(
        messages->remember(work.txn, scope, m.deduplication_id, {sequence, work.now, m.id}));
  }
  messages->send(work.txn, sequence, std::move(m), work.now);
  return sent;
}

// The members that both answers have.
template <class Output>
void fill(Output& out, const NewMessage& given, const SentMessage& sent, bool fifo) {
  out.message_id = sent.id;
  out.md5_of_message_body = md5_hex(given.body);
  if (!given.attributes.empty()) out.md5_of_message_attributes = md5_of(given.attributes);
  if (!given.system_attributes.empty())
    out.md5_of_message_system_attributes = md5_of(given.system_attributes);
  if (fifo) out.sequence_number = sequence_number(sent.sequence);
}

}  // namespace

Task<api::SendMessageOutput> Service::send_message(Ctx ctx, api::SendMessageInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto send = [&](Work& work, Queue& queue) -> Result<api::SendMessageOutput> {
    VIRGA_TRY(given, read_message(input, std::move(input.message_body)));
    VIRGA_TRY_VOID(check_new_message(given, queue.settings));
    VIRGA_TRY(sent, put_message(work, queue, given, *ctx));
    api::SendMessageOutput out;
    fill(out, given, sent, queue.settings.fifo);
    ctx->depends_on(queue.changed_at);  // the original of a duplicate
    return out;
  };
  auto out = co_await on_queue(ctx, address, std::move(send));
  co_return std::move(out);
}

Task<api::SendMessageBatchOutput> Service::send_message_batch(Ctx ctx,
                                                              api::SendMessageBatchInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  auto send = [&](Work& work, Queue& queue) -> Result<api::SendMessageBatchOutput> {
    auto& entries = input.entries ? *input.entries : input.entries.emplace();
    VIRGA_TRY_VOID(check_batch(entries, "SendMessageBatchRequestEntry"));
    std::vector<Result<NewMessage>> given;
    int64_t bytes = 0;
    for (auto& entry : entries) {
      given.push_back(read_message(entry, std::move(entry.message_body).value_or("")));
      if (given.back()) bytes += given.back()->bytes();
    }
    if (bytes > kMessageBytesMax) return fail(errors::batch_too_long(kMessageBytesMax, bytes));

    api::SendMessageBatchOutput out;
    for (size_t i = 0; i < entries.size(); ++i) {
      Result<void> good =
          given[i] ? check_new_message(*given[i], queue.settings) : fail(given[i].error());
      if (!good) {
        if (!out.failed) out.failed.emplace();
        out.failed->push_back(
            failed_entry<api::BatchResultErrorEntry>(entries[i].id, good.error()));
        continue;
      }
      VIRGA_TRY(sent, put_message(work, queue, *given[i], *ctx));
      if (!out.successful) out.successful.emplace();
      auto& entry = out.successful->emplace_back();
      entry.id = entries[i].id;
      fill(entry, *given[i], sent, queue.settings.fifo);
    }
    ctx->depends_on(queue.changed_at);
    return out;
  };
  auto out = co_await on_queue(ctx, address, std::move(send));
  co_return std::move(out);
}

}  // namespace virga::sqs
