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
  const auto value = [&](std::string_view name) {
    for (const auto& h : wire.headers) {
      if (h.name == name) return std::string(h.value);
    }
    return std::string("none");
  };
  EXPECT_EQ(value("x-amz-acl"), "private");
  EXPECT_EQ(value("x-amz-meta-a"), "b c");
  EXPECT_EQ(value("X-Amz-Signature"), "none");
}

}  // namespace
}  // namespace virga::platform
