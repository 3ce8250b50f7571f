#include "services/sqs/message.h"

#include <bit>

#include "base/hashing.h"
#include "base/strings.h"

// Records' bytes: docs/formats/sqs.md.
namespace virga::sqs {
namespace {

constexpr uint8_t kMessageFormat = 1;
constexpr uint8_t kDeliveryFormat = 1;
// A handle's first bytes, which make its text begin with "AQEB" as AWS's do.
constexpr std::string_view kHandleMark("\x01\x01\x01", 3);

template <class Number>
void put_big_endian(std::string& out, Number value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_u32(std::string& out, uint32_t value) {
  put_big_endian(out, value);
}
void put_u64(std::string& out, uint64_t value) {
  put_big_endian(out, value);
}
void put_text(std::string& out, std::string_view text) {
  put_u32(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint32_t u32() { return static_cast<uint32_t>(number(4)); }
  uint64_t u64() { return number(8); }
  std::string text() {
    const size_t size = u32();
    if (size > rest_.size()) {
      ok_ = false;
      return {};
    }
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  bool ok() const { return ok_; }

 private:
  uint64_t number(size_t bytes) {
    if (bytes > rest_.size()) {
      ok_ = false;
      return 0;
    }
    uint64_t out = 0;
    for (size_t i = 0; i < bytes; ++i) out = out << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return out;
  }
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string encode(const Message& m) {
  std::string out;
  out.reserve(m.body.size() + m.sender.size() + 160);
  out.push_back(static_cast<char>(kMessageFormat));
  put_u64(out, static_cast<uint64_t>(m.sent_at));
  put_u64(out, static_cast<uint64_t>(m.visible_at));
  put_u32(out, m.earlier_receives);
  for (const auto* text : {&m.id, &m.sender, &m.group, &m.deduplication_id, &m.trace_header,
                           &m.dead_letter_source, &m.body}) {
    put_text(out, *text);
  }
  put_u32(out, static_cast<uint32_t>(m.attributes.size()));
  for (const auto& [name, value] : m.attributes) {
    put_text(out, name);
    put_text(out, value.type);
    put_text(out, value.value);
  }
  return out;
}

Result<Message> decode_message(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kMessageFormat) return fail(internal_failure("a message of an unknown format"));
  Message m;
  m.sent_at = static_cast<int64_t>(in.u64());
  m.visible_at = static_cast<int64_t>(in.u64());
  m.earlier_receives = in.u32();
  for (auto* text : {&m.id, &m.sender, &m.group, &m.deduplication_id, &m.trace_header,
                     &m.dead_letter_source, &m.body}) {
    *text = in.text();
  }
  for (uint32_t left = in.u32(); left > 0 && in.ok(); --left) {
    const std::string name = in.text();
    AttributeValue& value = m.attributes[name];
    value.type = in.text();
    value.value = in.text();
  }
  if (!in.ok()) return fail(internal_failure("a message that cannot be read"));
  return m;
}

std::string encode(const Delivery& d) {
  std::string out(1, static_cast<char>(kDeliveryFormat));
  put_u64(out, static_cast<uint64_t>(d.visible_at));
  put_u32(out, d.receives);
  put_u64(out, static_cast<uint64_t>(d.first_received_at));
  put_u64(out, static_cast<uint64_t>(d.received_at));
  return out;
}

Result<Delivery> decode_delivery(std::string_view bytes) {
  Reader in(bytes);
  if (in.u8() != kDeliveryFormat) return fail(internal_failure("a delivery of an unknown format"));
  Delivery d;
  d.visible_at = static_cast<int64_t>(in.u64());
  d.receives = in.u32();
  d.first_received_at = static_cast<int64_t>(in.u64());
  d.received_at = static_cast<int64_t>(in.u64());
  if (!in.ok()) return fail(internal_failure("a delivery that cannot be read"));
  return d;
}

std::string md5_hex(std::string_view text) {
  return to_hex(md5(text));
}

std::string md5_of(const MessageAttributes& attributes) {
  std::string bytes;
  for (const auto& [name, value] : attributes) {  // in the order of their names
    put_text(bytes, name);
    put_text(bytes, value.type);
    bytes.push_back(value.is_binary() ? '\x02' : '\x01');
    put_text(bytes, value.value);
  }
  return md5_hex(bytes);
}

std::string ReceiptHandle::text() const {
  std::string bytes(kHandleMark);
  put_u64(bytes, queue);
  put_u64(bytes, store);
  put_u64(bytes, sequence);
  put_u32(bytes, receives);
  put_u32(bytes, crc32c(bytes));
  return to_base64(bytes);
}

std::optional<ReceiptHandle> ReceiptHandle::parse(std::string_view text) {
  const auto bytes = from_base64(text);
  constexpr size_t kSize = 3 + 8 + 8 + 8 + 4 + 4;
  if (!bytes || bytes->size() != kSize || !bytes->starts_with(kHandleMark)) return std::nullopt;
  Reader in(std::string_view(*bytes).substr(kHandleMark.size()));
  ReceiptHandle handle;
  handle.queue = in.u64();
  handle.store = in.u64();
  handle.sequence = in.u64();
  handle.receives = in.u32();
  if (in.u32() != crc32c(std::string_view(*bytes).substr(0, kSize - 4))) return std::nullopt;
  return handle;
}

}  // namespace virga::sqs
