#pragma once

#include "storage/shard.h"

namespace virga::storage {

// The latest published state, key by key: a commit may show in one get and not have shown in the
// one before. Several times cheaper than a snapshot for hot keys (value_cache.h), and enough where
// they do not depend on each other. Its cursors see one state, that of the first of them.
class LatestView final : public View {
 public:
  explicit LatestView(Shard& shard) : shard_(shard) {}
  Result<std::optional<std::string>> get(std::string_view key) const override {
    return shard_.get(key);
  }
  std::unique_ptr<Cursor> cursor(std::string_view begin, std::string_view end,
                                 Direction direction) const override {
    if (!snapshot_) snapshot_ = shard_.snapshot();
    return snapshot_->cursor(begin, end, direction);
  }

 private:
  Shard& shard_;
  mutable std::unique_ptr<View> snapshot_;
};

}  // namespace virga::storage
