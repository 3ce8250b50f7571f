#include "platform/s3_wire.h"

#include <gtest/gtest.h>

namespace virga::platform {
namespace {

TEST(BucketOfHost, finds_buckets_before_s3_and_localhost) {
  EXPECT_EQ(bucket_of_host("b.s3.localhost"), "b");
  EXPECT_EQ(bucket_of_host("my.dotted.bucket.s3.us-east-1.amazonaws.com"), "my.dotted.bucket");
  EXPECT_EQ(bucket_of_host("b.s3-us-west-2.amazonaws.com"), "b");
  EXPECT_EQ(bucket_of_host("b.localhost"), "b");
  EXPECT_EQ(bucket_of_host("b.localhost.localstack.cloud"), "b");
  for (const char* none : {"s3.localhost", "s3.us-east-1.amazonaws.com", "localhost", "127.0.0.1",
                           "us-east-1.localhost", "example.com", ""}) {
    EXPECT_EQ(bucket_of_host(none), "") << none;
  }
}

TEST(S3Wire, puts_the_bucket_into_the_path_and_links_parameters_into_headers) {
  const auto request = net::make_memory_request(
      "PUT", "/k%20y?x-amz-acl=private&X-Amz-Signature=s&x-amz-meta-a=b%20c&versionId=v",
      {{"Host", "b.s3.localhost:4566"}}, "");
  const S3Wire wire(*request);
  EXPECT_EQ(wire.path, "/b/k%20y");
  ASSERT_EQ(wire.headers.size(), 3u);
  EXPECT_EQ(wire.headers[1].name, "x-amz-acl");
  EXPECT_EQ(wire.headers[2].value, "b c");
}

}  // namespace
}  // namespace virga::platform
