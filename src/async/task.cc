#include "async/task.h"

namespace virga::task_detail {

std::coroutine_handle<> finish(Link link, std::unique_ptr<AwsError>& landed) {
  std::unique_ptr<AwsError>* error = &landed;
  while (*error && link.outer != nullptr) {
    PromiseBase* ending = link.outer;
    link = ending->link;
    ending->slot->error = std::move(*error);
    error = &ending->slot->error;
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
