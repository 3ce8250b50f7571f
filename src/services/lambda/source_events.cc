#include "services/lambda/source_events.h"

#include <algorithm>

#include "api/dynamodbstreams/shapes.h"
#include "api/sqs/shapes.h"
#include "aws/attribute_value_json.h"
#include "base/json.h"
#include "base/strings.h"

namespace virga::lambda {
namespace {

void member(JsonWriter& out, std::string_view name, const std::optional<std::string>& value) {
  if (!value) return;
  out.key(name);
  out.string(*value);
}

void write_attribute(JsonWriter& out, const sqs::api::MessageAttributeValue& value) {
  out.begin_object();
  member(out, "stringValue", value.string_value);
  if (value.binary_value) {
    out.key("binaryValue");
    out.string(to_base64(*value.binary_value));
  }
  for (const auto name : {"stringListValues", "binaryListValues"}) {
    out.key(name);
    out.begin_array();
    out.end_array();
  }
  member(out, "dataType", value.data_type);
  out.end_object();
}

void write_change(JsonWriter& out, const dynamodbstreams::api::StreamRecord& change) {
  out.begin_object();
  if (change.approximate_creation_date_time) {
    out.key("ApproximateCreationDateTime");
    out.integer(change.approximate_creation_date_time->seconds());
  }
  const auto image = [&](std::string_view name, const std::optional<Item>& item) {
    if (!item) return;
    out.key(name);
    write_json(out, *item);
  };
  image("Keys", change.keys);
  image("NewImage", change.new_image);
  image("OldImage", change.old_image);
  member(out, "SequenceNumber", change.sequence_number);
  if (change.size_bytes) {
    out.key("SizeBytes");
    out.integer(*change.size_bytes);
  }
  member(out, "StreamViewType", change.stream_view_type);
  out.end_object();
}

}  // namespace

SourceEvent queue_event(const sqs::api::Message& message, const EventSourceRecord& source) {
  SourceEvent event{.json = "", .id = message.message_id.value_or("")};
  JsonWriter out(event.json);
  out.begin_object();
  member(out, "messageId", message.message_id);
  member(out, "receiptHandle", message.receipt_handle);
  member(out, "body", message.body);
  out.key("attributes");
  out.begin_object();
  if (message.attributes) {
    for (const auto& [name, value] : *message.attributes) member(out, name, value);
  }
  out.end_object();
  out.key("messageAttributes");
  out.begin_object();
  if (message.message_attributes) {
    for (const auto& [name, value] : *message.message_attributes) {
      out.key(name);
      write_attribute(out, value);
    }
  }
  out.end_object();
  member(out, "md5OfBody", message.md5_of_body);
  member(out, "md5OfMessageAttributes", message.md5_of_message_attributes);
  member(out, "eventSource", "aws:sqs");
  member(out, "eventSourceARN", source.source_arn);
  member(out, "awsRegion", source.function.region);
  out.end_object();
  return event;
}

SourceEvent stream_event(const dynamodbstreams::api::Record& record,
                         const EventSourceRecord& source) {
  SourceEvent event;
  if (record.dynamodb) event.id = record.dynamodb->sequence_number.value_or("");
  JsonWriter out(event.json);
  out.begin_object();
  member(out, "eventID", record.event_id);
  member(out, "eventName", record.event_name);
  member(out, "eventVersion", record.event_version);
  member(out, "eventSource", record.event_source);
  member(out, "awsRegion", record.aws_region);
  if (record.dynamodb) {
    out.key("dynamodb");
    write_change(out, *record.dynamodb);
  }
  if (record.user_identity) {
    out.key("userIdentity");
    out.begin_object();
    member(out, "type", record.user_identity->type);
    member(out, "principalId", record.user_identity->principal_id);
    out.end_object();
  }
  member(out, "eventSourceARN", source.source_arn);
  out.end_object();
  return event;
}

std::string join_events(const std::vector<const SourceEvent*>& events) {
  size_t bytes = 16;
  for (const SourceEvent* event : events) bytes += event->json.size() + 1;
  std::string text;
  text.reserve(bytes);
  JsonWriter out(text);
  out.begin_object();
  out.key("Records");
  out.begin_array();
  for (const SourceEvent* event : events) out.raw(event->json);
  out.end_array();
  out.end_object();
  return text;
}

Result<SourceFilter> SourceFilter::parse(const std::vector<std::string>& patterns) {
  SourceFilter out;
  for (const auto& text : patterns) {
    VIRGA_TRY(pattern, platform::EventPattern::parse(text));
    out.patterns_.push_back(std::move(pattern));
  }
  return out;
}

bool SourceFilter::passes(const SourceEvent& event, SourceKind kind) const {
  if (patterns_.empty()) return true;
  auto document = parse_json(event.json);
  if (!document) return false;
  if (kind == SourceKind::queue) {
    auto body = parse_json(document->string_or("body", ""));
    if (body && body->is_object()) document->set("body", std::move(*body));
  }
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& pattern) { return pattern.matches(*document); });
}

BatchFailures read_failures(std::string_view answer,
                            const std::vector<const SourceEvent*>& events) {
  const BatchFailures everything{.all = true, .ids = {}};
  const auto parsed = parse_json(answer);
  if (!parsed) return everything;
  if (parsed->is_null()) return {};
  if (!parsed->is_object()) return everything;
  const Document* list = parsed->find("batchItemFailures");
  if (!list || list->is_null()) return {};
  if (!list->is_array()) return everything;
  BatchFailures out;
  for (const Document& one : list->as_array()) {
    const std::string id(one.string_or("itemIdentifier", ""));
    const bool known = std::any_of(events.begin(), events.end(),
                                   [&](const SourceEvent* event) { return event->id == id; });
    if (id.empty() || !known) return everything;
    out.ids.insert(id);
  }
  return out;
}

}  // namespace virga::lambda
