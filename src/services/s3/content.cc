#include "services/s3/content.h"

#include <algorithm>
#include <coroutine>
#include <utility>

#include "async/file_source.h"
#include "async/wait.h"
#include "aws/chunked.h"
#include "base/document.h"
#include "base/strings.h"
#include "services/s3/errors.h"

namespace virga::s3 {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kOffloadBytes = 16 * 1024;  // less is hashed faster than a thread wakes up
// More is worth two threads: MD5 of a piece takes about as long as all the rest.
constexpr size_t kSplitBytes = 256 * 1024;

// Everything that is computed over content, and where it goes.
class Intake {
 public:
  Intake(storage::BlobStore& blobs, const ContentOptions& options)
      : md5_(DigestStream::Kind::md5), kept_(options.kept), writer_(blobs.writer()) {
    if (options.claims.algorithm && *options.claims.algorithm != options.kept)
      sent_.emplace(*options.claims.algorithm);
    if (options.key) cipher_.emplace(options.key->key, options.nonce);
  }

  // On the pool, or on the loop for little.
  Result<void> take(std::string piece) {
    hash_md5(piece);
    return store(std::move(piece));
  }
  // The two halves of take(), for two threads at once.
  void hash_md5(std::string_view piece) { md5_.update(piece); }
  Result<void> store(std::string piece) {
    kept_.update(piece);
    if (sent_) sent_->update(piece);
    if (cipher_) cipher_->apply(piece);
    return writer_.append_blocking(std::move(piece));
  }

  void finish_digests(StoredContent& out, const ContentClaims& claims) {
    out.md5 = md5_.finish();
    out.checksum = kept_.finish();
    if (claims.algorithm) out.sent_checksum = to_base64(sent_ ? sent_->finish() : out.checksum);
  }
  storage::BlobWriter& writer() { return writer_; }

 private:
  DigestStream md5_;
  aws::ChecksumStream kept_;
  std::optional<aws::ChecksumStream> sent_;
  std::optional<KeyStream> cipher_;
  storage::BlobWriter writer_;
};

// What the pool does with one piece while its owner reads the next bytes. Must be waited for before
// it ends; nothing cuts that wait short.
class Beside {
 public:
  explicit Beside(async::Pool& pool) : pool_(pool), loop_(async::Loop::current()) {}

  void start(Intake& intake, std::string piece) {
    piece_ = std::move(piece);
    if (piece_.size() < kSplitBytes) {
      run([this, &intake] { result_ = intake.take(std::move(piece_)); });
      return;
    }
    run([this, &intake] { result_ = intake.store(std::string(piece_)); });
    run([this, &intake] { intake.hash_md5(piece_); });
  }
  // `co_await wait()`: until the piece is done. Its outcome is result().
  auto wait() {
    struct Awaiter {
      Beside& mine;
      bool await_ready() const { return mine.running_ == 0; }
      void await_suspend(std::coroutine_handle<> waiter) { mine.waiter_ = waiter; }
      void await_resume() const {}
    };
    return Awaiter{*this};
  }
  bool busy() const { return running_ != 0; }
  const Result<void>& result() const { return result_; }

 private:
  template <class Work>
  void run(Work work) {
    ++running_;
    pool_.run([this, work] {
      work();
      loop_->post([this] {
        if (--running_ == 0 && waiter_) std::exchange(waiter_, {}).resume();
      });
    });
  }

  async::Pool& pool_;
  async::Loop* const loop_;
  std::string piece_;
  Result<void> result_;
  int running_ = 0;  // pieces of work; on the loop
  std::coroutine_handle<> waiter_;
};

AwsError too_large(uint64_t proposed, uint64_t limit) {
  return {.code = "EntityTooLarge",
          .http_status = 400,
          .message = "Your proposed upload exceeds the maximum allowed size",
          .detail = std::make_shared<const Document>(
              Document::object()
                  .set("ProposedSize", static_cast<int64_t>(proposed))
                  .set("MaxSizeAllowed", static_cast<int64_t>(limit)))};
}

AwsError checksum_mismatch(aws::ChecksumAlgorithm algorithm) {
  return errors::make("BadDigest", 400,
                      "The " + std::string(aws::name_of(algorithm)) +
                          " you specified did not match the calculated checksum.");
}

Result<void> check_form(const ContentClaims& claims) {
  if (claims.md5) {
    const auto raw = from_base64(*claims.md5);
    if (!raw || raw->size() != 16) {
      return fail(errors::make("InvalidDigest", 400, "The Content-MD5 you specified was invalid.",
                               "Content-MD5", *claims.md5));
    }
  }
  if (claims.algorithm && claims.value) {
    const auto raw = from_base64(*claims.value);
    if (!raw || raw->size() != aws::bytes_of(*claims.algorithm)) {
      return fail(errors::invalid_request("Value for " + aws::header_of(*claims.algorithm) +
                                          " header is invalid."));
    }
  }
  return {};
}

Result<void> check_claims(const ContentClaims& claims, const StoredContent& got,
                          const async::ByteSource& source) {
  if (claims.md5 && from_base64(*claims.md5) != got.md5) {
    return std::unexpected(AwsError{
        .code = "BadDigest",
        .http_status = 400,
        .message = "The Content-MD5 you specified did not match what we received.",
        .detail =
            std::make_shared<const Document>(Document::object()
                                                 .set("ExpectedDigest", *claims.md5)
                                                 .set("CalculatedDigest", to_base64(got.md5)))});
  }
  if (claims.algorithm && claims.value && *claims.value != *got.sent_checksum)
    return fail(checksum_mismatch(*claims.algorithm));
  for (const auto& [name, value] : sigv4::payload_trailers(source)) {
    const auto algorithm = aws::algorithm_of_header(name);
    if (!algorithm || algorithm != claims.algorithm) continue;
    const auto raw = from_base64(trim(value));
    if (!raw || raw->size() != aws::bytes_of(*algorithm)) {
      return fail(errors::invalid_request("Value for " + name + " trailing header is invalid."));
    }
    if (trim(value) != *got.sent_checksum) return fail(checksum_mismatch(*algorithm));
  }
  return {};
}

}  // namespace

Task<StoredContent> store_content(storage::BlobStore& blobs, async::Pool& pool,
                                  async::ByteSource& source, ContentOptions options) {
  co_await check_form(options.claims);
  if (const auto size = source.size(); size && *size > options.size_max)
    co_return fail(too_large(*size, options.size_max));
  StoredContent out;
  Intake intake(blobs, options);
  Beside beside(pool);
  std::string gathered;
  for (bool end = false; !end;) {
    Result<std::string> piece = co_await as_result(source.read(kReadBytes));
    if (piece) {
      end = piece->empty();
      out.size += piece->size();
      if (gathered.empty()) {
        gathered = std::move(*piece);
      } else {
        gathered += *piece;
      }
      // While the pool is busy the next piece grows: a socket gives little at a time.
      const bool small = gathered.size() < kReadBytes && out.size <= options.size_max;
      if (!end && beside.busy() && small) continue;
    }
    co_await beside.wait();
    if (!piece) co_return fail(piece.error());
    if (out.size > options.size_max) co_return fail(too_large(out.size, options.size_max));
    if (!beside.result()) co_return fail(beside.result().error());
    if (gathered.empty()) continue;
    if (gathered.size() < kOffloadBytes && out.size <= kReadBytes) {
      co_await intake.take(std::exchange(gathered, {}));
    } else {
      beside.start(intake, std::exchange(gathered, {}));
    }
  }
  co_await beside.wait();
  if (!beside.result()) co_return fail(beside.result().error());
  intake.finish_digests(out, options.claims);
  co_await check_claims(options.claims, out, source);
  out.blob = co_await intake.writer().finish();
  out.nonce = options.nonce;
  co_return std::move(out);
}

// ---- out
// ----------------------------------------------------------------------------------------------------------

namespace {

class SpanSource final : public async::FileSource {
 public:
  SpanSource(storage::BlobStore& blobs, std::vector<Span> spans, std::optional<CustomerKey> key)
      : blobs_(blobs), spans_(std::move(spans)), key_(std::move(key)) {
    for (const Span& span : spans_) size_ += span.count;
  }
  Task<std::string> read(size_t max) override {
    if (!open_next()) co_return std::string();
    std::string piece = co_await open_->read(max);
    if (cipher_) cipher_->apply(piece);
    co_return std::move(piece);
  }
  Task<std::optional<async::FileSlice>> slice(uint64_t max) override {
    if (key_ || !open_next()) co_return std::nullopt;
    auto* const files = dynamic_cast<async::FileSource*>(open_.get());
    if (!files) co_return std::nullopt;
    std::optional<async::FileSlice> slice = co_await files->slice(max);
    co_return std::move(slice);
  }
  std::optional<uint64_t> size() const override { return size_; }

 private:
  // Stands before a byte of some span; false at the end.
  bool open_next() {
    while (!open_ || open_->size() == 0) {
      if (next_ == spans_.size()) return false;
      const Span& span = spans_[next_++];
      open_ = blobs_.source(span.blob, span.offset, span.count);
      if (key_) cipher_.emplace(key_->key, span.nonce, span.offset);
    }
    return true;
  }

  storage::BlobStore& blobs_;
  std::vector<Span> spans_;
  std::optional<CustomerKey> key_;
  std::unique_ptr<async::ByteSource> open_;
  std::optional<KeyStream> cipher_;
  size_t next_ = 0;
  uint64_t size_ = 0;
};

}  // namespace

std::vector<Span> spans_of(const std::vector<Part>& extents, uint64_t begin, uint64_t count) {
  std::vector<Span> spans;
  uint64_t at = 0;
  for (const Part& part : extents) {
    if (count == 0) break;
    if (begin < at + part.size) {
      const uint64_t offset = begin - at;
      const uint64_t here = std::min(count, part.size - offset);
      spans.push_back({part.extent.blob, offset, here, part.extent.nonce});
      begin += here;
      count -= here;
    }
    at += part.size;
  }
  return spans;
}

std::unique_ptr<async::ByteSource> open_content(storage::BlobStore& blobs, std::vector<Span> spans,
                                                std::optional<CustomerKey> key) {
  if (spans.size() == 1 && !key)
    return blobs.source(std::move(spans[0].blob), spans[0].offset, spans[0].count);
  return std::make_unique<SpanSource>(blobs, std::move(spans), std::move(key));
}

}  // namespace virga::s3
