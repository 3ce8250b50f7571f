#include "services/s3/event_record.h"

#include <cstdio>

#include "base/hashing.h"
#include "base/json.h"
#include "base/time.h"
#include "services/s3/listing.h"

namespace virga::s3 {
namespace {

// Source: S3 User Guide, "Event message structure".
constexpr std::string_view kEventVersion = "2.1";
constexpr std::string_view kSettingsEventVersion = "2.3";

// Of what hangs on an object, not of its content.
bool is_about_settings(std::string_view event) {
  return event.starts_with("ObjectTagging:") || event.starts_with("ObjectAcl:");
}

std::string principal_id(const Principal& principal) {
  switch (principal.kind) {
    case Principal::Kind::anonymous:
      return "Anonymous";
    case Principal::Kind::root:
      return event_owner_id(principal.account);
    default:
      return "AWS:" + principal.user_id;
  }
}

// 18 hexadecimal digits: of two events of one key the later one's are greater.
std::string sequencer(uint64_t order) {
  char text[24];
  std::snprintf(text, sizeof text, "%018llX", static_cast<unsigned long long>(order));
  return text;
}

std::string host_id(const RequestContext& request) {
  return request.request_id + "/virga";
}

}  // namespace

std::string event_owner_id(std::string_view account) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const Sha256 digest = sha256("virga s3 event owner " + std::string(account));
  std::string out = "A";
  for (size_t i = 0; i < 13; ++i) out.push_back(kAlphabet[digest[i] % 36]);
  return out;
}

ObjectEvent object_event(std::string_view name, const Bucket& bucket, const ObjectVersion& object) {
  ObjectEvent out;
  out.name = name;
  out.key = object.key;
  if (bucket.versioning == Versioning::enabled) out.version_id = object.version_id;
  out.size = object.size;
  out.etag = object.etag;
  out.storage_class = object.headers.storage_class;
  out.restored_until_millis = object.restored_until_millis;
  return out;
}

std::string event_message(const RequestContext& request, const Bucket& bucket,
                          std::string_view configuration_id, const ObjectEvent& event) {
  Document object = Document::object().set("key", url_encode_key(event.key));
  const bool settings = is_about_settings(event.name);
  if (!event.etag.empty()) {
    if (!settings) object.set("size", static_cast<int64_t>(event.size));
    object.set("eTag", event.etag);
  }
  if (!event.version_id.empty()) object.set("versionId", event.version_id);
  if (!settings) object.set("sequencer", sequencer(event.order));
  Document s3 =
      Document::object()
          .set("s3SchemaVersion", "1.0")
          .set("configurationId", configuration_id)
          .set("bucket", Document::object()
                             .set("name", bucket.name)
                             .set("ownerIdentity", Document::object().set(
                                                       "principalId", event_owner_id(bucket.owner)))
                             .set("arn", "arn:" + request.partition + ":s3:::" + bucket.name))
          .set("object", std::move(object));
  Document record =
      Document::object()
          .set("eventVersion", settings ? kSettingsEventVersion : kEventVersion)
          .set("eventSource", "aws:s3")
          .set("awsRegion", bucket.region)
          .set("eventTime", format_iso8601_millis(request.now.at))
          .set("eventName", event.name)
          .set("userIdentity",
               Document::object().set("principalId", principal_id(request.principal)))
          .set("requestParameters", Document::object().set("sourceIPAddress", request.source_ip))
          .set("responseElements", Document::object()
                                       .set("x-amz-request-id", request.request_id)
                                       .set("x-amz-id-2", host_id(request)))
          .set("s3", std::move(s3));
  if (event.name == "ObjectRestore:Completed") {
    const Timestamp until = Timestamp::from_millis(event.restored_until_millis);
    record.set("glacierEventData",
               Document::object().set(
                   "restoreEventData",
                   Document::object()
                       .set("lifecycleRestorationExpiryTime", format_iso8601_millis(until))
                       .set("lifecycleRestoreStorageClass", event.storage_class)));
  }
  Document records = Document::array();
  records.push(std::move(record));
  return to_json(Document::object().set("Records", std::move(records)));
}

std::string test_message(const RequestContext& request, std::string_view bucket) {
  return to_json(Document::object()
                     .set("Service", "Amazon S3")
                     .set("Event", "s3:TestEvent")
                     .set("Time", format_iso8601_millis(request.now.at))
                     .set("Bucket", bucket)
                     .set("RequestId", request.request_id)
                     .set("HostId", host_id(request)));
}

}  // namespace virga::s3
