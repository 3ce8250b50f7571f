#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "aws/operation.h"
#include "base/error.h"
#include "net/http_message.h"
#include "net/http_server.h"

// What is particular about S3's requests before they are decoded.
namespace virga::platform {

// The bucket named by the host: "{bucket}.s3.{anything}", "{bucket}.s3-{region}.…",
// "{bucket}.localhost" and
// "{bucket}.localhost.localstack.cloud"; empty for path style. `host` is in lower case and has no
// port. Source: S3 User Guide, "Virtual hosting of general purpose buckets".
std::string_view bucket_of_host(std::string_view host);
// The bucket whose website a host is: "{bucket}.s3-website.{anything}",
// "{bucket}.s3-website-{region}.…"; empty for others. Source: S3 User Guide, "Website endpoints".
std::string_view website_bucket_of_host(std::string_view host);
// Whether the host is one of S3's own: "s3.…", "s3-{region}.…" or a bucket's below them.
bool is_s3_host(std::string_view host);

// A request in path style, and with its x-amz-… query parameters as headers, which links made for
// browsers have instead. Source: S3 API Reference, "Authenticating Requests: Using Query
// Parameters".
struct S3Wire {
  std::string path;
  std::vector<net::HeaderView> headers;

  explicit S3Wire(const net::HttpRequest& request);

 private:
  std::deque<std::string> storage_;
};

// What a read says of encryption by S3's or KMS's keys is refused: InvalidArgument. Source: S3 API
// Reference, GetObject and HeadObject, "Encryption".
Result<void> check_s3_headers(const std::vector<net::HeaderView>& headers,
                              const aws::OperationDesc& op);

// Holds a body that is in memory against Content-MD5, x-amz-checksum-… and x-amz-content-sha256.
// Errors: BadDigest, InvalidDigest, InvalidRequest, XAmzContentSHA256Mismatch.
Result<void> check_s3_body(const std::vector<net::HeaderView>& headers,
                           const aws::OperationDesc& op, std::string_view body);

}  // namespace virga::platform
