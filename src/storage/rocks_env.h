#pragma once

#include <rocksdb/env.h>

#include <memory>

#include "async/worker.h"
#include "storage/file_system.h"

// RocksDB's view of the world. Only index.cc includes this.
namespace virga::storage {

// An Env whose files are `fs` and whose jobs go to `workers` when that takes jobs, else to
// RocksDB's own threads. Both outlive it.
std::unique_ptr<rocksdb::Env> make_rocks_env(FileSystem& fs, async::WorkerHost& workers);

}  // namespace virga::storage
