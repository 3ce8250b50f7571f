#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/task.h"
#include "aws/chunked.h"
#include "aws/context.h"
#include "aws/operation.h"
#include "aws/sigv2.h"
#include "aws/sigv4.h"
#include "net/http_parser.h"
#include "platform/identity.h"
#include "platform/s3_form.h"

namespace virga::platform {

struct IdentifyOptions {
  bool strict = false;
  std::string default_account;
  std::string default_region;
};

struct Identified {
  Principal principal;
  std::string account;
  std::string region;
  // What the chunks of an aws-chunked body are signed with; null in open mode, where they are not
  // checked.
  std::optional<sigv4::ChunkSigning> chunk_signing;
  bool presigned = false;
  std::string_view signature_type;  // as RequestContext has them
  std::string_view signature_version;
};

// What the second stage looks at; the pointees live until the answer is sent.
struct IdentifyQuestion {
  const net::RequestHead* head = nullptr;
  std::string_view body;  // the whole of it as it came, for its hash
  const aws::ServiceDesc* service = nullptr;
  bool anonymous_allowed = false;
  bool body_streams = false;  // it will be read, and held against its hash, later
  std::string_view path;      // of S3 in path style
};

// The second stage of the door: whose call it is. In open mode the key decides the account (a
// 12-digit key is that account, a key that IAM or STS issued its owner's, any other the default
// account) and nothing secret is checked. In strict mode the key must exist and be active, its
// session token match, the scope, the time and the signature be right. Any loop.
class Identifier {
 public:
  Identifier(IdentityStore& store, async::Env& env, IdentifyOptions options)
      : store_(store), env_(env), options_(std::move(options)) {}

  Task<Identified> identify(IdentifyQuestion question);
  // Of a browser's upload: the signature is on its policy. Without one the caller is anonymous.
  Task<Identified> identify_form(FormSignature signature);

 private:
  Task<Identified> identify_v2(IdentifyQuestion question, sigv2::Signature signature);
  void fill_in(Identified& who, const std::optional<Credential>& credential,
               std::string_view key_id) const;
  IdentityStore& store_;
  async::Env& env_;
  IdentifyOptions options_;
};

// Whose error codes and statuses the service's refusals have.
sigv4::ErrorFamily error_family(const aws::ServiceDesc& service);

// The principal of an account's own keys: arn:aws:iam::ACCOUNT:root.
Principal root_principal(std::string_view account, std::string_view region,
                         std::string access_key_id);

}  // namespace virga::platform
