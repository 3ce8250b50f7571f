#include "async/task.h"

namespace virga::task_detail {

std::coroutine_handle<> finish(Link link, AwsError* error) {
  while (error != nullptr && link.outer != nullptr) {
    PromiseBase* ending = link.outer;
    link = ending->link;
    error = ending->store_error(ending->slot, std::move(*error));
    const std::coroutine_handle<> frame = ending->self;
    if (ending->owner) *ending->owner = nullptr;
    frame.destroy();
  }
  return link.continuation;
}

}  // namespace virga::task_detail

namespace virga {

Task<void> failed_task(AwsError error) {
  Result<void> failed = fail(std::move(error));
  co_await std::move(failed);
  co_return ok();
}

}  // namespace virga
