#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/time.h"

namespace virga::async {

// Three clocks that do not convert into each other.
// Steady: nanoseconds since some start; deadlines and metering.
struct SteadyTime {
  int64_t nanos = 0;
  friend auto operator<=>(const SteadyTime&, const SteadyTime&) = default;
  friend int64_t operator-(SteadyTime a, SteadyTime b) { return a.nanos - b.nanos; }
  SteadyTime plus_millis(int64_t ms) const { return {nanos + ms * 1'000'000}; }
  SteadyTime plus_micros(int64_t us) const { return {nanos + us * 1000}; }
};
// Wall: signatures, Date headers, TLS, credentials' expiry, the time function processes see.
struct WallTime {
  Timestamp at;
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};
// Cloud: timestamps that services store, TTL, retries, schedules. Users may freeze and step it.
struct CloudTime {
  Timestamp at;
  friend auto operator<=>(const CloudTime&, const CloudTime&) = default;
  CloudTime plus_millis(int64_t ms) const { return {{at.micros + ms * 1000}}; }
};

class SteadyClock {
 public:
  virtual ~SteadyClock() = default;
  virtual SteadyTime now() const = 0;
};
class WallClock {
 public:
  virtual ~WallClock() = default;
  virtual WallTime now() const = 0;
};
// Thread-safe. Listeners run on the thread that steps the clock; they post to their own loop.
class CloudClock {
 public:
  virtual ~CloudClock() = default;
  virtual CloudTime now() const = 0;
  // Users' control: a fixed time (freeze), a jump relative to now, or back to following the wall.
  virtual void freeze(CloudTime at) = 0;
  virtual void step_millis(int64_t ms) = 0;
  virtual void follow_wall() = 0;
  // True when time stands still until stepped; durable timers then wait for on_change only.
  virtual bool frozen() const = 0;
  // Called after each freeze, step or follow. Never removed: listeners live as long as the clock.
  virtual void on_change(std::function<void()> listener) = 0;
};

// Chance. Not for secrets (base/hashing.h has secure_random_bytes).
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;  // thread-safe
  uint64_t below(uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  std::string bytes(size_t count);
  std::string uuid();  // RFC 9562 version 4, lower case
};

// What code may ask of the world besides its loop. Lives as long as the process (or the
// simulation).
struct Env {
  const SteadyClock& steady;
  const WallClock& wall;
  CloudClock& cloud;
  Random& random;
};

// The kernel's clocks and generator.
Env& real_env();

// A world for tests: time moves only when told, chance comes from a seed.
class FakeEnv {
 public:
  explicit FakeEnv(uint64_t seed = 1);
  ~FakeEnv();
  Env& env();
  void advance_millis(int64_t ms);  // all three clocks
 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga::async
