#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "async/task.h"
#include "aws/shape.h"

namespace virga::aws {

// Any event stream, for the codecs: an empty box means the end.
class AnyEventSource {
 public:
  virtual ~AnyEventSource() = default;
  virtual Task<StructBox> next_any() = 0;
};

// Events of a modelled event stream, pulled: the union of the model, one member set in each. The
// reader's pace is the back-pressure. nullopt means the end; an error ends the stream too (clients
// see it as an exception event). One loop, one reader; next() is not called again before the last
// one has ended.
template <class Event>
class EventSource : public AnyEventSource {
 public:
  virtual Task<std::optional<Event>> next() = 0;
  Task<StructBox> next_any() final {
    std::optional<Event> event = co_await next();
    StructBox box;
    if (event) box = StructBox::hold<Event>(std::move(*event));
    co_return std::move(box);
  }
};

// Events that are all there from the start.
template <class Event>
class EventList final : public EventSource<Event> {
 public:
  explicit EventList(std::deque<Event> events) : events_(std::move(events)) {}
  Task<std::optional<Event>> next() override {
    std::optional<Event> event;
    if (!events_.empty()) {
      event.emplace(std::move(events_.front()));
      events_.pop_front();
    }
    co_return std::move(event);
  }

 private:
  std::deque<Event> events_;
};

}  // namespace virga::aws
