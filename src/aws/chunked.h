#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/byte_stream.h"
#include "async/offload.h"
#include "aws/sigv4.h"
#include "base/hashing.h"
#include "net/http_server.h"

// The aws-chunked content coding: a body in chunks, each with a signature of its own, or unsigned
// ones with checksums in trailer lines. It lies inside HTTP's framing and has nothing to do with
// Transfer-Encoding. Source: S3 API Reference, "Signature Calculations for the Authorization
// Header: Transferring Payload in Multiple Chunks (Chunked Upload)" and "... Including trailing
// headers".
namespace virga::sigv4 {

// What chunk signatures chain from: the request's own signature.
struct ChunkSigning {
  std::string key;  // signing_key(...)
  std::string amz_date;
  std::string scope;
  std::string seed;  // the request's signature
};

// Of a request whose signature was verified with that key.
ChunkSigning chunk_signing(const Signature& signature, std::string_view secret_key);

// Takes the coding apart as bytes arrive. Data comes out before its chunk's signature is known to
// be good: who reads must not commit before done(). Errors are S3's: IncompleteBody,
// InvalidRequest, SignatureDoesNotMatch, MalformedTrailerError.
class AwsChunkedDecoder {
 public:
  static constexpr size_t kHeaderBytesMax = 256;  // 16 digits and a signature are 97
  static constexpr size_t kTrailerBytesMax = 8 * 1024;
  static constexpr size_t kTrailerCountMax = 16;

  struct Options {
    PayloadDeclaration::Kind kind = PayloadDeclaration::Kind::streaming_unsigned_trailer;
    std::optional<ChunkSigning>
        signing;  // null: signatures must be there, but are not checked (open mode)
    std::optional<uint64_t> decoded_length;      // x-amz-decoded-content-length
    std::vector<std::string> expected_trailers;  // x-amz-trailer, lower case
  };
  explicit AwsChunkedDecoder(Options options);

  // Takes bytes until the input, `data_max` bytes of data, the body, or an error ends it. Returns
  // the count taken.
  size_t feed(std::string_view bytes, std::string& out, size_t data_max);
  bool done() const { return state_ == State::done; }
  const std::optional<AwsError>& error() const { return error_; }
  // Lower-case names; complete when done(). Without x-amz-trailer-signature.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }
  const Options& options() const { return options_; }

 private:
  enum class State { header, data, data_end, trailer, done, failed };
  bool signed_chunks() const {
    return options_.kind != PayloadDeclaration::Kind::streaming_unsigned_trailer;
  }
  bool has_trailer() const { return options_.kind != PayloadDeclaration::Kind::streaming_signed; }
  void refuse(AwsError error);
  bool take_line(std::string_view bytes, size_t& at, size_t max);
  void take_header();
  void take_trailer();
  void end_chunk();
  void end_body();

  const Options options_;
  State state_ = State::header;
  std::string line_;
  uint64_t left_ = 0;
  uint64_t total_ = 0;
  std::string signature_;  // of the chunk being read
  std::string previous_;   // what it chains from
  std::optional<Sha256Stream> hash_;
  std::string trailer_signature_;
  size_t trailer_bytes_ = 0;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::optional<AwsError> error_;
};

// A request's payload as the operation shall see it, with what its headers claim about it checked
// on the way: aws-chunked taken apart, x-amz-content-sha256 compared, Content-Encoding: gzip undone
// (at most `inflated_max` bytes). The last read fails when a claim does not hold. `request` must
// outlive the source.
struct PayloadOptions {
  ErrorFamily family = ErrorFamily::s3;
  bool presigned = false;  // by a link: its payload is not hashed
  std::optional<ChunkSigning>
      signing;  // null: forms are checked, chunks' signatures are not (open mode)
  size_t inflated_max = 0;
  async::Pool* pool = nullptr;  // where large pieces are hashed; null: on the loop
};
Result<std::unique_ptr<async::ByteSource>> open_payload(net::HttpRequest& request,
                                                        PayloadOptions options);
// Trailers of the payload, once it was read to its end: of aws-chunked; empty for others.
const std::vector<std::pair<std::string, std::string>>& payload_trailers(
    const async::ByteSource& payload);
// The names of those that will come (x-amz-trailer), in lower case.
const std::vector<std::string>& announced_trailers(const async::ByteSource& payload);

// The same of an aws-chunked body that is already in memory, for callers that need it whole.
// nullopt when the request declares no chunks. `signing` null: open mode.
Result<std::optional<std::string>> decode_whole_payload(const net::RequestHead& head,
                                                        std::string_view body,
                                                        std::optional<ChunkSigning> signing);

// For clients and tests: the body in aws-chunked form, with one chunk per element.
std::string encode_chunked(const std::vector<std::string>& chunks, PayloadDeclaration::Kind kind,
                           const ChunkSigning& signing,
                           const std::vector<std::pair<std::string, std::string>>& trailers);

}  // namespace virga::sigv4
