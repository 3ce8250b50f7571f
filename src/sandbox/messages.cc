#include "sandbox/messages.h"

#include <errno.h>
#include <string.h>

#include "sandbox/jail.h"

namespace virga::sandbox {
namespace {

struct Header {
  uint32_t op;
  uint32_t sandbox;
  int64_t values[4];
};

}  // namespace

int send_message(int socket, const Message& message) {
  Header header{static_cast<uint32_t>(message.op), message.sandbox, {}};
  memcpy(header.values, message.values, sizeof header.values);
  std::string bytes(sizeof header + message.text.size(), '\0');
  if (bytes.size() > kMessageMax) return EMSGSIZE;
  memcpy(bytes.data(), &header, sizeof header);
  memcpy(bytes.data() + sizeof header, message.text.data(), message.text.size());
  return vj_send(socket, bytes.data(), bytes.size(), message.fds.data(),
                 static_cast<int>(message.fds.size()));
}

bool receive_message(int socket, Message* message, bool* got) {
  static thread_local std::vector<char> buffer(kMessageMax);
  int fds[VJ_FDS_MAX];
  int fd_count = 0;
  *got = false;
  long size = vj_receive(socket, buffer.data(), buffer.size(), fds, VJ_FDS_MAX, &fd_count);
  // A peer that ended with messages of ours unread is reported once, before its own last words are.
  if (size < 0 && errno == ECONNRESET)
    size = vj_receive(socket, buffer.data(), buffer.size(), fds, VJ_FDS_MAX, &fd_count);
  if (size < 0) return errno == EAGAIN;
  if (size < static_cast<long>(sizeof(Header))) return false;
  Header header;
  memcpy(&header, buffer.data(), sizeof header);
  message->op = static_cast<Op>(header.op);
  message->sandbox = header.sandbox;
  memcpy(message->values, header.values, sizeof header.values);
  message->text.assign(buffer.data() + sizeof header, static_cast<size_t>(size) - sizeof header);
  message->fds.assign(fds, fds + fd_count);
  *got = true;
  return true;
}

}  // namespace virga::sandbox
