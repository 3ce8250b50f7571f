#include "async/clock.h"

#include <time.h>

#include <atomic>
#include <bit>
#include <mutex>
#include <vector>

#include "base/hashing.h"
#include "base/strings.h"

namespace virga::async {
namespace {

int64_t kernel_nanos(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

class KernelSteadyClock final : public SteadyClock {
 public:
  SteadyTime now() const override { return {kernel_nanos(CLOCK_MONOTONIC)}; }
};

class KernelWallClock final : public WallClock {
 public:
  WallTime now() const override { return {{kernel_nanos(CLOCK_REALTIME) / 1000}}; }
};

// Follows a wall clock until told otherwise.
class SteppedCloudClock final : public CloudClock {
 public:
  explicit SteppedCloudClock(const WallClock& wall) : wall_(wall) {}
  CloudTime now() const override {
    const int64_t frozen = frozen_at_.load(std::memory_order_acquire);
    if (frozen >= 0) return {{frozen}};
    return {{wall_.now().at.micros + offset_.load(std::memory_order_acquire)}};
  }
  void freeze(CloudTime at) override {
    frozen_at_.store(at.at.micros, std::memory_order_release);
    notify();
  }
  void step_millis(int64_t ms) override {
    if (frozen()) {
      frozen_at_.fetch_add(ms * 1000, std::memory_order_acq_rel);
    } else {
      offset_.fetch_add(ms * 1000, std::memory_order_acq_rel);
    }
    notify();
  }
  void follow_wall() override {
    frozen_at_.store(-1, std::memory_order_release);
    offset_.store(0, std::memory_order_release);
    notify();
  }
  bool frozen() const override { return frozen_at_.load(std::memory_order_acquire) >= 0; }
  void on_change(std::function<void()> listener) override {
    const std::lock_guard lock(mutex_);
    listeners_.push_back(std::move(listener));
  }

 private:
  void notify() {
    std::vector<std::function<void()>> copy;
    {
      const std::lock_guard lock(mutex_);
      copy = listeners_;
    }
    for (auto& listener : copy) listener();
  }

  const WallClock& wall_;
  std::atomic<int64_t> frozen_at_{-1};
  std::atomic<int64_t> offset_{0};
  std::mutex mutex_;
  std::vector<std::function<void()>> listeners_;
};

// splitmix64 over an atomic counter: thread-safe without a lock, well distributed for ids and
// jitter.
class SplitMixRandom final : public Random {
 public:
  explicit SplitMixRandom(uint64_t seed) : state_(seed) {}
  uint64_t next() override {
    uint64_t z =
        state_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed) + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::atomic<uint64_t> state_;
};

uint64_t kernel_seed() {
  const std::string bytes = secure_random_bytes(8);
  uint64_t seed = 0;
  for (const char c : bytes) seed = seed << 8 | static_cast<unsigned char>(c);
  return seed;
}

class ManualSteadyClock final : public SteadyClock {
 public:
  SteadyTime now() const override { return {nanos.load(std::memory_order_acquire)}; }
  std::atomic<int64_t> nanos{1'000'000'000};
};
class ManualWallClock final : public WallClock {
 public:
  WallTime now() const override { return {{micros.load(std::memory_order_acquire)}}; }
  std::atomic<int64_t> micros{
      Timestamp::from_seconds(1'772'366'400).micros};  // 2026-03-01T12:00:00Z
};

}  // namespace

std::string Random::bytes(size_t count) {
  std::string out;
  out.reserve(count + 8);
  while (out.size() < count) {
    uint64_t word = next();
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  out.resize(count);
  return out;
}

std::string Random::uuid() {
  std::string raw = bytes(16);
  raw[6] = static_cast<char>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3f) | 0x80);
  std::string text = to_hex(raw);
  for (const size_t hyphen : {8, 13, 18, 23}) text.insert(hyphen, 1, '-');
  return text;
}

Env& real_env() {
  static KernelSteadyClock steady;
  static KernelWallClock wall;
  static SteppedCloudClock cloud(wall);
  static SplitMixRandom random(kernel_seed());
  static Env env{steady, wall, cloud, random};
  return env;
}

struct FakeEnv::Impl {
  explicit Impl(uint64_t seed) : random(seed) {}
  ManualSteadyClock steady;
  ManualWallClock wall;
  SteppedCloudClock cloud{wall};
  SplitMixRandom random;
  Env env{steady, wall, cloud, random};
};

FakeEnv::FakeEnv(uint64_t seed) : impl_(std::make_unique<Impl>(seed)) {}
FakeEnv::~FakeEnv() = default;
Env& FakeEnv::env() {
  return impl_->env;
}
void FakeEnv::advance_millis(int64_t ms) {
  impl_->steady.nanos.fetch_add(ms * 1'000'000);
  impl_->wall.micros.fetch_add(ms * 1000);
}

}  // namespace virga::async
