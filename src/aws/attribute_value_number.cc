#include "aws/attribute_value_number.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"

namespace virga {
namespace {

constexpr const char* kOverflow =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
constexpr const char* kUnderflow =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";
constexpr const char* kTooManyDigits =
    "Attempting to store more than 38 significant digits in a Number";

std::unexpected<std::string> not_numeric(std::string_view text) {
  if (text.empty())
    return std::unexpected<std::string>("The parameter cannot be converted to a numeric value");
  return std::unexpected("The parameter cannot be converted to a numeric value: " +
                         std::string(text));
}

}  // namespace

// Digits may have zeros at both ends; `exponent` is that of digits[0].
std::expected<Number, std::string> Number::make(bool negative, const uint8_t* digits, int count,
                                                int exponent) {
  while (count > 0 && digits[count - 1] == 0) --count;
  while (count > 0 && digits[0] == 0) {
    ++digits;
    --count;
    --exponent;
  }
  Number out;
  if (count == 0) return out;
  if (exponent > kExponentMax) return std::unexpected<std::string>(kOverflow);
  if (exponent < kExponentMin) return std::unexpected<std::string>(kUnderflow);
  if (count > kDigitsMax) return std::unexpected<std::string>(kTooManyDigits);
  out.negative_ = negative;
  out.count_ = static_cast<uint8_t>(count);
  out.exponent_ = static_cast<int16_t>(exponent);
  std::memcpy(out.digits_, digits, static_cast<size_t>(count));
  return out;
}

std::expected<Number, std::string> Number::parse(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+')) negative = *p++ == '-';

  // Only digits from the first significant one on are kept, and only one past the limit: the rest
  // is counted.
  uint8_t digits[kDigitsMax + 1];
  int kept = 0;
  int64_t exponent = -1;  // of the first kept digit, before the E part
  bool any = false, point = false, dropped_nonzero = false;
  int64_t integer_digits = 0, leading_fraction_zeros = 0;
  for (; p != end; ++p) {
    if (*p == '.') {
      if (point) return not_numeric(text);
      point = true;
      continue;
    }
    if (!is_digit(*p)) break;
    any = true;
    const auto digit = static_cast<uint8_t>(*p - '0');
    if (kept == 0 && digit == 0) {
      if (point) ++leading_fraction_zeros;
      continue;
    }
    if (!point) ++integer_digits;
    if (kept == 0) exponent = point ? -1 - leading_fraction_zeros : 0;
    if (kept <= kDigitsMax) {
      digits[kept++] = digit;
    } else {
      dropped_nonzero |= digit != 0;
    }
  }
  if (!any) return not_numeric(text);
  if (integer_digits > 0) exponent = integer_digits - 1;

  int64_t scale = 0;
  if (p != end) {
    if (*p != 'e' && *p != 'E') return not_numeric(text);
    ++p;
    bool scale_negative = false;
    if (p != end && (*p == '-' || *p == '+')) scale_negative = *p++ == '-';
    if (p == end) return not_numeric(text);
    for (; p != end; ++p) {
      if (!is_digit(*p)) return not_numeric(text);
      if (scale < 1'000'000) scale = scale * 10 + (*p - '0');  // far beyond the range already
    }
    if (scale_negative) scale = -scale;
  }
  if (kept == 0) return Number();
  exponent += scale;
  if (exponent > kExponentMax) return std::unexpected<std::string>(kOverflow);
  if (exponent < kExponentMin) return std::unexpected<std::string>(kUnderflow);
  if (dropped_nonzero) return std::unexpected<std::string>(kTooManyDigits);
  return make(negative, digits, kept, static_cast<int>(exponent));
}

Number Number::from_int(int64_t value) {
  return *parse(std::to_string(value));
}

std::strong_ordering Number::compare_magnitude(const Number& other) const {
  if (is_zero() || other.is_zero()) return count_ <=> other.count_;
  if (exponent_ != other.exponent_) return exponent_ <=> other.exponent_;
  const int common = std::min(count_, other.count_);
  const int order = std::memcmp(digits_, other.digits_, static_cast<size_t>(common));
  if (order != 0) return order <=> 0;
  return count_ <=> other.count_;
}

std::strong_ordering Number::operator<=>(const Number& other) const {
  if (negative_ != other.negative_)
    return negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const auto order = compare_magnitude(other);
  return negative_ ? 0 <=> order : order;
}

std::expected<Number, std::string> Number::add(const Number& a, const Number& b) {
  if (a.is_zero()) return b;
  if (b.is_zero()) return a;
  // Column 0 holds a possible carry, column 1 the digits of the higher exponent. At most 1 + 256 +
  // 38 columns.
  const int top = std::max(a.exponent_, b.exponent_);
  const int bottom = std::min(a.exponent_ - a.count_ + 1, b.exponent_ - b.count_ + 1);
  const int columns = top - bottom + 2;
  int8_t sum[300] = {};
  const bool a_larger = a.compare_magnitude(b) >= 0;
  const Number& large = a_larger ? a : b;
  const Number& small = a_larger ? b : a;
  for (int i = 0; i < large.count_; ++i)
    sum[1 + top - large.exponent_ + i] = static_cast<int8_t>(large.digits_[i]);
  const int sign = a.negative_ == b.negative_ ? 1 : -1;
  for (int i = 0; i < small.count_; ++i) {
    sum[1 + top - small.exponent_ + i] =
        static_cast<int8_t>(sum[1 + top - small.exponent_ + i] + sign * small.digits_[i]);
  }
  for (int i = columns - 1; i > 0; --i) {
    if (sum[i] < 0) {
      sum[i] = static_cast<int8_t>(sum[i] + 10);
      --sum[i - 1];
    } else if (sum[i] > 9) {
      sum[i] = static_cast<int8_t>(sum[i] - 10);
      ++sum[i - 1];
    }
  }
  return make(large.negative_, reinterpret_cast<const uint8_t*>(sum), columns, top + 1);
}

std::expected<Number, std::string> Number::subtract(const Number& a, const Number& b) {
  Number minus = b;
  if (!minus.is_zero()) minus.negative_ = !minus.negative_;
  return add(a, minus);
}

std::string Number::text() const {
  std::string out;
  append_text(out);
  return out;
}

void Number::append_text(std::string& out) const {
  if (is_zero()) {
    out.push_back('0');
    return;
  }
  if (negative_) out.push_back('-');
  if (exponent_ < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent_ - 1), '0');
    for (int i = 0; i < count_; ++i) out.push_back(static_cast<char>('0' + digits_[i]));
    return;
  }
  for (int i = 0; i < count_; ++i) {
    if (i == exponent_ + 1) out.push_back('.');
    out.push_back(static_cast<char>('0' + digits_[i]));
  }
  if (exponent_ >= count_) out.append(static_cast<size_t>(exponent_ + 1 - count_), '0');
}

// sign (0x40 negative, 0x80 zero, 0xc0 positive), exponent, digit pairs, end mark; a negative
// number's bytes after the sign are complemented, so that larger magnitudes come first.
void Number::append_key(std::string& out) const {
  if (is_zero()) {
    out.push_back(static_cast<char>(0x80));
    return;
  }
  const unsigned flip = negative_ ? 0xff : 0;
  out.push_back(static_cast<char>(negative_ ? 0x40 : 0xc0));
  out.push_back(static_cast<char>(static_cast<unsigned>(exponent_ - kExponentMin) ^ flip));
  for (int i = 0; i < count_; i += 2) {
    const unsigned pair = digits_[i] * 10u + (i + 1 < count_ ? digits_[i + 1] : 0u) + 1;
    out.push_back(static_cast<char>(pair ^ flip));
  }
  out.push_back(static_cast<char>(0 ^ flip));
}

// Base-100 digits with a biased exponent byte, negative ones complemented and closed by 102: the
// form in which Oracle's and DynamoDB's number types sort. Confirmed against recorded Scan orders
// of the service.
std::string Number::hash_bytes() const {
  std::string out;
  if (is_zero()) {
    out.push_back(static_cast<char>(0x80));
    return out;
  }
  const int point = exponent_ + 1;  // digits before the decimal point
  const int odd = point % 2 != 0 ? 1 : 0;
  const int half = point + odd >= 0 ? (point + odd) / 2 : -((-(point + odd)) / 2);
  int first = half - 64;
  if (negative_) first = ~first;
  out.push_back(static_cast<char>(first));
  for (int i = -odd; i < count_; i += 2) {
    const int tens = i < 0 ? 0 : digits_[i];
    const int ones = i + 1 < count_ ? digits_[i + 1] : 0;
    const int pair = tens * 10 + ones;
    out.push_back(static_cast<char>(negative_ ? 101 - pair : pair + 1));
  }
  if (negative_ && out.size() <= 20) out.push_back(102);
  return out;
}

int Number::storage_bytes() const {
  if (is_zero()) return 1;
  // Digits are stored in pairs aligned to the decimal point.
  const int aligned = (exponent_ % 2 == 0 ? 1 : 0) + count_;
  return 1 + (aligned + 1) / 2 + (negative_ ? 1 : 0);
}

}  // namespace virga
