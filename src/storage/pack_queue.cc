#include "storage/pack_queue.h"

namespace virga::storage {

void PackQueue::add(Waiting& waiting) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(&waiting);
    if (writing_) return;
    writing_ = true;
  }
  start();
}

void PackQueue::start() {
  pool_.run([self = shared_from_this()] { self->write_group(); });
}

void PackQueue::write_group() {
  std::vector<Waiting*> group;
  std::vector<PackedContent> contents;
  {
    const std::lock_guard lock(mutex_);
    uint64_t bytes = 0;
    while (!waiting_.empty()) {
      bytes += waiting_.front()->content.bytes.size();
      if (!group.empty() && bytes > kGroupBytesMax) break;
      group.push_back(waiting_.front());
      contents.push_back(waiting_.front()->content);
      waiting_.pop_front();
    }
  }
  const Result<std::vector<BlobPlace>> places = files_->append_group(contents);
  for (size_t i = 0; i < group.size(); ++i) {
    Waiting& one = *group[i];
    one.place = places ? Result<BlobPlace>((*places)[i]) : fail(places.error());
    one.home->resume(one.waiter);  // `one` may be gone from here on
  }
  {
    const std::lock_guard lock(mutex_);
    writing_ = !waiting_.empty();
    if (!writing_) return;
  }
  start();  // as new work: what else waits for the pool gets its turn between two groups
}

}  // namespace virga::storage
