#include "aws/event_stream.h"

#include "aws/json_codec.h"
#include "aws/xml_codec.h"
#include "base/hashing.h"

namespace virga::aws {
namespace {

constexpr size_t kPreludeBytes = 12;
constexpr size_t kMessageBytesMax = 24 * 1024 * 1024;
constexpr char kStringHeader = 7;

void put32(std::string& out, uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
}
uint32_t get32(std::string_view in, size_t at) {
  uint32_t n = 0;
  for (size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<uint8_t>(in[at + i]);
  return n;
}
std::unexpected<AwsError> broken(const char* what) {
  return fail("SerializationException", 400, std::string("Event stream: ") + what);
}

Result<void> read_headers(std::string_view in, EventMessage& out) {
  size_t at = 0;
  while (at < in.size()) {
    const size_t name = static_cast<uint8_t>(in[at++]);
    if (in.size() - at < name + 3) return broken("a header is cut short");
    const std::string key(in.substr(at, name));
    at += name;
    if (in[at++] != kStringHeader) return broken("a header is no string");
    const size_t size =
        static_cast<size_t>(static_cast<uint8_t>(in[at])) << 8 | static_cast<uint8_t>(in[at + 1]);
    at += 2;
    if (in.size() - at < size) return broken("a header is cut short");
    out.headers.emplace_back(key, std::string(in.substr(at, size)));
    at += size;
  }
  return {};
}

std::string_view content_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::rest_xml:
    case Protocol::query:
      return "text/xml";
    case Protocol::cbor:
      return "application/cbor";
    default:
      return "application/json";
  }
}

// The event's structure as a message: header members become headers, the payload member or all the
// others the payload.
EventMessage event_message(const MemberDesc& which, const void* value, Protocol protocol) {
  const StructDesc& shape = *which.type->structure;
  EventMessage message;
  message.headers = {{":message-type", "event"}, {":event-type", std::string(which.wire)}};
  const MemberDesc* payload = nullptr;
  bool rest = false;
  for (const MemberDesc& m : shape.members) {
    const void* member = get_member(m, value);
    if (m.is(kEventHeader) && member && m.type->kind == Kind::string) {
      message.headers.emplace_back(std::string(m.wire), *static_cast<const std::string*>(member));
    } else if (m.is(kEventPayload)) {
      payload = &m;
    } else if (member) {
      rest = true;
    }
  }
  const bool raw =
      payload && (payload->type->kind == Kind::blob || payload->type->kind == Kind::string);
  if (raw) {
    message.headers.emplace_back(":content-type", payload->type->kind == Kind::blob
                                                      ? "application/octet-stream"
                                                      : "text/plain");
    if (const void* bytes = get_member(*payload, value))
      message.payload = *static_cast<const std::string*>(bytes);
    return message;
  }
  const void* body = payload ? get_member(*payload, value) : value;
  const TypeDesc& type = payload ? *payload->type : *which.type;
  if (!body || (!payload && !rest && protocol == Protocol::rest_xml)) return message;
  message.headers.emplace_back(":content-type", std::string(content_type(protocol)));
  if (protocol == Protocol::rest_xml) {
    XmlWriter writer(message.payload);
    write_xml_element(writer, payload ? payload->wire : which.wire, nullptr, type, body);
  } else {
    JsonWriter writer(message.payload);
    write_json_value(writer, type, body);
  }
  return message;
}

EventMessage error_message(const AwsError& error, const StructDesc& events) {
  for (const MemberDesc& m : events.members) {
    if (!m.type->structure || (m.type->structure->name != error.code && m.name != error.code))
      continue;
    EventMessage message;
    message.headers = {{":message-type", "exception"},
                       {":exception-type", std::string(m.wire)},
                       {":content-type", "application/json"}};
    JsonWriter writer(message.payload);
    writer.begin_object();
    writer.key("message");
    writer.string(error.message);
    writer.end_object();
    return message;
  }
  return {
      {{":message-type", "error"}, {":error-code", error.code}, {":error-message", error.message}},
      {}};
}

class EventBody final : public async::ByteSource {
 public:
  EventBody(std::unique_ptr<AnyEventSource> source, const StructDesc& events, Protocol protocol)
      : source_(std::move(source)), events_(events), protocol_(protocol) {}

  void queue(const EventMessage& message) { append_event_message(pending_, message); }

  Task<std::string> read(size_t max) override {
    while (pending_.size() == sent_ && !ended_) {
      pending_.clear();
      sent_ = 0;
      Result<StructBox> next = co_await as_result(source_->next_any());
      take(next);
    }
    std::string piece = pending_.substr(sent_, max);
    sent_ += piece.size();
    co_return std::move(piece);
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  void take(const Result<StructBox>& next) {
    if (!next) {
      ended_ = true;
      return queue(error_message(next.error(), events_));
    }
    if (!*next) {
      ended_ = true;
      return;
    }
    for (const MemberDesc& m : events_.members) {
      if (const void* value = get_member(m, next->object()))
        return queue(event_message(m, value, protocol_));
    }
  }

  std::unique_ptr<AnyEventSource> source_;
  const StructDesc& events_;
  Protocol protocol_;
  std::string pending_;
  size_t sent_ = 0;
  bool ended_ = false;
};

}  // namespace

std::string_view EventMessage::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

void append_event_message(std::string& out, const EventMessage& message) {
  std::string headers;
  for (const auto& [name, value] : message.headers) {
    const std::string_view cut = std::string_view(value).substr(0, 0x7fff);
    headers += static_cast<char>(name.size());
    headers += name;
    headers += kStringHeader;
    headers += static_cast<char>(cut.size() >> 8);
    headers += static_cast<char>(cut.size());
    headers += cut;
  }
  const size_t begin = out.size();
  put32(out, static_cast<uint32_t>(kPreludeBytes + headers.size() + message.payload.size() + 4));
  put32(out, static_cast<uint32_t>(headers.size()));
  put32(out, crc32(std::string_view(out).substr(begin)));
  out += headers;
  out += message.payload;
  put32(out, crc32(std::string_view(out).substr(begin)));
}

Result<size_t> read_event_message(std::string_view bytes, EventMessage& out) {
  if (bytes.size() < kPreludeBytes) return size_t{0};
  const size_t total = get32(bytes, 0);
  const size_t headers = get32(bytes, 4);
  if (crc32(bytes.substr(0, 8)) != get32(bytes, 8))
    return broken("the prelude's checksum is wrong");
  if (total > kMessageBytesMax || total < kPreludeBytes + 4 ||
      headers > total - kPreludeBytes - 4) {
    return broken("impossible lengths");
  }
  if (bytes.size() < total) return size_t{0};
  if (crc32(bytes.substr(0, total - 4)) != get32(bytes, total - 4))
    return broken("the checksum is wrong");
  out = {};
  VIRGA_TRY_VOID(read_headers(bytes.substr(kPreludeBytes, headers), out));
  out.payload = bytes.substr(kPreludeBytes + headers, total - kPreludeBytes - headers - 4);
  return total;
}

std::unique_ptr<async::ByteSource> make_event_body(std::unique_ptr<AnyEventSource> source,
                                                   const StructDesc& events, Protocol protocol,
                                                   std::optional<std::string> initial) {
  auto body = std::make_unique<EventBody>(std::move(source), events, protocol);
  if (initial) {
    body->queue({{{":message-type", "event"},
                  {":event-type", "initial-response"},
                  {":content-type", std::string(content_type(protocol))}},
                 std::move(*initial)});
  }
  return body;
}

}  // namespace virga::aws
