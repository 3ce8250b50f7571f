#include "services/lambda/record_io.h"

#include "base/json.h"
#include "services/lambda/records.h"

namespace virga::lambda {

std::string finish_record(const Document& document) {
  std::string out(1, kRecordFormat);
  append_json(out, document);
  return out;
}

Result<Document> open_record(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kRecordFormat)
    return fail(internal_failure("lambda record format"));
  auto parsed = parse_json(bytes.substr(1));
  if (!parsed || !parsed->is_object()) return fail(internal_failure("lambda record"));
  return std::move(*parsed);
}

Document texts_document(const std::map<std::string, std::string>& map) {
  Document out = Document::object();
  for (const auto& [key, value] : map) out.as_object().emplace_back(key, Document(value));
  return out;
}

Document list_document(const std::vector<std::string>& list) {
  Document out = Document::array();
  for (const auto& value : list) out.push(value);
  return out;
}

void RecordReader::texts(std::string_view key, std::map<std::string, std::string>& out) const {
  const Document* d = document_.find(key);
  if (!d || !d->is_object()) return;
  for (const auto& [name, value] : d->as_object()) {
    if (value.is_string()) out[name] = value.as_string();
  }
}

void RecordReader::list(std::string_view key, std::vector<std::string>& out) const {
  const Document* d = document_.find(key);
  if (!d || !d->is_array()) return;
  for (const auto& value : d->as_array()) {
    if (value.is_string()) out.push_back(value.as_string());
  }
}

}  // namespace virga::lambda
