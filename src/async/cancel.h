#pragma once

#include "base/error.h"

namespace virga::async {

// A wait that can be given up. Lives in the awaiter of a suspended coroutine, on one loop.
class CancelNode {
 public:
  CancelNode() = default;
  CancelNode(const CancelNode&) = delete;
  CancelNode& operator=(const CancelNode&) = delete;
  virtual ~CancelNode() { unlink(); }

  // Ends the wait: removes it from wherever it waits and schedules its coroutine. Called once,
  // while linked.
  virtual void on_cancel() = 0;

  void unlink();

 private:
  friend class CancelSource;
  CancelNode* prev_ = nullptr;
  CancelNode* next_ = nullptr;
  class CancelSource* source_ = nullptr;
};

// Cancels the waits below one task tree. Coroutines inherit the source of whoever awaits them;
// waits register with it. A submitted storage batch is no such wait: what was handed over is
// finished. One loop only.
class CancelSource {
 public:
  CancelSource() = default;
  explicit CancelSource(CancelSource* parent);
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  ~CancelSource();

  // Ends all waits, present and future, with `reason`. The second call does nothing.
  void cancel(AwsError reason);
  bool cancelled() const { return cancelled_; }
  const AwsError& reason() const { return reason_; }

  // Registers a wait; false when already cancelled (the caller does not suspend).
  bool add(CancelNode& node);

 private:
  friend class CancelNode;
  class ParentNode;

  CancelNode* head_ = nullptr;
  bool cancelled_ = false;
  AwsError reason_;
  CancelNode* parent_node_ = nullptr;  // owned
};

// The reason a scope gives when it stops; never sent to a client.
AwsError stopped_error();
// The reason of an expired deadline.
AwsError deadline_error();

}  // namespace virga::async
