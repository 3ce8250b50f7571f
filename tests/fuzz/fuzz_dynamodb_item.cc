#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/attribute_value_json.h"
#include "base/check.h"
#include "services/dynamodb/item_size.h"

// Bytes as TLV: whatever is_well_formed_item accepts can be walked, sized and printed. Bytes as
// DynamoDB JSON: what decodes without a problem is well-formed and comes back from its own JSON.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace virga;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (is_well_formed_item(bytes)) {
    const ItemView item(bytes);
    dynamodb::item_bytes(item);
    for (const auto member : item) item.find(member.name);
  }
  const auto item = virga::parse_item(bytes);
  if (!item || !item->problem().empty()) return 0;
  CHECK(is_well_formed_item(item->bytes()));
  std::string text;
  JsonWriter writer(text);
  write_json(writer, *item);
  const auto again = virga::parse_item(text);
  CHECK(again && again->bytes() == item->bytes());
  return 0;
}
