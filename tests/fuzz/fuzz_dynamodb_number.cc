#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aws/attribute_value_number.h"
#include "base/check.h"

// What parses as a number prints canonically, and its key, order and sums agree with each other.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using virga::Number;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t middle = text.find(' ');
  const auto a = Number::parse(text.substr(0, middle));
  if (!a) return 0;
  const auto again = Number::parse(a->text());
  CHECK(again && *again == *a && again->text() == a->text());
  CHECK(!a->hash_bytes().empty() && a->storage_bytes() <= 22);
  if (middle == std::string_view::npos) return 0;
  const auto b = Number::parse(text.substr(middle + 1));
  if (!b) return 0;
  std::string key_a, key_b;
  a->append_key(key_a);
  b->append_key(key_b);
  CHECK((key_a < key_b) == (*a < *b) && (key_a == key_b) == (*a == *b));
  const auto sum = Number::add(*a, *b), other = Number::add(*b, *a);
  CHECK(sum.has_value() == other.has_value());
  if (sum) CHECK(*sum == *other);
  const auto zero = Number::subtract(*a, *a);
  CHECK(zero && zero->is_zero());
  return 0;
}
