#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/clock.h"

namespace virga {

// Who makes a call. Made at the door from the signature (or, in open mode, from the access key's
// form).
struct Principal {
  enum class Kind { anonymous, root, user, assumed_role, service };
  Kind kind = Kind::anonymous;
  std::string account;        // 12 digits; of the credentials' owner
  std::string arn;            // arn:aws:iam::…:user/…, arn:aws:sts::…:assumed-role/…/…
  std::string user_id;        // AIDA…, AROA…:session, or the account for root
  std::string access_key_id;  // empty for anonymous calls and services
  std::string service;        // kind service: "lambda.amazonaws.com"
};

// Where the caller found us: answers' URLs are built from it.
struct Endpoint {
  std::string scheme = "http";
  std::string host = "localhost";
  int port = 4566;
  std::string url() const;  // http://localhost:4566 ; an IPv6 host gets brackets
};

// One call on its way through the door: kept by the dispatcher until the answer is sent. Handlers
// reach it by Ctx.
struct RequestContext {
  async::Env* env = nullptr;
  std::string
      account;  // whose resources: the principal's, or the resource owner's for anonymous calls
  std::string region;  // global services keep the caller's region here and store under "aws-global"
  std::string partition = "aws";
  std::string request_id;
  std::string service;    // model name: "dynamodb"
  std::string operation;  // "PutItem"
  Principal principal;
  Endpoint endpoint;
  std::string source_ip;
  std::string user_agent;
  std::string referer;
  // How the caller signed; empty: not at all.
  std::string_view signature_type;     // S3's word: "REST-HEADER", "REST-QUERY-STRING", "POST"
  std::string_view signature_version;  // "AWS4-HMAC-SHA256", "AWS"
  async::CloudTime now;                // the call's time for stored timestamps

  // The answer is sent when the shard has made this much durable. Reads from the published snapshot
  // need nothing; whoever evaluated against batches in flight, or wrote, raises it.
  uint64_t depends_on_lsn = 0;
  void depends_on(uint64_t lsn) {
    if (lsn > depends_on_lsn) depends_on_lsn = lsn;
  }
};

// A cheap handle; the context outlives every coroutine that serves the call. Background work gets a
// context of its own.
class Ctx {
 public:
  explicit Ctx(RequestContext& context) : context_(&context) {}
  RequestContext* operator->() const { return context_; }
  RequestContext& operator*() const { return *context_; }

 private:
  RequestContext* context_;
};

// aws, aws-cn, aws-us-gov, aws-iso, … by the region's prefix. Source: AWS General Reference,
// "Regions and Endpoints".
std::string_view partition_of(std::string_view region);
// arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE in the context's partition, region and account.
std::string make_arn(const RequestContext& context, std::string_view service,
                     std::string_view resource);

}  // namespace virga
