#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/function_ref.h"
#include "storage/types.h"

namespace virga::storage {

// A position in an ordered scan. Created by View::cursor; on one thread at a time; must not outlive
// its view. A transaction must not write while one of its cursors is in use: collect first, then
// write.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;    // until next()
  virtual std::string_view value() const = 0;  // until next()
  virtual void next() = 0;                     // in the cursor's direction
  virtual Result<void> status() const = 0;     // why valid() ended: ok at the end of the range
};

// Ordered reads of one shard: a published snapshot, or inside a transaction the published state
// with the batches in flight and the transaction's own writes on top. Keys are the caller's
// (keys.h), without the generation.
class View {
 public:
  virtual ~View() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  // Keys in [begin, end); an empty `end` means the end of the shard. Bounded memory: values are
  // read as it moves.
  virtual std::unique_ptr<Cursor> cursor(std::string_view begin, std::string_view end,
                                         Direction direction = Direction::forward) const = 0;
  // The same as a loop; `visit` returns false to stop.
  Result<void> scan(std::string_view begin, std::string_view end, Direction direction,
                    FunctionRef<bool(std::string_view key, std::string_view value)> visit) const;
};

}  // namespace virga::storage
