#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace virga {

// A DynamoDB number: up to 38 significant decimal digits, magnitude 1E-130 to 9.99…E+125, or zero
// (which has no sign). Always normalised: no leading or trailing zero digits, so equal numbers have
// equal members. A value type of 48 bytes. Source: DynamoDB Developer Guide, "Supported data types
// and naming rules", Number.
class Number {
 public:
  static constexpr int kDigitsMax = 38;
  static constexpr int kExponentMax = 125;
  static constexpr int kExponentMin = -130;

  Number() = default;  // zero
  // The error is AWS's validation message.
  static std::expected<Number, std::string> parse(std::string_view text);
  static Number from_int(int64_t value);
  // Exact; errors as for parse when the result has too many digits or too large or small a
  // magnitude.
  static std::expected<Number, std::string> add(const Number& a, const Number& b);
  static std::expected<Number, std::string> subtract(const Number& a, const Number& b);

  bool is_zero() const { return count_ == 0; }
  bool is_negative() const { return negative_; }
  int significant_digits() const { return count_; }
  int exponent() const { return exponent_; }  // of the first digit: 123 has 2

  // Canonical decimal text without an exponent ("0", "-1.5", "1000"), as DynamoDB prints numbers.
  // At most 170 bytes.
  std::string text() const;
  void append_text(std::string& out) const;

  // Bytes whose unsigned order is the numbers' order and of which none is a prefix of another. 1 to
  // 23 bytes.
  void append_key(std::string& out) const;
  // DynamoDB's own serialisation of a number, which its partition hash is taken of. 1 to 21 bytes.
  std::string hash_bytes() const;
  // Bytes of storage a number counts as: about one per two digits plus one. Source: DynamoDB
  // Developer Guide, "DynamoDB item sizes and formats".
  int storage_bytes() const;

  std::strong_ordering operator<=>(const Number& other) const;
  bool operator==(const Number& other) const { return (*this <=> other) == 0; }

 private:
  static std::expected<Number, std::string> make(bool negative, const uint8_t* digits, int count,
                                                 int exponent);
  std::strong_ordering compare_magnitude(const Number& other) const;

  bool negative_ = false;
  uint8_t count_ = 0;
  int16_t exponent_ = 0;
  uint8_t digits_[kDigitsMax] = {};
};

}  // namespace virga
