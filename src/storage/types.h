#pragma once

#include <cstdint>

namespace virga::storage {

// Log sequence number: one per committed batch of a shard, consecutive from 1. 0: nothing.
using Lsn = uint64_t;

// durable: the answer waits for the sync (every state change). joined: rides in the next drain, at
// most kJoinedDelayMs later, and nobody waits; the only data that a crash may take back (usage of
// reads, function logs).
enum class CommitClass { durable, joined };

enum class Direction { forward, backward };

// Faults built in on purpose, so that the simulation can show that it would find them. Never set in
// the server.
struct PlantedFaults {
  bool answer_before_sync = false;  // publishes what was only written
  bool skip_checksum = false;       // believes torn records
  bool skip_link = false;           // believes records of a drain that a crash cut short
  bool forget_refusal_lsn = false;  // refusals leave before what they saw is durable
};

// Counts resets: everything of older generations is invisible from the moment of the reset's
// commit.
using Generation = uint32_t;

}  // namespace virga::storage
