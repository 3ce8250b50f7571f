#pragma once

#include "async/offload.h"
#include "async/task.h"
#include "aws/operation.h"
#include "net/http_message.h"
#include "net/http_server.h"

namespace virga::platform {

// DynamoDB compresses the larger answers of clients that ask for gzip; its checksum, x-amz-crc32,
// is then that of the compressed bytes, as its SDKs expect. What "larger" means is our choice:
// where compression begins to save packets.
inline constexpr size_t kCompressedAnswerBytesMin = 1024;

// Whether this answer goes out compressed.
bool is_compressed_answer(const aws::ServiceDesc& service, const net::HttpRequest& request,
                          const net::HttpResponse& answer);

// Compresses body and checksum in place, on `pool` (may be null) where that takes long.
Task<void> compress_answer(net::HttpResponse* answer, async::Pool* pool);

}  // namespace virga::platform
