#pragma once

#include <cstdint>

#include "async/clock.h"
#include "services/logs/log_store.h"

namespace virga::logs {

// The timestamp before which a group's events are expired.
// DIFFERS: AWS shows expired events for up to 72 hours more. TODO(perf): expired events are hidden,
// not yet deleted.
inline int64_t oldest_kept(const Group& group, async::CloudTime now) {
  constexpr int64_t kDayMillis = 86'400'000;
  return group.retention_days ? now.at.millis() - group.retention_days * kDayMillis : 0;
}

}  // namespace virga::logs
