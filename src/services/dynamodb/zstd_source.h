#pragma once

#include <memory>

#include "async/byte_stream.h"
#include "async/offload.h"

namespace virga::dynamodb {

// The content of a Zstandard source (RFC 8878), frame after frame, piece by piece. Memory is
// bounded by the window that the format allows for decoders without further agreement (8 MiB).
// Error InvalidRequest: malformed or cut off. `pool` does the work and outlives the source.
std::unique_ptr<async::ByteSource> zstd_source(std::unique_ptr<async::ByteSource> inner,
                                               async::Pool& pool);

}  // namespace virga::dynamodb
