#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/byte_stream.h"
#include "aws/event_source.h"
#include "aws/operation.h"

// The framing application/vnd.amazon.eventstream and its modelled use.
// Source: Amazon Transcribe Developer Guide, "Event stream encoding"; Smithy documentation, "Event
// stream".
namespace virga::aws {

struct EventMessage {
  std::vector<std::pair<std::string, std::string>>
      headers;  // string headers (type 7); others are not used by us
  std::string payload;

  std::string_view header(std::string_view name) const;
};

void append_event_message(std::string& out, const EventMessage& message);
// The first whole message of `bytes`: how many bytes it took, 0 when more are needed. A broken one
// is an error.
Result<size_t> read_event_message(std::string_view bytes, EventMessage& out);

// An answer's event stream as a body: pulled, one message per event, an error as an exception
// message and then the end. `initial` is the initial-response message's payload for RPC protocols,
// or none.
std::unique_ptr<async::ByteSource> make_event_body(std::unique_ptr<AnyEventSource> source,
                                                   const StructDesc& events, Protocol protocol,
                                                   std::optional<std::string> initial);

}  // namespace virga::aws
