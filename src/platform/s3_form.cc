#include "platform/s3_form.h"

#include <algorithm>

#include "aws/xml.h"
#include "base/document.h"
#include "base/header_words.h"
#include "base/json.h"
#include "base/strings.h"
#include "base/time.h"

namespace virga::platform {
namespace {

constexpr size_t kFieldBytesMax =
    20'000;  // S3 API Reference, "POST Object": the form's data but for the content
constexpr size_t kPieceBytes = 256 * 1024;
constexpr std::string_view kFormType = "multipart/form-data";
constexpr std::string_view kFileName = "${filename}";

AwsError malformed() {
  return {.code = "MalformedPOSTRequest",
          .http_status = 400,
          .message = "The body of your POST request is not well-formed multipart/form-data."};
}

AwsError with_detail(std::string code, int status, std::string message, Document detail) {
  return {.code = std::move(code),
          .http_status = status,
          .message = std::move(message),
          .detail = std::make_shared<const Document>(std::move(detail))};
}

AwsError against_policy(const std::string& what) {
  return {.code = "AccessDenied",
          .http_status = 403,
          .message = "Invalid according to Policy: " + what};
}

AwsError missing_field(const char* name) {
  return with_detail("InvalidArgument", 400,
                     std::string("Bucket POST must contain a field named '") + name +
                         "'.  If it is specified, please check the order of the fields.",
                     Document::object().set("ArgumentName", name).set("ArgumentValue", ""));
}

// One parameter of a header: name="f" in `form-data; name="f"; filename="x"`.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  for (const std::string_view part : split(header, ';')) {
    const std::string_view text = trim(part);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !iequals(trim(text.substr(0, equals)), name)) continue;
    std::string_view value = trim(text.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return std::nullopt;
}

std::string_view header_in(std::string_view head, std::string_view name) {
  for (std::string_view line : split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && iequals(line.substr(0, colon), name))
      return trim(line.substr(colon + 1));
  }
  return {};
}

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";

// Fields that are PutObject's headers by their own name.
bool is_header_field(std::string_view name) {
  for (const std::string_view known :
       {"content-type", "cache-control", "content-disposition", "content-encoding", "expires",
        "content-language", "content-md5", "x-amz-storage-class",
        "x-amz-website-redirect-location"}) {
    if (name == known) return true;
  }
  for (const std::string_view prefix :
       {"x-amz-meta-", "x-amz-server-side-encryption", "x-amz-checksum-", "x-amz-object-lock-",
        "x-amz-sdk-checksum-algorithm"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

// Fields that a policy need not speak of.
bool is_exempt(std::string_view name) {
  return name == "x-amz-signature" || name == "awsaccesskeyid" || name == "signature" ||
         name == "policy" || name == "file" || name == "submit" || name.starts_with("x-ignore-");
}

// <Tagging><TagSet><Tag><Key/><Value/></Tag>… as x-amz-tagging has it.
Result<std::string> tagging_header(std::string_view xml) {
  VIRGA_TRY(root, aws::parse_xml(xml));
  const aws::XmlNode* const set = root.child("TagSet");
  std::string out;
  if (!set) return fail(aws::malformed_xml());
  for (const aws::XmlNode& tag : set->children) {
    const aws::XmlNode* const key = tag.child("Key");
    const aws::XmlNode* const value = tag.child("Value");
    if (!key || !value) continue;
    out += (out.empty() ? "" : "&") + percent_encode(key->text) + "=" + percent_encode(value->text);
  }
  return out;
}

}  // namespace

bool is_s3_form(const net::HttpRequest& request) {
  const std::string_view type = request.header_or("Content-Type", {});
  return request.method() == "POST" && type.size() >= kFormType.size() &&
         iequals(type.substr(0, kFormType.size()), kFormType);
}

Task<std::unique_ptr<S3Form>> S3Form::open(net::HttpRequest& request, std::string path) {
  std::unique_ptr<S3Form> form(new S3Form(request));
  const auto boundary = parameter(request.header_or("Content-Type", {}), "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 200) co_return fail(malformed());
  form->boundary_ = "\r\n--" + *boundary;
  form->buffer_ = "\r\n";  // the first boundary has no line before it
  const auto bucket = percent_decode(trim(path));
  form->bucket_ = bucket.value_or("");
  while (form->bucket_.starts_with('/')) form->bucket_.erase(0, 1);
  while (form->bucket_.ends_with('/')) form->bucket_.pop_back();
  co_await form->read_fields();
  co_await form->settle();
  co_return std::move(form);
}

Task<void> S3Form::fill() {
  const std::string piece = co_await request_.read(kPieceBytes);
  if (piece.empty()) ended_ = true;
  buffer_ += piece;
  co_return ok();
}

Task<void> S3Form::read_fields() {
  size_t taken = 0;
  for (;;) {
    // A part: boundary, head, empty line; then its content up to the next boundary, unless it is
    // the file's.
    size_t begin, head_end;
    while ((begin = buffer_.find(boundary_)) == std::string::npos ||
           (head_end = buffer_.find("\r\n\r\n", begin + boundary_.size())) == std::string::npos) {
      if (begin != std::string::npos && buffer_.compare(begin + boundary_.size(), 2, "--") == 0) {
        co_return fail(with_detail(
            "InvalidArgument", 400, "POST requires exactly one file upload per request.",
            Document::object().set("ArgumentName", "file").set("ArgumentValue", "0")));
      }
      if (ended_) co_return fail(malformed());
      if (buffer_.size() > kFieldBytesMax + kPieceBytes) co_return fail(malformed());
      co_await fill();
    }
    const std::string head =
        buffer_.substr(begin + boundary_.size(), head_end - begin - boundary_.size());
    buffer_.erase(0, head_end + 4);
    const std::string name =
        to_lower(parameter(header_in(head, "content-disposition"), "name").value_or(""));
    if (name == "file") {
      file_name_ = parameter(header_in(head, "content-disposition"), "filename").value_or("");
      file_type_ = header_in(head, "content-type");
      co_return ok();
    }
    size_t end;
    while ((end = buffer_.find(boundary_)) == std::string::npos) {
      if (taken + buffer_.size() > kFieldBytesMax + kPieceBytes) break;
      if (ended_) co_return fail(malformed());
      co_await fill();
    }
    taken += head.size() + std::min(end, buffer_.size());
    if (end == std::string::npos || taken > kFieldBytesMax) {
      co_return fail("MaxPostPreDataLengthExceededError", 400,
                     "Your POST request fields preceding the upload file were too large.");
    }
    fields_.emplace_back(name, buffer_.substr(0, end));
    buffer_.erase(0, end);
  }
}

std::string_view S3Form::field(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (key == name) return value;
  }
  return {};
}

// What the fields mean.
Result<void> S3Form::settle() {
  key_ = field("key");
  if (key_.empty()) return fail(missing_field("key"));
  const std::string_view leaf =
      std::string_view(file_name_).substr(file_name_.find_last_of("/\\") + 1);
  for (size_t at = 0; (at = key_.find(kFileName, at)) != std::string::npos; at += leaf.size())
    key_.replace(at, kFileName.size(), leaf);
  path_ = "/" + percent_encode(bucket_) + "/" + percent_encode(key_, KeepSlash::yes);

  if (const auto acl = field("acl"); !acl.empty()) added_.emplace_back("x-amz-acl", acl);
  if (const auto tagging = field("tagging"); !tagging.empty()) {
    VIRGA_TRY(header, tagging_header(tagging));
    added_.emplace_back("x-amz-tagging", std::move(header));
  }
  if (field("content-type").empty() && !file_type_.empty())
    added_.emplace_back("content-type", file_type_);
  for (const auto& [name, value] : fields_) {
    if (name.starts_with(kMetadataPrefix)) added_.emplace_back(name, to_header_words(value));
  }
  for (const auto& [name, value] : added_) headers_.push_back({name, value});
  for (const auto& [name, value] : fields_) {
    if (is_header_field(name) && !name.starts_with(kMetadataPrefix))
      headers_.push_back({name, value});
  }

  signature_.policy = field("policy");
  signature_.session_token = field("x-amz-security-token");
  signature_.access_key_id = field("awsaccesskeyid");
  signature_.signature = field("signature");
  if (const auto credential = field("x-amz-credential"); !credential.empty()) {
    const auto parts = split(credential, '/');
    if (parts.size() < 5) {
      return fail("AuthorizationQueryParametersError", 400,
                  "Error parsing the X-Amz-Credential parameter; incorrect form.");
    }
    const size_t n = parts.size();
    signature_.access_key_id =
        credential.substr(0, static_cast<size_t>(parts[n - 4].data() - credential.data()) - 1);
    signature_.date = parts[n - 4];
    signature_.region = parts[n - 3];
    signature_.signature = field("x-amz-signature");
  }
  // A form is signed with all it takes, or anonymous.
  const bool anonymous =
      signature_.policy.empty() && signature_.access_key_id.empty() && signature_.signature.empty();
  if (anonymous) return {};
  const bool version4 = !signature_.date.empty();
  if (signature_.access_key_id.empty()) return fail(missing_field("AWSAccessKeyId"));
  if (signature_.policy.empty()) return fail(missing_field("policy"));
  if (signature_.signature.empty())
    return fail(missing_field(version4 ? "X-Amz-Signature" : "signature"));
  return {};
}

// ---- the policy
// ---------------------------------------------------------------------------------------------------

Result<void> S3Form::check_policy(Timestamp now) {
  if (signature_.policy.empty()) return {};
  const auto text = from_base64(signature_.policy);
  auto policy = text ? parse_json(*text) : Result<Document>(fail("", 400, ""));
  const Document* const conditions = policy ? policy->find("conditions") : nullptr;
  const auto expires = policy ? parse_iso8601(policy->string_or("expiration", "")) : std::nullopt;
  if (!conditions || !conditions->is_array() || !expires) {
    return fail("InvalidPolicyDocument", 400, "Invalid Policy: Invalid JSON.");
  }
  if (*expires < now) return fail(against_policy("Policy expired."));
  for (const Document& condition : conditions->as_array()) {
    VIRGA_TRY(holds, check_condition(condition));
    if (!holds) return fail(against_policy("Policy Condition failed: " + to_json(condition)));
  }
  for (const auto& [name, value] : fields_) {
    if (is_exempt(name) || std::find(allowed_.begin(), allowed_.end(), name) != allowed_.end())
      continue;
    return fail(against_policy("Extra input fields: " + name));
  }
  return {};
}

// {"acl": "private"}, ["eq", "$acl", "private"], ["starts-with", "$key", "user/"],
// ["content-length-range", 0, 9].
Result<bool> S3Form::check_condition(const Document& condition) {
  std::string how = "eq", name, wanted;
  if (condition.is_object() && condition.as_object().size() == 1 &&
      condition.as_object()[0].second.is_string()) {
    name = condition.as_object()[0].first;
    wanted = condition.as_object()[0].second.as_string();
  } else if (condition.is_array() && condition.as_array().size() == 3 &&
             condition.as_array()[0].is_string()) {
    const auto& parts = condition.as_array();
    how = to_lower(parts[0].as_string());
    if (how == "content-length-range") {
      const auto number = [](const Document& d) {
        return d.is_int()      ? std::optional(d.as_int())
               : d.is_string() ? parse_int(d.as_string())
                               : std::nullopt;
      };
      const auto low = number(parts[1]), high = number(parts[2]);
      if (!low || !high || *low < 0 || *high < *low)
        return fail("InvalidPolicyDocument", 400, "Invalid Policy: Invalid content-length-range.");
      size_min_ = static_cast<uint64_t>(*low);
      size_max_ = static_cast<uint64_t>(*high);
      return true;
    }
    if (!parts[1].is_string() || !parts[2].is_string())
      return fail("InvalidPolicyDocument", 400, "Invalid Policy: Invalid JSON.");
    name = parts[1].as_string();
    wanted = parts[2].as_string();
  } else {
    return fail("InvalidPolicyDocument", 400, "Invalid Policy: Invalid JSON.");
  }
  if (name.starts_with('$')) name.erase(0, 1);
  name = to_lower(name);
  allowed_.push_back(name);
  const std::string_view got = name == "bucket" ? std::string_view(bucket_)
                               : name == "key"  ? std::string_view(key_)
                                                : field(name);
  if (how == "eq") return got == wanted || (name == "key" && field(name) == wanted);
  if (how == "starts-with") return got.starts_with(wanted);
  return fail("InvalidPolicyDocument", 400, "Invalid Policy: Unknown condition operator " + how);
}

// ---- the content
// --------------------------------------------------------------------------------------------------

// Up to the boundary behind it; what follows is read and dropped.
class S3Form::FileSource final : public async::ByteSource {
 public:
  explicit FileSource(S3Form& form) : form_(form) {}

  Task<std::string> read(size_t max) override {
    if (done_) co_return std::string();
    for (;;) {
      std::string& buffer = form_.buffer_;
      const size_t end = buffer.find(form_.boundary_);
      // What might be the beginning of the boundary waits for more.
      const size_t safe = end != std::string::npos ? end
                          : buffer.size() > form_.boundary_.size()
                              ? buffer.size() - form_.boundary_.size()
                              : 0;
      if (safe != 0) {
        std::string piece = buffer.substr(0, std::min(max, safe));
        buffer.erase(0, piece.size());
        total_ += piece.size();
        if (total_ > form_.size_max_)
          co_return fail(out_of_range("EntityTooLarge",
                                      "Your proposed upload exceeds the maximum allowed size"));
        co_return std::move(piece);
      }
      if (end != std::string::npos) break;
      if (form_.ended_) co_return fail(malformed());
      co_await form_.fill();
    }
    done_ = true;
    while (!form_.ended_) {
      form_.buffer_.clear();
      co_await form_.fill();
    }
    if (total_ < form_.size_min_)
      co_return fail(out_of_range("EntityTooSmall",
                                  "Your proposed upload is smaller than the minimum allowed size"));
    co_return std::string();
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  AwsError out_of_range(std::string code, std::string message) const {
    Document detail = Document::object().set("ProposedSize", static_cast<int64_t>(total_));
    if (code == "EntityTooLarge") {
      detail.set("MaxSizeAllowed", static_cast<int64_t>(form_.size_max_));
    } else {
      detail.set("MinSizeAllowed", static_cast<int64_t>(form_.size_min_));
    }
    return with_detail(std::move(code), 400, std::move(message), std::move(detail));
  }

  S3Form& form_;
  uint64_t total_ = 0;
  bool done_ = false;
};

std::unique_ptr<async::ByteSource> S3Form::file() {
  return std::make_unique<FileSource>(*this);
}

void S3Form::finish(net::HttpResponse& answer, std::string_view base_url) const {
  const std::string etag(answer.headers.find("ETag").value_or(""));
  const std::string location = std::string(base_url) + path_;
  answer.headers.set("Location", location);
  std::string_view redirect = field("success_action_redirect");
  if (redirect.empty()) redirect = field("redirect");
  if (!redirect.empty()) {
    answer.status = 303;
    const char joint = redirect.find('?') == std::string_view::npos ? '?' : '&';
    answer.headers.set("Location",
                       std::string(redirect) + joint + "bucket=" + percent_encode(bucket_) +
                           "&key=" + percent_encode(key_) + "&etag=" + percent_encode(etag));
    return;
  }
  const std::string_view status = field("success_action_status");
  answer.status = status == "200" ? 200 : status == "201" ? 201 : 204;
  if (answer.status != 201) return;
  aws::XmlWriter writer(answer.body);
  writer.declaration();
  writer.open("PostResponse");
  writer.element("Location", location);
  writer.element("Bucket", bucket_);
  writer.element("Key", key_);
  writer.element("ETag", etag);
  writer.close("PostResponse");
  answer.headers.set("Content-Type", "application/xml");
}

}  // namespace virga::platform
