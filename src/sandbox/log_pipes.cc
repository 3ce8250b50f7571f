#include "sandbox/log_pipes.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>

namespace virga::sandbox {
namespace {

// A frame: type 0xa55a0003, length, microseconds since 1970, all big-endian, then the text.
// Source: aws-lambda-python-runtime-interface-client, lambda_runtime_log_utils
// (FramedTelemetryLogSink).
constexpr size_t kFrameHead = 16;
constexpr uint32_t kFrameType = 0xa55a0003, kFrameTypeMask = 0xffff0000;
// One burst: what a drain reads at most, so that a flooding function cannot hold the loop.
constexpr size_t kDrainBytesMax = 4 * 1024 * 1024;

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
  return value;
}

}  // namespace

LogPipe::LogPipe(async::Loop& loop, Fd fd, LogStream stream, const LogSink& sink)
    : loop_(loop), fd_(std::move(fd)), stream_(stream), sink_(sink) {
  loop_.add_fd(fd_.get(), EPOLLIN, *this);
}

LogPipe::~LogPipe() {
  if (fd_.get() >= 0) loop_.remove_fd(fd_.get());
}

void LogPipe::give(std::string_view text) {
  if (sink_) sink_(stream_, text);
}

bool LogPipe::read_some() {
  if (fd_.get() < 0) return false;
  char part[65536];
  const ssize_t got = ::read(fd_.get(), part, sizeof part);
  if (got > 0) {
    buffer_.append(part, static_cast<size_t>(got));
    stream_ == LogStream::record ? deliver_records() : deliver_lines();
    return true;
  }
  if (got == 0 || errno != EAGAIN) {
    loop_.remove_fd(fd_.get());
    fd_ = Fd();
  }
  return false;
}

void LogPipe::on_events(uint32_t) {
  read_some();
}

void LogPipe::drain(const std::vector<std::unique_ptr<LogPipe>>& pipes) {
  // Most invocations log nothing: one call tells that, where each read would be one.
  pollfd waits[4];
  const size_t count = std::min(pipes.size(), std::size(waits));
  for (size_t i = 0; i < count; ++i) waits[i] = {pipes[i]->fd_.get(), POLLIN, 0};
  if (::poll(waits, count, 0) < 0) return;
  for (size_t i = 0; i < count; ++i) {
    if (waits[i].revents != 0) pipes[i]->drain();
    pipes[i]->deliver_unfinished();
  }
}

void LogPipe::drain() {
  for (size_t done = 0; done < kDrainBytesMax && read_some(); done += 65536) {
  }
}

void LogPipe::deliver_unfinished() {
  if (stream_ != LogStream::record && !buffer_.empty()) {
    const std::string rest = std::move(buffer_);
    buffer_.clear();
    give(rest);
  }
}

void LogPipe::deliver_lines() {
  size_t at = 0;
  for (;;) {
    const size_t end = buffer_.find('\n', at);
    const size_t limit = std::min(end, at + kLogEventBytesMax);
    if (limit == std::string::npos || limit > buffer_.size()) break;
    size_t stop = limit;
    if (limit == end && stop > at && buffer_[stop - 1] == '\r') --stop;
    give(std::string_view(buffer_).substr(at, stop - at));
    at = limit == end ? limit + 1 : limit;
  }
  buffer_.erase(0, at);
}

void LogPipe::deliver_records() {
  size_t at = 0;
  while (buffer_.size() - at >= kFrameHead) {
    const std::string_view rest = std::string_view(buffer_).substr(at);
    const size_t size = big_endian(rest.substr(4));
    if ((big_endian(rest) & kFrameTypeMask) != (kFrameType & kFrameTypeMask) ||
        size > 4 * kLogEventBytesMax) {
      buffer_.clear();  // user code wrote to the descriptor itself: what cannot be framed is lost
      return;
    }
    if (rest.size() < kFrameHead + size) break;
    std::string_view text = rest.substr(kFrameHead, size);
    if (text.ends_with('\n')) text.remove_suffix(1);
    give(text.substr(0, kLogEventBytesMax));
    at += kFrameHead + size;
  }
  buffer_.erase(0, at);
}

}  // namespace virga::sandbox
