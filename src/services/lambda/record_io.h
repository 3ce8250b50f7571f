#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/error.h"
#include "base/time.h"

// How Lambda's records are written and read: a format byte and a JSON object.
namespace virga::lambda {

std::string finish_record(const Document& document);
// An unreadable record is our fault: InternalFailure.
Result<Document> open_record(std::string_view bytes);

Document texts_document(const std::map<std::string, std::string>& map);
Document list_document(const std::vector<std::string>& list);
inline Document number_document(uint64_t value) {
  return Document(static_cast<int64_t>(value));
}

// Reads members; what is absent keeps its default, so that a record of an older release reads well.
class RecordReader {
 public:
  explicit RecordReader(const Document& document) : document_(document) {}
  void text(std::string_view key, std::string& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_string()) out = d->as_string();
  }
  template <class T>
  void number(std::string_view key, T& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_int()) out = static_cast<T>(d->as_int());
  }
  template <class T>
  void number(std::string_view key, std::optional<T>& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_int()) out = static_cast<T>(d->as_int());
  }
  void flag(std::string_view key, bool& out) const {
    const Document* d = document_.find(key);
    if (d && d->is_bool()) out = d->as_bool();
  }
  void time(std::string_view key, Timestamp& out) const { number(key, out.micros); }
  void texts(std::string_view key, std::map<std::string, std::string>& out) const;
  void list(std::string_view key, std::vector<std::string>& out) const;
  // The member itself, or null.
  const Document* find(std::string_view key) const { return document_.find(key); }

 private:
  const Document& document_;
};

}  // namespace virga::lambda
