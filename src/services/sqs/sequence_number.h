#pragma once

#include <cstdint>
#include <string>

namespace virga::sqs {

// A FIFO message's SequenceNumber: 20 digits, growing within a queue.
// Source: SQS API Reference, SendMessage: "128 bits of length ... non-consecutive".
inline std::string sequence_number(uint64_t sequence) {
  return std::to_string(uint64_t{10'000'000'000'000'000'000U} + sequence);
}

}  // namespace virga::sqs
