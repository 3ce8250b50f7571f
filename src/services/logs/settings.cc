#include "services/logs/settings.h"

#include "base/json.h"

namespace virga::logs {
namespace {

constexpr char kFormat = 1;

}  // namespace

std::string encode_setting(const aws::StructDesc& shape, const void* object) {
  std::string out(1, kFormat);
  append_json(out, aws::write_document(shape, object));
  return out;
}

Result<void> decode_setting(std::string_view bytes, const aws::StructDesc& shape, void* object) {
  if (bytes.empty() || bytes.front() != kFormat)
    return fail(internal_failure("logs setting of an unknown format"));
  VIRGA_TRY(parsed, parse_json(bytes.substr(1)));
  aws::DecodeNotes notes;
  return aws::read_document(parsed, shape, object, notes);
}

}  // namespace virga::logs
