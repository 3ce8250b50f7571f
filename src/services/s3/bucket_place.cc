#include "services/s3/bucket_place.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr std::string_view kHome = "us-east-1";

AwsError invalid_constraint(std::string_view constraint) {
  return errors::make("InvalidLocationConstraint", 400,
                      "The specified location-constraint is not valid", "LocationConstraint",
                      constraint);
}

AwsError illegal_constraint(std::string_view constraint) {
  return errors::make("IllegalLocationConstraintException", 400,
                      "The " + std::string(constraint) +
                          " location constraint is incompatible for the region specific endpoint "
                          "this request was sent to.");
}

}  // namespace

bool is_region_name(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kPlaces{"af", "ap", "ca", "cn", "eu", "eusc",
                                                            "il", "me", "mx", "sa", "us"};
  const auto parts = split(text, '-');
  if (parts.size() < 3 || std::find(kPlaces.begin(), kPlaces.end(), parts[0]) == kPlaces.end())
    return false;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].empty() ||
        parts[i].find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string_view::npos)
      return false;
  }
  return !parts.back().empty() &&
         parts.back().find_first_not_of("0123456789") == std::string_view::npos;
}

Result<BucketPlace> place_bucket(std::string_view region,
                                 const std::optional<std::string>& constraint) {
  if (!constraint || constraint->empty()) {
    if (region != kHome) return fail(illegal_constraint("unspecified"));
    return BucketPlace{std::string(region), ""};
  }
  if (*constraint == kHome && region == kHome) return fail(invalid_constraint(*constraint));
  const std::string place = *constraint == "EU" ? "eu-west-1" : *constraint;
  if (!is_region_name(place)) return fail(invalid_constraint(*constraint));
  if (region != kHome && place != region) return fail(illegal_constraint(*constraint));
  return BucketPlace{place, *constraint};
}

}  // namespace virga::s3
