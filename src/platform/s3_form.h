#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/byte_stream.h"
#include "base/document.h"
#include "base/time.h"
#include "net/http_message.h"
#include "net/http_server.h"

// Browsers' uploads: a POST of multipart/form-data to a bucket, whose fields say what PutObject's
// headers say and whose signature is on a policy document. Source: S3 API Reference, "Browser-Based
// Uploads Using POST".
namespace virga::platform {

// The operation in the context of a browser's upload, which is otherwise a PutObject.
inline constexpr std::string_view kBrowserUpload = "PostObject";

// A POST with a form's content type.
bool is_s3_form(const net::HttpRequest& request);

// What signs a policy; empty access key: nobody did.
struct FormSignature {
  std::string access_key_id, session_token, policy, signature;
  std::string date, region;  // of version 4's credential scope; empty with version 2
};

class S3Form {
 public:
  // Reads the fields, up to where the file's content begins. `path` is "/bucket" in path style.
  // Errors: MalformedPOSTRequest, MaxPostPreDataLengthExceededError, InvalidArgument for missing
  // fields.
  static Task<std::unique_ptr<S3Form>> open(net::HttpRequest& request, std::string path);

  const FormSignature& signature() const { return signature_; }
  // As a PutObject.
  const std::string& path() const { return path_; }
  const std::vector<net::HeaderView>& headers() const { return headers_; }
  // Holds the fields against the policy. Errors: AccessDenied, InvalidPolicyDocument.
  Result<void> check_policy(Timestamp now);
  // The file's content, once; to be read after check_policy. Its size must be within the policy's
  // limits.
  std::unique_ptr<async::ByteSource> file();
  // Makes PutObject's answer the form's: success_action_status, success_action_redirect.
  void finish(net::HttpResponse& answer, std::string_view base_url) const;

 private:
  class FileSource;
  explicit S3Form(net::HttpRequest& request) : request_(request) {}
  Task<void> read_fields();
  Task<void> fill();
  Result<void> take_field(std::string_view head, std::string content);
  Result<void> settle();
  Result<bool> check_condition(const Document& condition);
  std::string_view field(std::string_view name) const;

  net::HttpRequest& request_;
  std::string boundary_;  // with CRLF and dashes before it
  std::string buffer_;    // read and not yet used
  bool ended_ = false;    // of the request's body
  std::string bucket_, key_, path_, file_name_, file_type_;
  std::vector<std::pair<std::string, std::string>> fields_;  // names in lower case
  std::vector<net::HeaderView> headers_;                     // into fields_ and added_
  std::vector<std::pair<std::string, std::string>> added_;
  FormSignature signature_;
  std::vector<std::string> allowed_;  // fields that the policy speaks of
  uint64_t size_min_ = 0, size_max_ = UINT64_MAX;
};

}  // namespace virga::platform
