#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/byte_stream.h"
#include "aws/attribute_value.h"
#include "services/dynamodb/table.h"

// Items out of the objects of an import. Source: DynamoDB Developer Guide, "Amazon S3 import
// formats for DynamoDB".
namespace virga::dynamodb {

enum class ImportFormat { dynamodb_json, ion, csv };

// The content of an object of this InputCompressionType: NONE, GZIP or ZSTD.
std::unique_ptr<async::ByteSource> decompressed(std::unique_ptr<async::ByteSource> body,
                                                std::string_view compression);

// The lines of a source, without their ends. In CSV a line's end between quotes is part of the
// value.
class ImportLines {
 public:
  ImportLines(std::unique_ptr<async::ByteSource> source, ImportFormat format);
  // Nothing: the source has ended. Errors: those of the source; SerializationException for a line
  // that no item needs.
  Task<std::optional<std::string>> next();
  int64_t bytes() const { return bytes_; }  // read so far

 private:
  // The end of the line that begins at `begin_`, when it is there.
  std::optional<size_t> find_end();

  std::unique_ptr<async::ByteSource> source_;
  const bool quotes_;
  std::string buffer_;
  size_t begin_ = 0, looked_ = 0;  // of the line; behind what was searched for its end
  bool in_quotes_ = false, ended_ = false;
  int64_t bytes_ = 0;
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

// The values of a CSV line. SerializationException: a quote that is neither around a value nor
// doubled.
Result<std::vector<std::string>> split_csv(std::string_view line, char delimiter);

}  // namespace virga::dynamodb
