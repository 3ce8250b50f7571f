#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/byte_stream.h"
#include "aws/operation.h"
#include "net/http_message.h"

// Between bytes and structures: which operation a request means, its input, the answer's bytes.
// Server side of the wire protocols awsJson 1.0/1.1, restJson, restXml, query and rpc-v2-cbor.
// Stateless; any thread.
namespace virga::aws {

// What a request looks like to the codecs. Views into the exchange.
struct WireRequest {
  std::string_view method;
  std::string_view path;   // as sent, percent-encoded, with its '/'; of S3 in path form
  std::string_view query;  // as sent, without '?'
  const std::vector<net::HeaderView>* headers = nullptr;
  std::string_view body;  // whole and decoded (no chunks, no gzip), unless it is streamed
  std::unique_ptr<async::ByteSource> stream;  // for operations with OperationDesc::streams_input

  std::string_view header(std::string_view name) const;  // empty when absent
  bool has_header(std::string_view name) const;
};

// What decoding found missing: required members without a value, as paths in AWS's words
// ("keySchema.1.member.keyType"). That is for the constraint check to refuse, long after the syntax
// was accepted.
struct DecodeNotes {
  std::vector<std::string> missing;
};

struct Match {
  const OperationDesc* operation = nullptr;
  Protocol protocol = Protocol::json;
  std::vector<std::pair<std::string_view, std::string>>
      labels;  // of the uri, decoded: {"FunctionName", "f"}
};

// Finds the operation within a service, by target, action, RPC path or REST path, whatever the
// request speaks. For query requests the body is looked at. Errors are the service's own for
// unknown operations.
Result<Match> match_operation(const ServiceDesc& service, const WireRequest& request);

// The input. A syntax error is the protocol's SerializationException (or the service's word for
// it).
Result<InputBox> decode_input(const Match& match, WireRequest& request, DecodeNotes& notes);

// The answer. Takes the output because a stream in it becomes the body's source.
net::HttpResponse encode_output(const OperationDesc& operation, Protocol protocol, OutputBox output,
                                std::string_view request_id);
// An error answer in the family's form. The operation may be unknown (null).
net::HttpResponse encode_error(const ServiceDesc& service, const OperationDesc* operation,
                               Protocol protocol, const AwsError& error,
                               std::string_view request_id);
// The protocol that an unrecognisable request to the service should be refused in.
Protocol protocol_of(const ServiceDesc& service, const WireRequest& request);

}  // namespace virga::aws
