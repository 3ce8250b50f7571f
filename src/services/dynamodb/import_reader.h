#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/byte_stream.h"
#include "async/offload.h"
#include "aws/attribute_value.h"
#include "services/dynamodb/table.h"

// Items out of the objects of an import. Source: DynamoDB Developer Guide, "Amazon S3 import
// formats for DynamoDB".
namespace virga::dynamodb {

enum class ImportFormat { dynamodb_json, ion, csv };

// The content of an object of this InputCompressionType: NONE, GZIP or ZSTD. `pool` decompresses.
std::unique_ptr<async::ByteSource> decompressed(std::unique_ptr<async::ByteSource> body,
                                                std::string_view compression, async::Pool& pool);

// The lines of a text that comes in pieces, without their ends. In CSV a line's end between quotes
// is part of the value.
class ImportLines {
 public:
  explicit ImportLines(ImportFormat format) : quotes_(format == ImportFormat::csv) {}
  // An empty piece is the text's end.
  void add(std::string_view piece);
  // Nothing: the next piece is needed, or there is none. SerializationException: a line longer than
  // any item needs.
  Result<std::optional<std::string>> next();

 private:
  // The end of the line that begins at `begin_`, when it is there.
  std::optional<size_t> find_end();

  const bool quotes_;
  std::string buffer_;
  size_t begin_ = 0, looked_ = 0;  // of the line; behind what was searched for its end
  bool in_quotes_ = false, ended_ = false;
};

struct CsvOptions {
  char delimiter = ',';
  std::vector<std::string> header;  // empty: each object's first line
};

// Lines of one object to items. Errors: SerializationException, after which the rest of the object
// means nothing; ValidationException for one item, in the words of PutItem.
class ImportParser {
 public:
  ImportParser(ImportFormat format, CsvOptions csv, TableRef table)
      : format_(format), csv_(std::move(csv)), table_(std::move(table)), header_(csv_.header) {}
  // Nothing: the line holds no item (a header, an empty line).
  Result<std::optional<Item>> parse(std::string line);

 private:
  Result<Item> csv_item(std::string_view line) const;

  const ImportFormat format_;
  const CsvOptions csv_;
  const TableRef table_;
  std::vector<std::string> header_;
  bool first_ = true;
};

// An object's items, piece by piece: the pool decompresses and parses, the loop gets what is ready
// to be written. One piece and the longest line are in memory.
class ImportObject {
 public:
  struct Entry {
    Result<Item> item;  // ValidationException: this item only
    size_t bytes = 0;   // of the item
  };
  struct Piece {
    std::vector<Entry> entries;      // in the object's order
    int64_t bytes = 0;               // of the object, decompressed
    std::optional<AwsError> broken;  // after the entries; what follows means nothing
    bool last = false;
  };
  ImportObject(std::unique_ptr<async::ByteSource> content, ImportFormat format, CsvOptions csv,
               TableRef table, async::Pool& pool)
      : content_(std::move(content)),
        lines_(format),
        parser_(format, std::move(csv), std::move(table)),
        pool_(pool) {}
  // Errors are the source's.
  Task<Piece> next();

 private:
  Piece parse(std::string_view bytes);

  const std::unique_ptr<async::ByteSource> content_;
  ImportLines lines_;
  ImportParser parser_;
  async::Pool& pool_;
};

// The values of a CSV line. SerializationException: a quote that is neither around a value nor
// doubled.
Result<std::vector<std::string>> split_csv(std::string_view line, char delimiter);

}  // namespace virga::dynamodb
