#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aws/attribute_value.h"
#include "base/error.h"
#include "storage/view.h"

// The history of a table: one record per write that changed an item, written in the write's own
// commit. It is the record that streams show and the history that point-in-time recovery goes back
// through; only tables with one of the two keep one. Sequence numbers rise with the commits of the
// shard, so they order all writes of a table, those to one key included.
//   dynamodb_streams | 3 | table id | sequence   →   change record docs/formats/dynamodb.md
namespace virga::dynamodb {

struct ChangeRecord {
  int64_t micros = 0;                     // of the commit, cloud clock
  bool had_old = false, has_new = false;  // there was an item before, there is one after
  bool by_service = false;                // an expiry, no client
  ItemView keys;
  std::optional<ItemView> old_image, new_image;  // as far as kept

  std::string_view event_name() const {
    return !had_old ? "INSERT" : has_new ? "MODIFY" : "REMOVE";
  }
};

std::string encode_change(const ChangeRecord& record);
// Views are into `bytes`, which are trusted but for their format.
Result<ChangeRecord> decode_change(std::string_view bytes);

std::string changes_prefix(uint64_t table_id);
std::string change_key(uint64_t table_id, uint64_t sequence);
uint64_t sequence_of_change_key(std::string_view key);

// 21 decimal digits of which the order is the numbers' order, as text and as numbers.
std::string sequence_text(uint64_t sequence);
std::optional<uint64_t> parse_sequence(std::string_view text);

// The first sequence in [begin, end) with a record of at least this time; `end` when there is none.
// Commit times rise with sequences (but for steps of the clock). A few dozen reads, however long
// the history.
Result<uint64_t> first_change_at(const storage::View& view, uint64_t table_id, uint64_t begin,
                                 uint64_t end, int64_t micros);

}  // namespace virga::dynamodb
