#include "services/dynamodb/import_reader.h"

#include <limits>
#include <utility>

#include "aws/attribute_value_json.h"
#include "base/strings.h"
#include "net/gzip.h"
#include "services/dynamodb/errors.h"
#include "services/dynamodb/ion.h"
#include "services/dynamodb/item_key.h"
#include "services/dynamodb/item_size.h"
#include "services/dynamodb/zstd_source.h"

namespace virga::dynamodb {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
// An item has 400 KiB; written down, each byte of it may take a few ("\u0001", base64 in names).
constexpr size_t kLineBytesMax = 16 << 20;

// The item in {"Item": {…}}: what is between is one JSON value, or parse_item refuses it.
Result<Item> read_json_line(std::string_view line) {
  const auto skip = [&](std::string_view token) {
    line = trim(line);
    if (!line.starts_with(token)) return false;
    line.remove_prefix(token.size());
    return true;
  };
  const bool opened = skip("{") && skip("\"Item\"") && skip(":");
  line = trim(line);
  if (!opened || !line.ends_with('}'))
    return fail(errors::serialization("Unable to parse the line as DynamoDB JSON"));
  line.remove_suffix(1);
  return parse_item(line);
}

AttributeValue csv_value(AttributeType type, const std::string& text) {
  switch (type) {
    case AttributeType::number:
      return AttributeValue::number(text);
    case AttributeType::binary: {
      const auto bytes = from_base64(text);
      AttributeValue out = AttributeValue::binary(bytes.value_or(""));
      if (!bytes) out.set_problem("Invalid base64 in a binary key attribute");
      return out;
    }
    default:
      return AttributeValue::string(text);
  }
}

}  // namespace

std::unique_ptr<async::ByteSource> decompressed(std::unique_ptr<async::ByteSource> body,
                                                std::string_view compression, async::Pool& pool) {
  constexpr size_t kNoLimit = std::numeric_limits<size_t>::max() / 2;
  if (compression == "GZIP") return net::gunzip_source(std::move(body), kNoLimit, &pool);
  if (compression == "ZSTD") return zstd_source(std::move(body), pool);
  return body;
}

std::optional<size_t> ImportLines::find_end() {
  for (; looked_ < buffer_.size(); ++looked_) {
    const char c = buffer_[looked_];
    if (quotes_ && c == '"') in_quotes_ = !in_quotes_;
    if (c == '\n' && !in_quotes_) return looked_;
  }
  return std::nullopt;
}

void ImportLines::add(std::string_view piece) {
  buffer_.erase(0, begin_);
  looked_ -= begin_;
  begin_ = 0;
  buffer_ += piece;
  ended_ = piece.empty();
}

Result<std::optional<std::string>> ImportLines::next() {
  if (const auto end = find_end()) {
    std::string line = buffer_.substr(begin_, *end - begin_);
    looked_ = begin_ = *end + 1;
    if (line.ends_with('\r')) line.pop_back();
    return line;
  }
  if (buffer_.size() - begin_ > kLineBytesMax)
    return fail(errors::serialization("A line is longer than an item can be"));
  if (!ended_ || begin_ == buffer_.size()) return std::nullopt;
  std::string line = buffer_.substr(begin_);
  looked_ = begin_ = buffer_.size();
  return line;
}

Result<std::vector<std::string>> split_csv(std::string_view line, char delimiter) {
  std::vector<std::string> out;
  const auto malformed = [] {
    return fail(errors::serialization("Unable to parse the line as CSV: a quote is not escaped"));
  };
  for (size_t at = 0;;) {
    std::string& value = out.emplace_back();
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at == line.size()) return malformed();
        if (line[at] != '"') {
          value.push_back(line[at]);
        } else if (line.substr(at + 1).starts_with('"')) {
          value.push_back(line[at++]);
        } else {
          break;
        }
      }
      ++at;
      if (at < line.size() && line[at] != delimiter) return malformed();
    } else {
      const size_t end = std::min(line.find(delimiter, at), line.size());
      value = line.substr(at, end - at);
      // Quotes within a value come doubled.
      for (size_t quote = value.find('"'); quote != std::string::npos;
           quote = value.find('"', quote + 1)) {
        if (value.compare(quote, 2, "\"\"") != 0) return malformed();
        value.erase(quote, 1);
      }
      at = end;
    }
    if (at >= line.size()) return out;
    ++at;
  }
}

// Columns that are keys of the table or of an index have their types; all others are strings.
Result<Item> ImportParser::csv_item(std::string_view line) const {
  VIRGA_TRY(values, split_csv(line, csv_.delimiter));
  if (values.size() != header_.size()) {
    return fail(errors::validation("The number of columns (" + std::to_string(values.size()) +
                                   ") does not match the header's (" +
                                   std::to_string(header_.size()) + ")"));
  }
  Item out;
  for (size_t i = 0; i < values.size(); ++i) {
    AttributeType type = AttributeType::string;
    for (const KeyAttribute& attribute : table_->definitions) {
      if (attribute.name == header_[i]) type = attribute.type;
    }
    const AttributeValue value = csv_value(type, values[i]);
    if (!value.problem().empty()) return fail(errors::validation(value.problem()));
    out.set(header_[i], value);
  }
  return out;
}

Result<std::optional<Item>> ImportParser::parse(std::string line) {
  const bool first = std::exchange(first_, false);
  if (first && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);  // a byte order mark
  if (trim(line).empty()) return std::optional<Item>();
  if (format_ == ImportFormat::csv && first && csv_.header.empty()) {
    VIRGA_TRY(names, split_csv(line, csv_.delimiter));
    header_ = std::move(names);
    return std::optional<Item>();
  }
  if (!is_utf8(line)) return fail(errors::serialization("The line is not valid UTF-8"));
  Result<Item> item = format_ == ImportFormat::csv   ? csv_item(line)
                      : format_ == ImportFormat::ion ? read_ion_item(line)
                                                     : read_json_line(line);
  if (!item) return fail(std::move(item.error()));
  if (!item->problem().empty()) return fail(errors::validation(item->problem()));
  if (item_bytes(*item) > kItemBytesMax)
    return fail(errors::validation("Item size has exceeded the maximum allowed size"));
  VIRGA_TRY_VOID(check_item_keys(*table_, *item));
  return std::optional<Item>(std::move(*item));
}

Task<ImportObject::Piece> ImportObject::next() {
  const std::string bytes = co_await content_->read(kPieceBytes);
  Piece piece = co_await async::offload(pool_, [&] { return parse(bytes); });
  co_return std::move(piece);
}

ImportObject::Piece ImportObject::parse(std::string_view bytes) {
  Piece piece;
  piece.bytes = static_cast<int64_t>(bytes.size());
  piece.last = bytes.empty();
  lines_.add(bytes);
  const auto broken = [&](AwsError error) {
    piece.broken = std::move(error);
    piece.last = true;
    return std::move(piece);
  };
  for (;;) {
    auto line = lines_.next();
    if (!line) return broken(std::move(line.error()));
    if (!*line) return piece;
    auto item = parser_.parse(std::move(**line));
    if (!item && item.error().code == "SerializationException")
      return broken(std::move(item.error()));
    if (!item) {
      piece.entries.push_back({.item = fail(std::move(item.error()))});
    } else if (*item) {
      const size_t size = item_bytes(**item);
      piece.entries.push_back({.item = std::move(**item), .bytes = size});
    }
  }
}

}  // namespace virga::dynamodb
