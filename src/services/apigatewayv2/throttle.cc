#include "services/apigatewayv2/throttle.h"

#include <algorithm>

namespace virga::apigatewayv2 {

bool Throttles::take(const std::string& key, const Throttle& limit) {
  const async::SteadyTime now = clock_.now();
  const std::lock_guard lock(mutex_);
  auto it = buckets_.find(key);
  if (it == buckets_.end()) {
    if (buckets_.size() >= kBucketsMax) buckets_.clear();
    it = buckets_.emplace(key, Bucket{limit.burst, now}).first;
  }
  Bucket& bucket = it->second;
  const double seconds = static_cast<double>(now - bucket.filled) / 1e9;
  bucket.tokens = std::min(limit.burst, bucket.tokens + seconds * limit.rate);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace virga::apigatewayv2
