#include "async/cancel.h"

namespace virga::async {

void CancelNode::unlink() {
  if (!source_) return;
  if (prev_) prev_->next_ = next_;
  if (next_) next_->prev_ = prev_;
  if (source_->head_ == this) source_->head_ = next_;
  prev_ = next_ = nullptr;
  source_ = nullptr;
}

class CancelSource::ParentNode final : public CancelNode {
 public:
  ParentNode(CancelSource& child, CancelSource& parent) : child_(child), parent_(parent) {}
  void on_cancel() override { child_.cancel(parent_.reason()); }

 private:
  CancelSource& child_;
  CancelSource& parent_;
};

CancelSource::CancelSource(CancelSource* parent) {
  if (!parent) return;
  if (parent->cancelled()) {
    cancelled_ = true;
    reason_ = parent->reason();
    return;
  }
  parent_node_ = new ParentNode(*this, *parent);
  parent->add(*parent_node_);
}

CancelSource::~CancelSource() {
  delete parent_node_;
  while (head_) head_->unlink();
}

bool CancelSource::add(CancelNode& node) {
  if (cancelled_) return false;
  node.source_ = this;
  node.prev_ = nullptr;
  node.next_ = head_;
  if (head_) head_->prev_ = &node;
  head_ = &node;
  return true;
}

void CancelSource::cancel(AwsError reason) {
  if (cancelled_) return;
  cancelled_ = true;
  reason_ = std::move(reason);
  while (CancelNode* node = head_) {
    node->unlink();
    node->on_cancel();
  }
}

AwsError stopped_error() {
  return AwsError{
      .code = "ServiceUnavailable", .http_status = 503, .message = "The server is shutting down."};
}
AwsError deadline_error() {
  return AwsError{
      .code = "RequestTimeout", .http_status = 408, .message = "The operation's deadline passed."};
}

}  // namespace virga::async
