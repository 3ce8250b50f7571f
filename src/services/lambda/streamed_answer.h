#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "async/byte_pipe.h"

namespace virga::lambda {

// An answer that its function streams, on the way to who takes it while it is written. Shared by
// the run and the taker; lives on the home loop.
class StreamedAnswer {
 public:
  void begin(std::string_view content_type) {
    begun_ = true;
    content_type_ = content_type;
    changed.set();
  }
  // False: enough for now, `resume` is called later.
  bool piece(std::string_view bytes, std::function<void()> resume) {
    if (pipe.push(bytes)) return true;
    pipe.on_room = std::move(resume);
    return false;
  }

  bool begun() const { return begun_; }
  const std::string& content_type() const { return content_type_; }

  async::BytePipe pipe;
  async::Event changed;  // it began, or the run ended

 private:
  bool begun_ = false;
  std::string content_type_;
};

}  // namespace virga::lambda
