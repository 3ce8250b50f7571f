#include "services/s3/errors.h"

#include <utility>

#include "base/document.h"

namespace virga::s3::errors {
namespace {

AwsError with(std::string code, int status, std::string message, Document detail) {
  return {.code = std::move(code),
          .http_status = status,
          .message = std::move(message),
          .detail = std::make_shared<const Document>(std::move(detail))};
}

}  // namespace

AwsError make(std::string code, int status, std::string message) {
  return {.code = std::move(code),
          .http_status = status,
          .message = std::move(message),
          .detail = nullptr};
}
AwsError make(std::string code, int status, std::string message, std::string_view name,
              std::string_view value) {
  return with(std::move(code), status, std::move(message), Document::object().set(name, value));
}

AwsError no_such_bucket(std::string_view bucket) {
  return make("NoSuchBucket", 404, "The specified bucket does not exist", "BucketName", bucket);
}
AwsError bucket_already_exists(std::string_view bucket) {
  return make("BucketAlreadyExists", 409,
              "The requested bucket name is not available. The bucket namespace is shared by all "
              "users of the system. Please "
              "select a different name and try again.",
              "BucketName", bucket);
}
AwsError bucket_already_owned(std::string_view bucket) {
  return make("BucketAlreadyOwnedByYou", 409,
              "Your previous request to create the named bucket succeeded and you already own it.",
              "BucketName", bucket);
}
AwsError bucket_not_empty(std::string_view bucket) {
  return make("BucketNotEmpty", 409, "The bucket you tried to delete is not empty", "BucketName",
              bucket);
}
AwsError invalid_bucket_name(std::string_view bucket) {
  return make("InvalidBucketName", 400, "The specified bucket is not valid.", "BucketName", bucket);
}
AwsError access_denied() {
  return make("AccessDenied", 403, "Access Denied");
}
AwsError no_such_key(std::string_view key) {
  return make("NoSuchKey", 404, "The specified key does not exist.", "Key", key);
}
AwsError no_such_version(std::string_view key, std::string_view version_id) {
  return with("NoSuchVersion", 404, "The specified version does not exist.",
              Document::object().set("Key", key).set("VersionId", version_id));
}
AwsError no_such_upload(std::string_view upload_id) {
  return make("NoSuchUpload", 404,
              "The specified upload does not exist. The upload ID may be invalid, or the upload "
              "may have been aborted or "
              "completed.",
              "UploadId", upload_id);
}
AwsError invalid_argument(std::string message, std::string_view name, std::string_view value) {
  return with("InvalidArgument", 400, std::move(message),
              Document::object().set("ArgumentName", name).set("ArgumentValue", value));
}
AwsError invalid_request(std::string message) {
  return make("InvalidRequest", 400, std::move(message));
}
AwsError malformed_xml() {
  return make(
      "MalformedXML", 400,
      "The XML you provided was not well-formed or did not validate against our published schema");
}
AwsError method_not_allowed(std::string_view method, std::string_view resource_type) {
  return with("MethodNotAllowed", 405, "The specified method is not allowed against this resource.",
              Document::object().set("Method", method).set("ResourceType", resource_type));
}
AwsError not_implemented_header(std::string_view header) {
  Document detail = Document::object().set("Header", header);
  return with("NotImplemented", 501,
              "A header you provided implies functionality that is not implemented",
              std::move(detail));
}

}  // namespace virga::s3::errors
