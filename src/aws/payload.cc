// open_payload: which wrappers a request's body needs.
#include "aws/chunked.h"
#include "aws/sigv4_errors.h"
#include "base/strings.h"
#include "net/gzip.h"

namespace virga::sigv4 {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;
constexpr size_t kOffloadBytes = 64 * 1024;  // less is hashed faster than a thread wakes up

AwsError invalid_request(std::string message) {
  return {.code = "InvalidRequest", .http_status = 400, .message = std::move(message)};
}

// The request's own bytes.
class PlainSource final : public async::ByteSource {
 public:
  explicit PlainSource(net::HttpRequest& request) : request_(request) {}
  Task<std::string> read(size_t max) override { return request_.read(max); }
  std::optional<uint64_t> size() const override { return request_.size(); }

 private:
  net::HttpRequest& request_;
};

// Passes bytes on and compares their SHA-256 at the end.
class HashedSource final : public async::ByteSource {
 public:
  HashedSource(net::HttpRequest& request, std::string expected, const PayloadOptions& options)
      : request_(request),
        expected_(std::move(expected)),
        family_(options.family),
        pool_(options.pool) {}
  Task<std::string> read(size_t max) override {
    if (ended_) co_return std::string();
    std::string piece = co_await request_.read(max);
    if (pool_ && piece.size() >= kOffloadBytes) {
      const bool hashed =
          co_await async::offload(*pool_, [&] { return hash_.update(piece), true; });
      ignore(hashed, "always");
      co_return std::move(piece);
    }
    if (!piece.empty()) {
      hash_.update(piece);
      co_return std::move(piece);
    }
    ended_ = true;
    const Sha256 digest = hash_.finish();
    if (to_hex(as_bytes(digest)) != expected_) co_return fail(payload_mismatch(family_));
    co_return std::move(piece);
  }
  std::optional<uint64_t> size() const override { return request_.size(); }

 private:
  net::HttpRequest& request_;
  const std::string expected_;
  const ErrorFamily family_;
  async::Pool* const pool_;
  Sha256Stream hash_;
  bool ended_ = false;
};

class ChunkedSource final : public async::ByteSource {
 public:
  ChunkedSource(net::HttpRequest& request, AwsChunkedDecoder::Options options, async::Pool* pool)
      : request_(request), decoder_(std::move(options)), pool_(pool) {}
  Task<std::string> read(size_t max) override {
    std::string out;
    for (;;) {
      const std::string_view rest = std::string_view(input_).substr(at_);
      if (pool_ && decoder_.options().signing && rest.size() >= kOffloadBytes) {
        at_ += co_await async::offload(*pool_, [&] { return decoder_.feed(rest, out, max); });
      } else if (!rest.empty()) {
        at_ += decoder_.feed(rest, out, max);
      }
      if (decoder_.error()) co_return fail(*decoder_.error());
      if (!out.empty()) co_return std::move(out);
      if (at_ < input_.size())
        co_return fail(invalid_request("The aws-chunked body is followed by more bytes."));
      input_ = co_await request_.read(kPieceBytes);
      at_ = 0;
      if (!input_.empty()) continue;
      if (decoder_.done()) co_return std::move(out);
      co_return fail("IncompleteBody", 400, "The request body terminated unexpectedly");
    }
  }
  std::optional<uint64_t> size() const override { return decoder_.options().decoded_length; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const {
    return decoder_.trailers();
  }
  const std::vector<std::string>& announced() const { return decoder_.options().expected_trailers; }

 private:
  net::HttpRequest& request_;
  AwsChunkedDecoder decoder_;
  async::Pool* const pool_;
  std::string input_;
  size_t at_ = 0;
};

// What the headers say about the chunks.
Result<AwsChunkedDecoder::Options> chunk_options(const net::RequestHead& head,
                                                 PayloadDeclaration::Kind kind,
                                                 std::optional<ChunkSigning> signing) {
  AwsChunkedDecoder::Options options{.kind = kind, .signing = std::move(signing)};
  const net::HeaderView* const length = head.find("x-amz-decoded-content-length");
  if (!length) {
    return fail("MissingContentLength", 411, "You must provide the Content-Length HTTP header.");
  }
  const auto decoded = parse_int(length->value);
  if (!decoded || *decoded < 0)
    return fail(invalid_request("x-amz-decoded-content-length is not a length."));
  options.decoded_length = static_cast<uint64_t>(*decoded);
  if (const net::HeaderView* const names = head.find("x-amz-trailer")) {
    for (const std::string_view name : split(names->value, ',')) {
      options.expected_trailers.push_back(to_lower(trim(name)));
    }
  }
  return options;
}

}  // namespace

Result<std::unique_ptr<async::ByteSource>> open_payload(net::HttpRequest& request,
                                                        PayloadOptions options) {
  const PayloadDeclaration declared = declared_payload(request.head());
  std::unique_ptr<async::ByteSource> source;
  if (declared.streaming()) {
    VIRGA_TRY(chunks, chunk_options(request.head(), declared.kind, std::move(options.signing)));
    source = std::make_unique<ChunkedSource>(request, std::move(chunks), options.pool);
  } else if (declared.kind == PayloadDeclaration::Kind::unknown) {
    return fail(bad_payload_declaration());
  } else if (declared.kind == PayloadDeclaration::Kind::hash && !options.presigned) {
    source = std::make_unique<HashedSource>(request, to_lower(declared.text), options);
  } else {
    source = std::make_unique<PlainSource>(request);
  }
  // For S3 Content-Encoding describes the object; elsewhere it is the request's own (SDKs' request
  // compression).
  if (options.family != ErrorFamily::s3 &&
      iequals(request.header_or("content-encoding", ""), "gzip")) {
    source = net::gunzip_source(std::move(source), options.inflated_max);
  }
  return source;
}

ChunkSigning chunk_signing(const Signature& signature, std::string_view secret_key) {
  return {.key = signing_key(secret_key, signature.date, signature.region, signature.service),
          .amz_date = std::string(signature.amz_date),
          .scope = std::string(signature.scope),
          .seed = std::string(signature.signature)};
}

Result<std::optional<std::string>> decode_whole_payload(const net::RequestHead& head,
                                                        std::string_view body,
                                                        std::optional<ChunkSigning> signing) {
  const PayloadDeclaration declared = declared_payload(head);
  if (!declared.streaming()) return std::nullopt;
  VIRGA_TRY(options, chunk_options(head, declared.kind, std::move(signing)));
  AwsChunkedDecoder decoder(std::move(options));
  std::string data;
  const size_t taken = decoder.feed(body, data, body.size());
  if (decoder.error()) return fail(*decoder.error());
  if (!decoder.done())
    return fail("IncompleteBody", 400, "The request body terminated unexpectedly");
  if (taken != body.size())
    return fail(invalid_request("The aws-chunked body is followed by more bytes."));
  return std::optional<std::string>(std::move(data));
}

const std::vector<std::pair<std::string, std::string>>& payload_trailers(
    const async::ByteSource& payload) {
  static const std::vector<std::pair<std::string, std::string>> none;
  const auto* const chunked = dynamic_cast<const ChunkedSource*>(&payload);
  return chunked ? chunked->trailers() : none;
}

const std::vector<std::string>& announced_trailers(const async::ByteSource& payload) {
  static const std::vector<std::string> none;
  const auto* const chunked = dynamic_cast<const ChunkedSource*>(&payload);
  return chunked ? chunked->announced() : none;
}

}  // namespace virga::sigv4
