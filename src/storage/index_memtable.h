#pragma once

#include <memory>

namespace rocksdb {
class MemTableRepFactory;
}

namespace virga::storage {

// The list in which the index keeps what is not in its files yet, as a part for RocksDB: a skip
// list for one writer and any number of readers, over keys in the order of their bytes. RocksDB's
// own serves many writers and any order, which costs an insertion three virtual calls a comparison;
// as Debian builds it, it also checks itself in each of them.
std::shared_ptr<rocksdb::MemTableRepFactory> make_index_memtable();

}  // namespace virga::storage
