#include "services/dynamodb/transfer_bucket.h"

#include "api/s3/abort_multipart_upload.h"
#include "api/s3/complete_multipart_upload.h"
#include "api/s3/create_multipart_upload.h"
#include "api/s3/get_object.h"
#include "api/s3/list_objects_v2.h"
#include "api/s3/put_object.h"
#include "api/s3/upload_part.h"
#include "base/document.h"

namespace virga::dynamodb {

aws::CallContext TransferBucket::call() const {
  aws::CallContext out;
  out.principal = options_.caller;
  out.account = options_.caller.account;
  out.region = region_;
  return out;
}

bool TransferBucket::moved(const AwsError& error) {
  if (error.http_status != 301 || !error.detail) return false;
  const std::string region(error.detail->string_or("@x-amz-bucket-region", ""));
  if (region.empty() || region == region_) return false;
  region_ = region;
  return true;
}

template <class Input>
void TransferBucket::protect(Input& input) const {
  input.expected_bucket_owner = options_.owner;
  if (!options_.sse_algorithm) return;
  const bool kms = *options_.sse_algorithm == "KMS";
  input.server_side_encryption = kms ? "aws:kms" : *options_.sse_algorithm;
  if (kms) input.ssekms_key_id = options_.kms_key_id;
}

// `make` starts the call.
template <class Out, class Make>
Task<Out> TransferBucket::call_s3(Make make) {
  for (;;) {
    Task<Out> calling = make();
    Result<Out> got = co_await as_result(std::move(calling));
    if (got) co_return std::move(*got);
    if (moved(got.error())) continue;
    if (got.error().http_status < 500) refusal_ = got.error();
    co_return fail(std::move(got.error()));
  }
}

Task<TransferBucket::Page> TransferBucket::list(std::string prefix,
                                                std::optional<std::string> continuation,
                                                int32_t max) {
  const auto got = co_await call_s3<s3::api::ListObjectsV2Output>([&] {
    s3::api::ListObjectsV2Input input;
    input.bucket = options_.bucket;
    input.prefix = prefix;
    input.continuation_token = continuation;
    input.max_keys = max;
    input.expected_bucket_owner = options_.owner;
    return client_.list_objects_v2(call(), std::move(input));
  });
  Page page;
  if (got.contents) {
    for (const auto& object : *got.contents) page.keys.push_back(object.key.value_or(""));
  }
  page.next = got.next_continuation_token;
  co_return std::move(page);
}

Task<std::unique_ptr<async::ByteSource>> TransferBucket::open(std::string key) {
  auto got = co_await call_s3<s3::api::GetObjectOutput>([&] {
    s3::api::GetObjectInput input;
    input.bucket = options_.bucket;
    input.key = key;
    input.expected_bucket_owner = options_.owner;
    return client_.get_object(call(), std::move(input));
  });
  std::unique_ptr<async::ByteSource> body = std::move(got.body);
  if (!body) body = std::make_unique<async::StringSource>("");
  co_return std::move(body);
}

Task<void> TransferBucket::put(std::string key, std::string content) {
  const auto put = co_await call_s3<s3::api::PutObjectOutput>([&] {
    s3::api::PutObjectInput input;
    input.bucket = options_.bucket;
    input.key = key;
    protect(input);
    input.body = std::make_unique<async::StringSource>(content);
    return client_.put_object(call(), std::move(input));
  });
  ignore(put, "its tag is not asked for");
  co_return ok();
}

Task<std::string> TransferBucket::upload(std::string key,
                                         std::unique_ptr<async::ByteSource> content) {
  const auto begun = co_await call_s3<s3::api::CreateMultipartUploadOutput>([&] {
    s3::api::CreateMultipartUploadInput input;
    input.bucket = options_.bucket;
    input.key = key;
    protect(input);
    return client_.create_multipart_upload(call(), std::move(input));
  });
  const std::string upload_id = begun.upload_id.value_or("");
  auto uploading = upload_part(key, upload_id, std::move(content));
  const Result<std::string> etag = co_await as_result(std::move(uploading));
  if (etag) co_return *etag;
  s3::api::AbortMultipartUploadInput abort;
  abort.bucket = options_.bucket;
  abort.key = key;
  abort.upload_id = upload_id;
  auto aborting = client_.abort_multipart_upload(call(), std::move(abort));
  const auto aborted = co_await as_result(std::move(aborting));
  ignore(aborted, "the upload's own error tells more");
  co_return fail(etag.error());
}

Task<std::string> TransferBucket::upload_part(std::string key, std::string upload_id,
                                              std::unique_ptr<async::ByteSource> content) {
  const auto sent = co_await call_s3<s3::api::UploadPartOutput>([&] {
    s3::api::UploadPartInput input;
    input.bucket = options_.bucket;
    input.key = key;
    input.upload_id = upload_id;
    input.part_number = 1;
    input.body = std::move(content);
    return client_.upload_part(call(), std::move(input));
  });
  const auto done = co_await call_s3<s3::api::CompleteMultipartUploadOutput>([&] {
    s3::api::CompleteMultipartUploadInput input;
    input.bucket = options_.bucket;
    input.key = key;
    input.upload_id = upload_id;
    auto& part = input.multipart_upload.emplace().parts.emplace().emplace_back();
    part.part_number = 1;
    part.e_tag = sent.e_tag;
    return client_.complete_multipart_upload(call(), std::move(input));
  });
  std::string etag = done.e_tag.value_or("");
  std::erase(etag, '"');
  co_return std::move(etag);
}

}  // namespace virga::dynamodb
