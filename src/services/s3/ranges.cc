#include "services/s3/ranges.h"

#include <algorithm>
#include <memory>

#include "base/document.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr std::string_view kUnit = "bytes=";

std::optional<uint64_t> number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  const auto value = parse_int(text);
  return value ? static_cast<uint64_t>(*value) : UINT64_MAX;  // of too many digits: past every end
}

AwsError not_satisfiable(std::string_view header, uint64_t size) {
  return {.code = "InvalidRange",
          .http_status = 416,
          .message = "The requested range is not satisfiable",
          .detail = std::make_shared<const Document>(
              Document::object()
                  .set("RangeRequested", header)
                  .set("ActualObjectSize", static_cast<int64_t>(size)))};
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view header, uint64_t size) {
  const std::string_view text = trim(header);
  if (text.size() < kUnit.size() || !iequals(text.substr(0, kUnit.size()), kUnit))
    return std::nullopt;
  const std::string_view spec = trim(text.substr(kUnit.size()));
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos)
    return std::nullopt;
  const auto first = number(trim(spec.substr(0, dash)));
  const std::string_view rest = trim(spec.substr(dash + 1));
  const auto last = number(rest);
  if (!rest.empty() && !last) return std::nullopt;
  if (!first) {
    if (!last || dash != 0) return std::nullopt;
    if (*last == 0 || size == 0) return fail(not_satisfiable(header, size));
    const uint64_t count = std::min(*last, size);
    return std::optional<ByteRange>({size - count, count});
  }
  if (last && *last < *first) return std::nullopt;
  if (*first >= size) return fail(not_satisfiable(header, size));
  const uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  return std::optional<ByteRange>({*first, end - *first + 1});
}

Result<ByteRange> parse_copy_range(std::string_view text, uint64_t size) {
  const auto spec = text.starts_with(kUnit) ? text.substr(kUnit.size()) : std::string_view();
  const auto dash = spec.find('-');
  const auto first = number(spec.substr(0, dash));
  const auto last = dash == std::string_view::npos ? std::nullopt : number(spec.substr(dash + 1));
  if (!first || !last || *last < *first) {
    return fail(
        errors::invalid_argument("The x-amz-copy-source-range value must be of the form "
                                 "bytes=first-last where first and last are the zero-based "
                                 "offsets of the first and last bytes to copy",
                                 "x-amz-copy-source-range", text));
  }
  if (*last >= size) {
    return fail(errors::invalid_argument(
        "Range specified is not valid for source object of size: " + std::to_string(size),
        "x-amz-copy-source-range", text));
  }
  return ByteRange{*first, *last - *first + 1};
}

std::string content_range(const ByteRange& range, uint64_t size) {
  return "bytes " + std::to_string(range.begin) + "-" +
         std::to_string(range.begin + range.count - 1) + "/" + std::to_string(size);
}

}  // namespace virga::s3
