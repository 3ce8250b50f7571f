#include "services/s3/copy_source.h"

#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

AwsError bad_source(std::string_view header) {
  return errors::invalid_argument(
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      "x-amz-copy-source", header);
}

}  // namespace

Result<CopySource> parse_copy_source(std::string_view header) {
  constexpr std::string_view kVersion = "?versionId=";
  std::string_view text = header;
  std::optional<std::string> version_id;
  if (const auto question = text.rfind(kVersion); question != std::string_view::npos) {
    version_id = text.substr(question + kVersion.size());
    text = text.substr(0, question);
  }
  auto decoded = percent_decode(text);
  if (!decoded) return fail(bad_source(header));
  std::string_view path = *decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == path.size())
    return fail(bad_source(header));
  return CopySource{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1)),
                    std::move(version_id)};
}

Result<ObjectVersion> find_copied(const S3Reader& s3, const Bucket& bucket,
                                  const CopySource& source, Timestamp now) {
  auto found = find_object(s3, bucket, source.key, source.version_id, "GET");
  if (!found && found.error().code == "MethodNotAllowed") {
    return fail(
        errors::invalid_request("The source of a copy request may not specifically refer to a "
                                "delete marker by version id."));
  }
  if (found && is_out_of_reach(*found, now)) {
    return fail(errors::make("InvalidObjectState", 403,
                             "Operation is not valid for the source object's storage class"));
  }
  return found;
}

}  // namespace virga::s3
