#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/context.h"
#include "services/s3/records.h"

namespace virga::s3 {

// Something that happened to an object.
struct ObjectEvent {
  std::string name;  // "ObjectCreated:Put"
  std::string key;
  std::string version_id;  // empty in a bucket without versioning
  uint64_t size = 0;
  std::string etag;    // empty for what has no content any more
  uint64_t order = 0;  // rises with each event of a key
  std::string storage_class;
  int64_t restored_until_millis = 0;
};

// Of an object that has just been made or changed.
ObjectEvent object_event(std::string_view name, const Bucket& bucket, const ObjectVersion& object);

// The JSON message that S3 publishes about it. Source: S3 User Guide, "Event message structure".
std::string event_message(const RequestContext& request, const Bucket& bucket,
                          std::string_view configuration_id, const ObjectEvent& event);
// What a queue or topic gets when it is configured.
std::string test_message(const RequestContext& request, std::string_view bucket);

// Accounts as events name them: "A" and thirteen letters or digits.
std::string event_owner_id(std::string_view account);

}  // namespace virga::s3
