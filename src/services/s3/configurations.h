#pragma once

#include <string>
#include <string_view>

#include "aws/document_codec.h"
#include "base/json.h"

// A bucket's configurations as they are kept (S3Reader::config): a name each, and the model's
// structure as a JSON object. docs/formats/s3.md.
namespace virga::s3 {

namespace config {
inline constexpr std::string_view kAccelerate = "accelerate";  // AWS's word
inline constexpr std::string_view kAcl = "acl";                // encode_acl
inline constexpr std::string_view kAnalytics = "analytics";    // named_configurations.cc
inline constexpr std::string_view kCors = "cors";
inline constexpr std::string_view kEncryption = "encryption";
inline constexpr std::string_view kIntelligentTiering = "intelligent-tiering";
inline constexpr std::string_view kInventory = "inventory";
inline constexpr std::string_view kLifecycle = "lifecycle";
inline constexpr std::string_view kLifecycleTimer = "lifecycle-timer";  // when it is due next
inline constexpr std::string_view kLocation = "location";  // the LocationConstraint as it was given
inline constexpr std::string_view kLogging = "logging";
inline constexpr std::string_view kMetrics = "metrics";
inline constexpr std::string_view kNotification = "notification";
inline constexpr std::string_view kObjectLock = "object-lock";
inline constexpr std::string_view kOwnership = "ownership";  // AWS's word
inline constexpr std::string_view kPolicy = "policy";        // the text as it came
inline constexpr std::string_view kPublicAccessBlock = "public-access-block";
inline constexpr std::string_view kRequestPayment = "request-payment";  // unset: BucketOwner
inline constexpr std::string_view kTagging = "tagging";
inline constexpr std::string_view kWebsite = "website";
}  // namespace config

template <class T>
std::string encode_config(const T& value) {
  return to_json(aws::write_document(T::descriptor(), &value));
}

template <class T>
Result<T> decode_config(std::string_view bytes) {
  VIRGA_TRY(document, parse_json(bytes));
  T value;
  aws::DecodeNotes notes;
  VIRGA_TRY_VOID(aws::read_document(document, T::descriptor(), &value, notes));
  return value;
}

}  // namespace virga::s3
