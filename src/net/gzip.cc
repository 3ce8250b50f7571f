#include "net/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace virga::net {
namespace {

constexpr size_t kInflatePieceBytes = 64 * 1024;
constexpr int kGzipWindow = 15 + 16;  // zlib.h: windowBits plus 16 means gzip

AwsError malformed() {
  return {.code = "InvalidRequest",
          .http_status = 400,
          .message = "The request body is not valid gzip data."};
}
AwsError too_large() {
  return {.code = "RequestEntityTooLarge",
          .http_status = 413,
          .message = "The decompressed request body is too large."};
}

// One inflater over members that follow each other.
class Inflater {
 public:
  Inflater() { CHECK(inflateInit2(&z_, kGzipWindow) == Z_OK); }
  ~Inflater() { inflateEnd(&z_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void give(std::string_view bytes) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
  }
  bool hungry() const { return z_.avail_in == 0; }
  bool at_member_end() const { return ended_; }

  // Appends up to `room` bytes; false when the data is broken.
  bool take(std::string& out, size_t room) {
    const size_t before = out.size();
    bool good = true;
    out.resize_and_overwrite(before + room, [&](char* data, size_t) {
      z_.next_out = reinterpret_cast<Bytef*>(data + before);
      z_.avail_out = static_cast<uInt>(room);
      while (good && z_.avail_out != 0 && z_.avail_in != 0) good = step();
      if (good && !ended_ && z_.avail_out != 0) good = step();  // what the window still holds
      return before + room - z_.avail_out;
    });
    return good;
  }

 private:
  bool step() {
    if (ended_) {
      if (z_.avail_in == 0) return true;
      inflateReset2(&z_, kGzipWindow);
      ended_ = false;
    }
    const int got = inflate(&z_, Z_NO_FLUSH);
    if (got == Z_STREAM_END) ended_ = true;
    return got == Z_OK || got == Z_STREAM_END || got == Z_BUF_ERROR;
  }

  z_stream z_{};
  bool ended_ = false;
};

class GunzipSource final : public async::ByteSource {
 public:
  GunzipSource(std::unique_ptr<async::ByteSource> inner, size_t limit, async::Pool* pool)
      : inner_(std::move(inner)), limit_(limit), pool_(pool) {}
  Task<std::string> read(size_t max) override {
    std::string out;
    while (out.empty()) {
      if (inflater_.hungry() && !input_ended_) {
        input_ = co_await inner_->read(kInflatePieceBytes);
        inflater_.give(input_);
        input_ended_ = input_.empty();
      }
      // One byte more than allowed tells that there is more.
      const size_t room = std::min({max, kInflatePieceBytes, limit_ - given_ + 1});
      const auto take = [&] { return inflater_.take(out, room); };
      bool good = false;
      if (pool_) {
        good = co_await async::offload(*pool_, take);
      } else {
        good = take();
      }
      if (!good) co_return fail(malformed());
      if (out.empty() && input_ended_) {
        if (!inflater_.at_member_end()) co_return fail(malformed());
        co_return std::move(out);
      }
    }
    given_ += out.size();
    if (given_ > limit_) co_return fail(too_large());
    co_return std::move(out);
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  std::unique_ptr<async::ByteSource> inner_;
  const size_t limit_;
  async::Pool* const pool_;
  size_t given_ = 0;
  Inflater inflater_;
  std::string input_;
  bool input_ended_ = false;
};

}  // namespace

std::string gzip(std::string_view bytes, int level) {
  z_stream z{};
  CHECK(deflateInit2(&z, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out;
  out.resize(deflateBound(&z, bytes.size()));
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

struct GzipWriter::Impl {
  explicit Impl(int level) {
    CHECK(deflateInit2(&z, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Impl() { deflateEnd(&z); }

  void write(std::string_view bytes, int flush, std::string& out) {
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    do {
      const size_t before = out.size();
      out.resize(before + kInflatePieceBytes);
      z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      z.avail_out = kInflatePieceBytes;
      const int got = deflate(&z, flush);
      CHECK(got == Z_OK || got == Z_STREAM_END || got == Z_BUF_ERROR);
      out.resize(before + kInflatePieceBytes - z.avail_out);
    } while (z.avail_out == 0);
  }

  z_stream z{};
};

GzipWriter::GzipWriter(int level) : impl_(std::make_unique<Impl>(level)) {}
GzipWriter::~GzipWriter() = default;
GzipWriter::GzipWriter(GzipWriter&&) noexcept = default;
void GzipWriter::add(std::string_view bytes, std::string& out) {
  impl_->write(bytes, Z_NO_FLUSH, out);
}
void GzipWriter::finish(std::string& out) {
  impl_->write({}, Z_FINISH, out);
}

Result<std::string> gunzip(std::string_view bytes, size_t limit) {
  Inflater inflater;
  inflater.give(bytes);
  std::string out;
  for (;;) {
    const size_t before = out.size();
    if (!inflater.take(out, std::min(kInflatePieceBytes, limit - before + 1)))
      return fail(malformed());
    if (out.size() > limit) return fail(too_large());
    if (out.size() == before && inflater.hungry()) break;
  }
  if (!inflater.at_member_end()) return fail(malformed());
  return out;
}

std::unique_ptr<async::ByteSource> gunzip_source(std::unique_ptr<async::ByteSource> inner,
                                                 size_t limit, async::Pool* pool) {
  return std::make_unique<GunzipSource>(std::move(inner), limit, pool);
}

}  // namespace virga::net
