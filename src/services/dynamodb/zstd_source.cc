#include "services/dynamodb/zstd_source.h"

#include <zstd.h>

#include <algorithm>

#include "base/check.h"

namespace virga::dynamodb {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
constexpr int kWindowLogMax = 23;

class ZstdSource final : public async::ByteSource {
 public:
  ZstdSource(std::unique_ptr<async::ByteSource> inner, async::Pool& pool)
      : inner_(std::move(inner)), pool_(pool), stream_(ZSTD_createDStream()) {
    CHECK(stream_ != nullptr);
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kWindowLogMax);
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  Task<std::string> read(size_t max) override {
    std::string out;
    while (out.empty()) {
      if (at_ == input_.size() && !input_ended_) {
        input_ = co_await inner_->read(kPieceBytes);
        at_ = 0;
        input_ended_ = input_.empty();
      }
      const size_t room = std::min(max, kPieceBytes);
      Result<bool> stepped = co_await async::offload(pool_, [&] { return step(out, room); });
      const bool progress = co_await std::move(stepped);
      if (!progress && input_ended_) {
        if (in_frame_) co_return fail("InvalidRequest", 400, "The object is not valid zstd data.");
        break;
      }
    }
    co_return std::move(out);
  }
  std::optional<uint64_t> size() const override { return std::nullopt; }

 private:
  // True when something was taken in or given out.
  Result<bool> step(std::string& out, size_t room) {
    out.resize(room);
    ZSTD_inBuffer in{input_.data(), input_.size(), at_};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    if (in.pos == in.size && !in_frame_) {
      out.clear();
      return false;
    }
    const size_t left = ZSTD_decompressStream(stream_, &to, &in);
    if (ZSTD_isError(left))
      return fail("InvalidRequest", 400, "The object is not valid zstd data.");
    const bool progress = in.pos != at_ || to.pos != 0;
    at_ = in.pos;
    in_frame_ = left != 0;
    out.resize(to.pos);
    return progress;
  }

  std::unique_ptr<async::ByteSource> inner_;
  async::Pool& pool_;
  ZSTD_DStream* stream_;
  std::string input_;
  size_t at_ = 0;
  bool input_ended_ = false;
  bool in_frame_ = false;
};

}  // namespace

std::unique_ptr<async::ByteSource> zstd_source(std::unique_ptr<async::ByteSource> inner,
                                               async::Pool& pool) {
  return std::make_unique<ZstdSource>(std::move(inner), pool);
}

}  // namespace virga::dynamodb
