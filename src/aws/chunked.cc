#include "aws/chunked.h"

#include <algorithm>

#include "aws/sigv4_canonical.h"
#include "base/strings.h"

namespace virga::sigv4 {
namespace {

constexpr std::string_view kSignaturePrefix = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

AwsError incomplete_body() {
  return {
      .code = "IncompleteBody",
      .http_status = 400,
      .message =
          "You did not provide the number of bytes specified by the Content-Length HTTP header"};
}
AwsError malformed_chunk(std::string what) {
  return {.code = "InvalidRequest",
          .http_status = 400,
          .message = "The aws-chunked body is malformed: " + std::move(what)};
}
AwsError malformed_trailer() {
  return {.code = "MalformedTrailerError",
          .http_status = 400,
          .message =
              "The request contained trailing data that was not well-formed or did not conform to "
              "our published "
              "schema."};
}
AwsError chunk_mismatch() {
  return {.code = "SignatureDoesNotMatch",
          .http_status = 403,
          .message =
              "The request signature we calculated does not match the signature you provided. "
              "Check your key and "
              "signing method."};
}

bool is_hex_signature(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string chunk_signature(const ChunkSigning& signing, std::string_view previous,
                            std::string_view data_hash_hex) {
  std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n";
  for (const std::string_view line : {std::string_view(signing.amz_date),
                                      std::string_view(signing.scope), previous, kEmptyHash}) {
    text += line;
    text += '\n';
  }
  text += data_hash_hex;
  return signature_of(signing.key, text);
}

std::string trailer_signature(const ChunkSigning& signing, std::string_view previous,
                              const std::vector<std::pair<std::string, std::string>>& trailers) {
  std::string lines;
  for (const auto& [name, value] : trailers) lines += name + ":" + value + "\n";
  std::string text = "AWS4-HMAC-SHA256-TRAILER\n";
  for (const std::string_view line :
       {std::string_view(signing.amz_date), std::string_view(signing.scope), previous}) {
    text += line;
    text += '\n';
  }
  const Sha256 digest = sha256(lines);
  text += to_hex(as_bytes(digest));
  return signature_of(signing.key, text);
}

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(Options options) : options_(std::move(options)) {
  if (options_.signing) previous_ = options_.signing->seed;
}

void AwsChunkedDecoder::refuse(AwsError error) {
  state_ = State::failed;
  error_ = std::move(error);
}

// Collects a line up to CRLF in line_ (without it); true when it is complete.
bool AwsChunkedDecoder::take_line(std::string_view bytes, size_t& at, size_t max) {
  while (at < bytes.size()) {
    const char c = bytes[at++];
    if (c == '\n') {
      if (line_.empty() || line_.back() != '\r') {
        refuse(malformed_chunk("a line ends without CR"));
        return false;
      }
      line_.pop_back();
      return true;
    }
    if (line_.size() == max || (!line_.empty() && line_.back() == '\r')) {
      refuse(malformed_chunk("a line is too long or has a CR inside"));
      return false;
    }
    line_ += c;
  }
  return false;
}

void AwsChunkedDecoder::take_header() {
  uint64_t size = 0;
  size_t digits = 0;
  for (; digits < line_.size(); ++digits) {
    const char c = line_[digits];
    const int value = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (value < 0) break;
    if (digits == 15) return refuse(malformed_chunk("the chunk size is too large"));
    size = size * 16 + static_cast<uint64_t>(value);
  }
  const std::string_view rest = std::string_view(line_).substr(digits);
  if (digits == 0) return refuse(malformed_chunk("a chunk without a size"));
  if (signed_chunks()) {
    if (!rest.starts_with(kSignaturePrefix) ||
        !is_hex_signature(rest.substr(kSignaturePrefix.size()))) {
      return refuse(malformed_chunk("a chunk without a signature"));
    }
    signature_ = rest.substr(kSignaturePrefix.size());
    if (options_.signing) hash_.emplace();
  } else if (!rest.empty()) {
    return refuse(malformed_chunk("unexpected characters after the chunk size"));
  }
  if (options_.decoded_length && size > *options_.decoded_length - total_)
    return refuse(incomplete_body());
  total_ += size;
  left_ = size;
  line_.clear();
  if (size != 0) {
    state_ = State::data;
    return;
  }
  end_chunk();
  if (state_ != State::failed) state_ = State::trailer;
}

void AwsChunkedDecoder::end_chunk() {
  if (!hash_) return;
  const Sha256 digest = hash_->finish();
  hash_.reset();
  const std::string expected =
      chunk_signature(*options_.signing, previous_, to_hex(as_bytes(digest)));
  if (!equal_constant_time(expected, signature_)) return refuse(chunk_mismatch());
  previous_ = signature_;
}

void AwsChunkedDecoder::take_trailer() {
  if (line_.empty()) return end_body();
  trailer_bytes_ += line_.size();
  if (!has_trailer() || trailer_bytes_ > kTrailerBytesMax || trailers_.size() == kTrailerCountMax ||
      !trailer_signature_.empty()) {
    return refuse(malformed_trailer());
  }
  net::HeaderView header;
  if (net::parse_header_line(line_, header)) return refuse(malformed_trailer());
  std::string name = to_lower(header.name);
  if (name == kTrailerSignature) {
    if (!signed_chunks() || !is_hex_signature(header.value)) return refuse(malformed_trailer());
    trailer_signature_ = header.value;
  } else {
    trailers_.emplace_back(std::move(name), header.value);
  }
  line_.clear();
}

void AwsChunkedDecoder::end_body() {
  if (options_.decoded_length && total_ != *options_.decoded_length)
    return refuse(incomplete_body());
  for (const std::string& expected : options_.expected_trailers) {
    const bool there = std::any_of(trailers_.begin(), trailers_.end(),
                                   [&](const auto& t) { return t.first == expected; });
    if (!there) return refuse(malformed_trailer());
  }
  if (options_.kind == PayloadDeclaration::Kind::streaming_signed_trailer) {
    if (trailer_signature_.empty()) return refuse(malformed_trailer());
    if (options_.signing &&
        !equal_constant_time(trailer_signature(*options_.signing, previous_, trailers_),
                             trailer_signature_)) {
      return refuse(chunk_mismatch());
    }
  }
  state_ = State::done;
}

size_t AwsChunkedDecoder::feed(std::string_view bytes, std::string& out, size_t data_max) {
  size_t at = 0;
  while (at < bytes.size()) {
    switch (state_) {
      case State::header:
        if (take_line(bytes, at, kHeaderBytesMax)) take_header();
        break;
      case State::data: {
        if (data_max == 0) return at;
        const size_t count =
            static_cast<size_t>(std::min<uint64_t>({left_, data_max, bytes.size() - at}));
        const std::string_view data = bytes.substr(at, count);
        out.append(data);
        if (hash_) hash_->update(data);
        at += count;
        left_ -= count;
        data_max -= count;
        if (left_ == 0) state_ = State::data_end;
        break;
      }
      case State::data_end:
        if (take_line(bytes, at, 2)) {
          if (!line_.empty())
            return refuse(malformed_chunk("chunk data is longer than its size says")), at;
          state_ = State::header;
          end_chunk();
        }
        break;
      case State::trailer:
        if (take_line(bytes, at, kTrailerBytesMax)) take_trailer();
        break;
      case State::done:
      case State::failed:
        return at;
    }
  }
  return at;
}

std::string encode_chunked(const std::vector<std::string>& chunks, PayloadDeclaration::Kind kind,
                           const ChunkSigning& signing,
                           const std::vector<std::pair<std::string, std::string>>& trailers) {
  const bool with_signatures = kind != PayloadDeclaration::Kind::streaming_unsigned_trailer;
  std::string out;
  std::string previous = signing.seed;
  const auto header = [&](std::string_view data) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx", data.size());
    out += size;
    if (with_signatures) {
      const Sha256 digest = sha256(data);
      previous = chunk_signature(signing, previous, to_hex(as_bytes(digest)));
      out += kSignaturePrefix;
      out += previous;
    }
    out += "\r\n";
  };
  for (const std::string& chunk : chunks) {
    if (chunk.empty()) continue;
    header(chunk);
    out += chunk;
    out += "\r\n";
  }
  header("");
  for (const auto& [name, value] : trailers) out += name + ":" + value + "\r\n";
  if (kind == PayloadDeclaration::Kind::streaming_signed_trailer) {
    out += std::string(kTrailerSignature) + ":" + trailer_signature(signing, previous, trailers) +
           "\r\n";
  }
  return out + "\r\n";
}

}  // namespace virga::sigv4
