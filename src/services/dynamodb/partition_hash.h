#pragma once

#include <cstdint>
#include <string_view>

namespace virga::dynamodb {

// Where the service places a partition: the first 16 bits of an MD5 over a fixed word and the
// partition key's bytes (numbers in Number::hash_bytes form). Scans and their segments run in the
// order of this hash. Source: recorded Scan orders of the service, as published in dynalite's
// test-suite.
uint16_t partition_hash(std::string_view key_bytes);

}  // namespace virga::dynamodb
