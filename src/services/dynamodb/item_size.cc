#include "services/dynamodb/item_size.h"

#include "aws/attribute_value_number.h"

namespace virga::dynamodb {
namespace {

// Stored numbers are canonical; a damaged one counts as the bytes that it takes.
size_t number_bytes(std::string_view text) {
  const auto number = Number::parse(text);
  return number ? static_cast<size_t>(number->storage_bytes()) : text.size();
}

}  // namespace

size_t attribute_bytes(ValueView value) {
  switch (value.type()) {
    case AttributeType::string:
    case AttributeType::binary:
      return value.payload().size();
    case AttributeType::number:
      return number_bytes(value.payload());
    case AttributeType::boolean:
    case AttributeType::null:
      return 1;
    case AttributeType::string_set:
    case AttributeType::binary_set: {
      size_t sum = 0;
      for (const auto member : value.set()) sum += member.size();
      return sum;
    }
    case AttributeType::number_set: {
      size_t sum = 0;
      for (const auto member : value.set()) sum += number_bytes(member);
      return sum;
    }
    case AttributeType::list: {
      size_t sum = 3;
      for (const auto element : value.list()) sum += 1 + attribute_bytes(element);
      return sum;
    }
    case AttributeType::map: {
      size_t sum = 3;
      for (const auto member : value.map())
        sum += 1 + member.name.size() + attribute_bytes(member.value);
      return sum;
    }
  }
  return 0;
}

size_t item_bytes(ItemView item) {
  size_t sum = 0;
  for (const auto member : item) sum += member.name.size() + attribute_bytes(member.value);
  return sum;
}

}  // namespace virga::dynamodb
