#include "platform/metrics.h"

#include <cstdio>

namespace virga::platform {

Metrics::Operation& Metrics::operation(std::string_view service, std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto& slot = operations_[{std::string(service), std::string(name)}];
  if (!slot) {
    slot = std::make_unique<Operation>();
    slot->service = service;
    slot->name = name;
  }
  return *slot;
}

void Metrics::finished(Operation& operation, int64_t latency_ns, uint64_t bytes_in,
                       uint64_t bytes_out) {
  const auto us = static_cast<uint64_t>(latency_ns / 1000);
  size_t bucket = 0;
  while (bucket < kBucketsUs.size() && us > kBucketsUs[bucket]) ++bucket;
  operation.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  operation.latency_us_sum.fetch_add(us, std::memory_order_relaxed);
  operation.bytes_in.fetch_add(bytes_in, std::memory_order_relaxed);
  operation.bytes_out.fetch_add(bytes_out, std::memory_order_relaxed);
}

void Metrics::failed(Operation& operation, std::string_view code) {
  const std::lock_guard lock(operation.errors_mutex);
  ++operation.errors[std::string(code)];
}

std::string Metrics::prometheus() const {
  std::string duration =
      "# HELP virga_request_duration_seconds Time from a complete request to its answer.\n"
      "# TYPE virga_request_duration_seconds histogram\n";
  std::string errors =
      "# HELP virga_request_errors_total Refused or failed requests by error code.\n"
      "# TYPE virga_request_errors_total counter\n";
  std::string bytes =
      "# HELP virga_request_bytes_total Body bytes received.\n# TYPE virga_request_bytes_total "
      "counter\n";
  std::string bytes_out =
      "# HELP virga_response_bytes_total Body bytes sent.\n# TYPE virga_response_bytes_total "
      "counter\n";
  const std::lock_guard lock(mutex_);
  for (const auto& [key, op] : operations_) {
    const std::string labels = "service=\"" + op->service + "\",operation=\"" + op->name + "\"";
    uint64_t count = 0;
    std::string buckets;
    for (size_t i = 0; i <= kBucketsUs.size(); ++i) {
      count += op->buckets[i].load(std::memory_order_relaxed);
      char bound[32] = "+Inf";
      if (i < kBucketsUs.size()) std::snprintf(bound, sizeof bound, "%g", kBucketsUs[i] / 1e6);
      buckets += "virga_request_duration_seconds_bucket{" + labels + ",le=\"" + bound + "\"} " +
                 std::to_string(count) + "\n";
    }
    if (count == 0) continue;
    char sum[32];
    std::snprintf(sum, sizeof sum, "%.6f", static_cast<double>(op->latency_us_sum.load()) / 1e6);
    duration += buckets + "virga_request_duration_seconds_sum{" + labels + "} " + sum + "\n" +
                "virga_request_duration_seconds_count{" + labels + "} " + std::to_string(count) +
                "\n";
    bytes +=
        "virga_request_bytes_total{" + labels + "} " + std::to_string(op->bytes_in.load()) + "\n";
    bytes_out +=
        "virga_response_bytes_total{" + labels + "} " + std::to_string(op->bytes_out.load()) + "\n";
    const std::lock_guard errors_lock(op->errors_mutex);
    for (const auto& [code, n] : op->errors) {
      errors += "virga_request_errors_total{" + labels + ",code=\"" + code + "\"} " +
                std::to_string(n) + "\n";
    }
  }
  std::string out = std::move(duration) + errors + bytes + bytes_out;
  out +=
      "# HELP virga_requests_in_flight Requests being served.\n# TYPE virga_requests_in_flight "
      "gauge\n"
      "virga_requests_in_flight " +
      std::to_string(in_flight.load()) + "\n";
  out +=
      "# HELP virga_internal_failures_total Answers that were our own fault.\n"
      "# TYPE virga_internal_failures_total counter\nvirga_internal_failures_total " +
      std::to_string(internal_failures.load()) + "\n";
  return out;
}

}  // namespace virga::platform
