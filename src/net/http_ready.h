#pragma once

#include "net/http_connection.h"

// Inside of the HTTP server; nobody else includes this.
namespace virga::net {

// `co_await Ready{*this, EPOLLIN, ms};` : until the socket is ready, the time is over (timed_out_),
// or somebody wants the connection to look around (drain, abort).
struct Ready {
  HttpConnection& c;
  uint32_t events;
  int64_t ms;
  bool await_ready() const { return c.hung_up_ || c.aborted_; }
  void await_suspend(std::coroutine_handle<> h) {
    c.waiter_ = h;
    c.wanted_ = events;
    c.deadline_ = c.server_.coarse_now.plus_millis(ms);
    c.watch(events);
  }
  void await_resume() { c.deadline_ = {std::numeric_limits<int64_t>::max()}; }
};

}  // namespace virga::net
