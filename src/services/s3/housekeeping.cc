#include "async/wait.h"
#include "base/log.h"
#include "services/s3/service.h"

// What nobody asks for: packs of content that are mostly dead are rewritten, and everything is read
// back once a day, so that damage on the disk is known before somebody needs the content.
namespace virga::s3 {
namespace {

constexpr int64_t kCompactMillis = 10 * 60 * 1000;
constexpr int kCompactionsPerScrub = 144;  // a day

}  // namespace

void Service::start() {
  background_.spawn("s3_housekeeping", keep_house());
}

Task<void> Service::stop() {
  co_await background_.stop();
  co_return ok();
}

Task<void> Service::keep_house() {
  for (int round = 1;; ++round) {
    co_await async::sleep_millis(kCompactMillis);
    const Result<int> packs = co_await as_result(blobs_.compact());
    if (!packs) LOG_WARN("s3_compaction", kv("message", packs.error().message));
    if (round % kCompactionsPerScrub != 0) continue;
    const std::vector<uint64_t> damaged = co_await blobs_.scrub();
    for (const uint64_t id : damaged) LOG_ERROR("s3_content_damaged", kv("blob", id));
  }
}

}  // namespace virga::s3
