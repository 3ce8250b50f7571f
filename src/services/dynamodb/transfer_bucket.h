#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/s3/client.h"
#include "async/byte_stream.h"
#include "aws/door.h"

// A bucket as exports and imports use it: as the one who asked for them, through S3's own door.
// Errors are S3's.
namespace virga::dynamodb {

class TransferBucket {
 public:
  struct Options {
    std::string bucket;
    std::optional<std::string> owner;          // S3BucketOwner
    std::optional<std::string> sse_algorithm;  // AES256 or KMS, as exports call them
    std::optional<std::string> kms_key_id;
    Principal caller;
    std::string region;  // of the table; the bucket may be in another
  };
  TransferBucket(aws::Door& door, Options options)
      : client_(door), options_(std::move(options)), region_(options_.region) {}

  struct Page {
    std::vector<std::string> keys;
    std::optional<std::string> next;  // continuation token
  };
  // Objects whose keys begin with the prefix, at most `max` of them.
  Task<Page> list(std::string prefix, std::optional<std::string> continuation, int32_t max);
  Task<std::unique_ptr<async::ByteSource>> open(std::string key);
  Task<void> put(std::string key, std::string content);
  // One part of an upload, so that a source of unknown length needs no memory. The entity tag.
  Task<std::string> upload(std::string key, std::unique_ptr<async::ByteSource> content);

  // The latest refusal of S3's, if there was one.
  const std::optional<AwsError>& refusal() const { return refusal_; }
  void forget_refusal() { refusal_.reset(); }

 private:
  // Calls again where the bucket is elsewhere; remembers refusals.
  template <class Out, class Make>
  Task<Out> call_s3(Make make);
  aws::CallContext call() const;
  // Where the bucket is, when S3 says that it is elsewhere; false: the error is another one.
  bool moved(const AwsError& error);
  template <class Input>
  void protect(Input& input) const;
  Task<std::string> upload_part(std::string key, std::string upload_id,
                                std::unique_ptr<async::ByteSource> content);

  s3::api::Client client_;
  Options options_;
  std::string region_;
  std::optional<AwsError> refusal_;
};

}  // namespace virga::dynamodb
