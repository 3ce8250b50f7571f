#pragma once

#include <cstdint>
#include <string_view>

namespace virga {

// CRC-64/NVME (Rocksoft): polynomial ad93d23594c93659, reflected. Source: NVM Command Set
// Specification, "64b CRC"; check value of "123456789" is ae8b14860a799888.
uint64_t crc64_nvme(std::string_view bytes, uint64_t seed = 0);

// The checksum of two texts, one after the other, from theirs and the second's length.
uint32_t crc32_combine(uint32_t first, uint32_t second, uint64_t second_bytes);
uint32_t crc32c_combine(uint32_t first, uint32_t second, uint64_t second_bytes);
uint64_t crc64_nvme_combine(uint64_t first, uint64_t second, uint64_t second_bytes);

}  // namespace virga
