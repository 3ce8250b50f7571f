// ReceiveMessage. Source: SQS API Reference, ReceiveMessage; SQS Developer Guide, "Amazon SQS
// visibility timeout", "Using dead-letter queues", "Amazon SQS short and long polling".
#include "api/sqs/receive_message.h"

#include <algorithm>
#include <utility>

#include "api/sqs/shapes.h"
#include "services/sqs/new_message.h"
#include "services/sqs/sequence_number.h"
#include "services/sqs/service.h"

namespace virga::sqs {
namespace {

// Source: SQS Developer Guide, "Amazon SQS standard queue quotas" and "FIFO queue quotas", messages
// in flight.
constexpr int64_t kInFlightMax = 120'000;
// Messages that one transaction throws away or gives to the dead-letter queue before it answers.
constexpr int kDiscardedMax = 512;
// Source: SQS API Reference, ReceiveMessage, ReceiveRequestAttemptId: five minutes.
constexpr int64_t kAttemptMicros = int64_t{5} * 60 * 1'000'000;
constexpr size_t kAttemptsMax = 10'000;

struct Request {
  size_t max = 1;
  std::optional<int32_t> visibility_seconds;
  std::vector<std::string> system_names;
  std::vector<std::string> attribute_names;
  std::optional<std::string> attempt;

  bool wants_system(std::string_view name) const {
    return std::any_of(system_names.begin(), system_names.end(),
                       [&](const auto& n) { return n == "All" || n == name; });
  }
  bool wants_attribute(std::string_view name) const {
    return std::any_of(attribute_names.begin(), attribute_names.end(), [&](std::string_view n) {
      return n == "All" || n == ".*" || n == name ||
             (n.ends_with(".*") && name.starts_with(n.substr(0, n.size() - 2)));
    });
  }
};

constexpr std::string_view kSystemNames[] = {"All",
                                             "SenderId",
                                             "SentTimestamp",
                                             "ApproximateReceiveCount",
                                             "ApproximateFirstReceiveTimestamp",
                                             "SequenceNumber",
                                             "MessageDeduplicationId",
                                             "MessageGroupId",
                                             "AWSTraceHeader",
                                             "DeadLetterQueueSourceArn"};

Result<Request> check_request(api::ReceiveMessageInput& input, const Settings& queue) {
  Request r;
  const int32_t max = input.max_number_of_messages.value_or(1);
  if (max < 1 || max > 10) {
    return fail(errors::invalid_value(std::to_string(max), "MaxNumberOfMessages",
                                      "Must be between 1 and 10, if provided."));
  }
  r.max = static_cast<size_t>(max);
  if (const auto wait = input.wait_time_seconds; wait && (*wait < 0 || *wait > kWaitSecondsMax)) {
    return fail(errors::invalid_value(std::to_string(*wait), "WaitTimeSeconds",
                                      "Must be >= 0 and <= 20, if provided."));
  }
  if (const auto v = input.visibility_timeout; v && (*v < 0 || *v > kVisibilitySecondsMax)) {
    return fail(errors::invalid_value(std::to_string(*v), "VisibilityTimeout",
                                      "Must be between 0 and 43200."));
  }
  r.visibility_seconds = input.visibility_timeout;
  if (input.attribute_names) r.system_names = *input.attribute_names;
  if (input.message_system_attribute_names) {
    r.system_names.insert(r.system_names.end(), input.message_system_attribute_names->begin(),
                          input.message_system_attribute_names->end());
  }
  for (const auto& name : r.system_names) {
    if (std::find(std::begin(kSystemNames), std::end(kSystemNames), name) ==
        std::end(kSystemNames)) {
      return fail(errors::unknown_attribute(name));
    }
  }
  if (input.message_attribute_names) r.attribute_names = *input.message_attribute_names;
  if (input.receive_request_attempt_id) {
    if (!queue.fifo) {
      return fail(errors::invalid_value(
          *input.receive_request_attempt_id, "ReceiveRequestAttemptId",
          "The request includes a parameter that is not valid for this queue type."));
    }
    VIRGA_TRY_VOID(check_client_id(*input.receive_request_attempt_id, "ReceiveRequestAttemptId"));
    r.attempt = input.receive_request_attempt_id;
  }
  return r;
}

api::MessageAttributeValue to_api(const AttributeValue& value) {
  api::MessageAttributeValue out;
  out.data_type = value.type;
  (value.is_binary() ? out.binary_value : out.string_value) = value.value;
  return out;
}

std::map<std::string, std::string> system_attributes(const Request& r, const Message& m,
                                                     const Delivery& d, uint64_t sequence,
                                                     bool fifo) {
  std::map<std::string, std::string> out;
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty() && r.wants_system(name)) out[name] = std::move(value);
  };
  if (r.system_names.empty()) return out;
  add("SenderId", m.sender);
  add("SentTimestamp", std::to_string(m.sent_at / 1000));
  add("ApproximateReceiveCount", std::to_string(m.earlier_receives + d.receives));
  add("ApproximateFirstReceiveTimestamp", std::to_string(d.first_received_at / 1000));
  if (fifo) add("SequenceNumber", sequence_number(sequence));
  add("MessageDeduplicationId", m.deduplication_id);
  add("MessageGroupId", m.group);
  add("AWSTraceHeader", m.trace_header);
  add("DeadLetterQueueSourceArn", m.dead_letter_source);
  return out;
}

api::Message to_api(const Request& r, const Queue& queue, uint64_t sequence, Message m,
                    const Delivery& d) {
  api::Message out;
  out.message_id = m.id;
  out.receipt_handle =
      ReceiptHandle{queue.record.id, queue.record.store, sequence, d.receives}.text();
  out.md5_of_body = md5_hex(m.body);
  auto system = system_attributes(r, m, d, sequence, queue.settings.fifo);
  if (!system.empty()) out.attributes = std::move(system);
  MessageAttributes wanted;
  for (auto& [name, value] : m.attributes) {
    if (r.wants_attribute(name)) wanted[name] = std::move(value);
  }
  if (!wanted.empty()) {
    out.md5_of_message_attributes = md5_of(wanted);
    auto& list = out.message_attributes.emplace();
    for (const auto& [name, value] : wanted) list[name] = to_api(value);
  }
  out.body = std::move(m.body);
  return out;
}

// One receive inside its transaction.
class Receive {
 public:
  Receive(Work& work, Queue& queue, Messages& messages, const Request& request)
      : work_(work), queue_(queue), messages_(messages), request_(request) {
    const int64_t seconds = request.visibility_seconds.value_or(queue.settings.visibility_seconds);
    visible_at_ = work.now + seconds * 1'000'000;
  }

  Result<std::vector<api::Message>> run() {
    if (request_.attempt) {
      VIRGA_TRY(again, repeat_attempt());
      if (!again.empty()) return again;
    }
    std::vector<api::Message> out;
    ReceiveAttempt attempt{work_.now, {}};
    const int64_t room = kInFlightMax - messages_.counts(work_.now).in_flight;
    const size_t max =
        std::min<size_t>(request_.max, static_cast<size_t>(std::max<int64_t>(room, 0)));
    int discarded = 0;
    for (bool more = true; more && out.size() < max && discarded < kDiscardedMax;) {
      more = false;
      VIRGA_TRY(places, messages_.next(work_.txn, work_.now, max));
      for (const Place& place : places) {
        // With a timeout of 0 what was taken is visible again, for the next call.
        if (out.size() == max || attempt.has(place.sequence)) continue;
        more = true;
        VIRGA_TRY(taken, take(place, attempt));
        if (taken) {
          out.push_back(std::move(*taken));
        } else {
          ++discarded;
        }
      }
    }
    if (out.empty() && max == 0) full_ = true;
    if (request_.attempt && !out.empty()) remember_attempt(std::move(attempt));
    return out;
  }
  bool full() const { return full_; }

 private:
  // Nothing when the message is gone: too old, or given to the dead-letter queue.
  Result<std::optional<api::Message>> take(const Place& place, ReceiveAttempt& attempt) {
    VIRGA_TRY(message, messages_.read(work_.txn, place.sequence));
    if (!message) return fail(internal_failure("a message without its record"));
    Delivery delivery;
    if (place.received) {
      VIRGA_TRY(before, messages_.delivery(work_.txn, place.sequence));
      if (!before) return fail(internal_failure("a received message without its delivery"));
      delivery = *before;
    }
    if (message->sent_at + queue_.settings.retention_seconds * 1'000'000 <= work_.now) {
      messages_.remove(work_.txn, place, work_.now);
      return std::optional<api::Message>();
    }
    const int32_t receives_max = queue_.settings.receives_max;
    if (receives_max > 0 && delivery.receives >= static_cast<uint32_t>(receives_max)) {
      VIRGA_TRY(moved, move_to_dead_letters(place, *message, delivery));
      if (moved) return std::optional<api::Message>();
    }
    if (delivery.receives == 0) delivery.first_received_at = work_.now;
    ++delivery.receives;
    delivery.received_at = work_.now;
    delivery.visible_at = visible_at_;
    messages_.deliver(work_.txn, place, delivery, work_.now);
    attempt.messages.emplace_back(place.sequence, delivery.receives);
    return std::optional<api::Message>(
        to_api(request_, queue_, place.sequence, std::move(*message), delivery));
  }

  // False when there is no such queue any more: the message stays.
  Result<bool> move_to_dead_letters(const Place& place, Message message, const Delivery& delivery) {
    const auto address = address_of_arn(queue_.settings.dead_letter_arn);
    if (!address || *address == queue_.address) return false;
    VIRGA_TRY(target, work_.find(*address));
    if (!target || target->settings.fifo != queue_.settings.fifo) return false;
    VIRGA_TRY(there, work_.messages(*target));
    message.dead_letter_source = queue_.arn;
    message.earlier_receives += delivery.receives;
    message.visible_at = work_.now;
    // A standard queue's message keeps its age, a FIFO queue's starts again.
    // Source: SQS Developer Guide, "Using dead-letter queues", "Message retention periods for
    // dead-letter queues".
    if (queue_.settings.fifo) message.sent_at = work_.now;
    messages_.remove(work_.txn, place, work_.now);
    there->send(work_.txn, work_.sequencer.next(work_.txn), std::move(message), work_.now);
    return true;
  }

  // The same messages and handles again, when none of them was deleted, changed or received by
  // others meanwhile.
  Result<std::vector<api::Message>> repeat_attempt() {
    std::vector<api::Message> out;
    const auto found = queue_.attempts.find(*request_.attempt);
    if (found == queue_.attempts.end() || found->second.at + kAttemptMicros <= work_.now)
      return out;
    std::vector<std::pair<Place, Delivery>> held;
    for (const auto& [sequence, receives] : found->second.messages) {
      VIRGA_TRY(delivery, messages_.delivery(work_.txn, sequence));
      if (!delivery || delivery->receives != receives || delivery->visible_at <= work_.now)
        return out;
      held.emplace_back(Place{sequence, delivery->visible_at, true}, *delivery);
    }
    for (auto& [place, delivery] : held) {
      VIRGA_TRY(message, messages_.read(work_.txn, place.sequence));
      if (!message) return fail(internal_failure("a message without its record"));
      delivery.visible_at = visible_at_;
      messages_.deliver(work_.txn, place, delivery, work_.now);
      out.push_back(to_api(request_, queue_, place.sequence, std::move(*message), delivery));
    }
    return out;
  }

  void remember_attempt(ReceiveAttempt attempt) {
    if (queue_.attempts.size() >= kAttemptsMax) {
      std::erase_if(queue_.attempts, [&](const auto& entry) {
        return entry.second.at + kAttemptMicros <= work_.now;
      });
    }
    if (queue_.attempts.size() < kAttemptsMax)
      queue_.attempts[*request_.attempt] = std::move(attempt);
  }

  Work& work_;
  Queue& queue_;
  Messages& messages_;
  const Request& request_;
  int64_t visible_at_ = 0;
  bool full_ = false;
};

struct Got {
  std::vector<api::Message> messages;
  int32_t wait_seconds = 0;
};

Result<Got> receive_once(Work& work, Queue& queue, api::ReceiveMessageInput& input) {
  VIRGA_TRY(request, check_request(input, queue.settings));
  VIRGA_TRY(messages, work.messages(queue));
  work.txn.allow_in_low_space();  // who takes messages off makes room
  Got got;
  got.wait_seconds = input.wait_time_seconds.value_or(queue.settings.wait_seconds);
  Receive receive(work, queue, *messages, request);
  VIRGA_TRY(taken, receive.run());
  // Source: SQS API Reference, ReceiveMessage: short polling is told, long polling waits; FIFO
  // queues say nothing.
  if (receive.full() && !queue.settings.fifo && got.wait_seconds == 0) {
    return fail(errors::over_limit("The maximum number of in flight messages is reached."));
  }
  got.messages = std::move(taken);
  return got;
}

}  // namespace

Task<api::ReceiveMessageOutput> Service::receive_message(Ctx ctx, api::ReceiveMessageInput input) {
  const QueueAddress address = co_await address_of_url(*ctx, input.queue_url);
  std::optional<async::SteadyTime> until;
  api::ReceiveMessageOutput out;
  while (true) {
    auto receive = [&](Work& work, Queue& queue) { return receive_once(work, queue, input); };
    Got got = co_await on_queue(ctx, address, std::move(receive));
    if (!until) until = env_.steady.now().plus_millis(int64_t{got.wait_seconds} * 1000);
    if (!got.messages.empty()) {
      out.messages = std::move(got.messages);
      break;
    }
    if (stopping_ || env_.steady.now() >= *until) break;
    co_await wait_for_message(address, *until);
  }
  co_return std::move(out);
}

}  // namespace virga::sqs
