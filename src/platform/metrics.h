#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace virga::platform {

// Counts of the server, read by /_virga/metrics. Counters are atomics: any loop adds, any loop
// reads. Operations are registered at start and live as long as this object.
class Metrics {
 public:
  // Upper bounds of the latency buckets, in microseconds; the last bucket has none.
  static constexpr std::array<uint32_t, 14> kBucketsUs = {
      50,     100,    250,    500,     1'000,   2'500,     5'000,
      10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 10'000'000};

  struct Operation {
    std::string service;
    std::string name;
    std::atomic<uint64_t> latency_us_sum{0};
    std::atomic<uint64_t> bytes_in{0};
    std::atomic<uint64_t> bytes_out{0};
    std::array<std::atomic<uint64_t>, kBucketsUs.size() + 1> buckets{};
    std::mutex errors_mutex;
    std::map<std::string, uint64_t> errors;  // by code
  };

  // Finds or makes the row of an operation.
  Operation& operation(std::string_view service, std::string_view name);

  void finished(Operation& operation, int64_t latency_ns, uint64_t bytes_in, uint64_t bytes_out);
  void failed(Operation& operation, std::string_view code);

  std::atomic<uint64_t> in_flight{0};
  // Answers InternalFailure that no handler meant; zero is a test.
  std::atomic<uint64_t> internal_failures{0};
  std::atomic<uint64_t> rejected_before_routing{0};

  // The text exposition format of Prometheus, version 0.0.4; operations that were never called are
  // left out.
  std::string prometheus() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Operation>> operations_;
};

}  // namespace virga::platform
