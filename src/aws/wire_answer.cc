#include "aws/cbor_codec.h"
#include "aws/event_stream.h"
#include "aws/json_codec.h"
#include "aws/rest_binding.h"
#include "aws/scalar_text.h"
#include "aws/wire.h"
#include "aws/wire_common.h"
#include "aws/xml_codec.h"
#include "base/hashing.h"
#include "base/strings.h"

// Answers: output structures to status, headers and body.
namespace virga::aws {
namespace {

constexpr size_t kAnswerBytes = 480;  // a usual answer grows no more

std::string_view root_name(const OperationDesc& op) {
  if (!op.output_element.empty()) return op.output_element;
  return op.output->xml_name.empty() ? op.output->name : op.output->xml_name;
}

std::string query_body(const OperationDesc& op, const OutputBox& output,
                       std::string_view request_id) {
  std::string body;
  XmlWriter writer(body);
  const std::string response = std::string(op.name) + "Response";
  writer.open(response);
  if (!op.service->xml_namespace.empty()) writer.attribute("xmlns", op.service->xml_namespace);
  if (op.has_output) {
    const std::string wrapper = op.result_wrapper.empty() ? std::string(op.name) + "Result"
                                                          : std::string(op.result_wrapper);
    writer.open(wrapper);
    write_xml_members(writer, *op.output, output.object());
    writer.close(wrapper);
  }
  writer.open("ResponseMetadata");
  writer.element("RequestId", request_id);
  writer.close("ResponseMetadata");
  writer.close(response);
  return body;
}

// S3's times always have milliseconds, which are zeros. Source: S3 API Reference, ListObjectsV2.
std::string xml_document(std::string_view root, const XmlNamespace* ns, const ServiceDesc& service,
                         const StructDesc& shape, const void* object) {
  std::string body;
  XmlWriter writer(body, service.buckets ? XmlWriter::Millis::always : XmlWriter::Millis::when_any);
  writer.declaration();
  writer.open(root);
  if (ns) {
    write_xml_namespace(writer, ns);
  } else if (!service.xml_namespace.empty()) {
    writer.attribute("xmlns", service.xml_namespace);
  }
  write_xml_attributes(writer, shape, object);
  write_xml_members(writer, shape, object);
  writer.close(root);
  return body;
}

bool answers_in_body(const StructDesc& shape) {
  for (const MemberDesc& m : shape.members) {
    if (in_answer_body(m)) return true;
  }
  return false;
}

void default_type(net::HttpResponse& response, std::string_view type) {
  if (!response.headers.find("content-type")) response.headers.set("Content-Type", type);
}

void write_events(const OperationDesc& op, Protocol protocol, OutputBox& output,
                  const MemberDesc& m, net::HttpResponse& response) {
  // The slot is a unique_ptr<EventSource<Event>>, whose only base is AnyEventSource at the same
  // address.
  void* slot = static_cast<char*>(output.object()) + m.offset;
  auto& source = *static_cast<std::unique_ptr<AnyEventSource>*>(slot);
  std::optional<std::string> initial;
  if (protocol == Protocol::json) {
    JsonWriter writer(initial.emplace());
    write_json_struct(writer, *op.output, output.object(), Members::all);
  }
  response.stream =
      make_event_body(std::move(source), *m.type->structure, protocol, std::move(initial));
  response.headers.set("Content-Type", "application/vnd.amazon.eventstream");
}

void write_xml_payload(const OperationDesc& op, const MemberDesc& m, const void* value,
                       net::HttpResponse& response) {
  const StructDesc& shape = *m.type->structure;
  const std::string_view root = m.is(kExplicitName)      ? m.wire
                                : shape.xml_name.empty() ? m.wire
                                                         : shape.xml_name;
  const XmlNamespace* ns = m.xml_namespace ? m.xml_namespace : shape.xml_namespace;
  response.body = xml_document(root, ns, *op.service, shape, value);
  default_type(response, "application/xml");
}

void write_payload(const OperationDesc& op, Protocol protocol, OutputBox& output,
                   const MemberDesc& m, net::HttpResponse& response) {
  if (m.type->kind == Kind::event_stream) return write_events(op, protocol, output, m, response);
  const void* value = get_member(m, output.object());
  if (m.type->kind == Kind::byte_source) {
    default_type(response, "application/octet-stream");
    if (value) {
      void* slot = static_cast<char*>(output.object()) + m.offset;
      response.stream = std::move(*static_cast<std::unique_ptr<async::ByteSource>*>(slot));
    }
    return;
  }
  if (m.type->kind == Kind::blob || m.type->kind == Kind::string) {
    if (value) response.body = *static_cast<const std::string*>(value);
    return default_type(response,
                        m.type->kind == Kind::blob ? "application/octet-stream" : "text/plain");
  }
  if (protocol == Protocol::rest_xml) {
    if (value) write_xml_payload(op, m, value, response);
    return;
  }
  if (value) {
    JsonWriter writer(response.body);
    write_json_value(writer, *m.type, value);
  }
  default_type(response, "application/json");
}

// GetBucketLocation's answer is its one member, without an element around it: the root has that
// member's name. Source: Smithy, "aws.customizations#s3UnwrappedXmlOutput".
const MemberDesc* unwrapped_member(const OperationDesc& op) {
  const StructDesc& shape = *op.output;
  if (shape.members.size() != 1 || root_name(op) != shape.members[0].wire) return nullptr;
  return shape.members[0].type->kind == Kind::string ? &shape.members[0] : nullptr;
}

std::string unwrapped_document(const OperationDesc& op, const MemberDesc& member,
                               const void* object) {
  std::string body;
  XmlWriter writer(body);
  writer.declaration();
  writer.open(member.wire);
  writer.attribute("xmlns", op.service->xml_namespace);
  if (const void* value = get_member(member, object))
    writer.text(*static_cast<const std::string*>(value));
  writer.close(member.wire);
  return body;
}

const MemberDesc* event_member(const StructDesc& shape) {
  for (const MemberDesc& m : shape.members) {
    if (m.type->kind == Kind::event_stream) return &m;
  }
  return nullptr;
}

void write_rest(const OperationDesc& op, Protocol protocol, OutputBox& output,
                net::HttpResponse& response) {
  const StructDesc& shape = *op.output;
  write_bindings(shape, output.object(), response);
  // An answer that says which part it is, is one. Source: RFC 9110 §15.3.7.
  if (response.status == 200 && response.headers.find("content-range")) response.status = 206;
  // Told by the body itself, but for answers to HEAD.
  if (const auto length = response.headers.find("content-length")) {
    if (const auto bytes = parse_int(*length); bytes && *bytes >= 0)
      response.head_length = static_cast<uint64_t>(*bytes);
    response.headers.remove("content-length");
  }
  if (shape.payload) return write_payload(op, protocol, output, *shape.payload, response);
  if (const MemberDesc* events = event_member(shape))
    return write_events(op, protocol, output, *events, response);
  if (protocol == Protocol::rest_json) {
    if (!op.has_output || response.status == 204) return;
    JsonWriter writer(response.body);
    write_json_struct(writer, shape, output.object(), Members::answer);
    return default_type(response, "application/json");
  }
  if (!answers_in_body(shape)) return;
  const MemberDesc* only = unwrapped_member(op);
  response.body =
      only ? unwrapped_document(op, *only, output.object())
           : xml_document(root_name(op), shape.xml_namespace, *op.service, shape, output.object());
  default_type(response, "application/xml");
}

}  // namespace

void write_envelope(const ServiceDesc& service, std::string_view request_id,
                    net::HttpResponse& response) {
  response.headers.add(service.request_id_header, request_id);
  if (service.buckets) {
    response.headers.add("x-amz-id-2", std::string(request_id) + "/virga");
    response.headers.add("Server", "AmazonS3");
  }
  if (service.body_crc32) response.headers.add("x-amz-crc32", std::to_string(crc32(response.body)));
}

std::string_view json_content_type(const ServiceDesc& service) {
  return service.json_version == "1.1" ? "application/x-amz-json-1.1"
                                       : "application/x-amz-json-1.0";
}

net::HttpResponse encode_output(const OperationDesc& op, Protocol protocol, OutputBox output,
                                std::string_view request_id) {
  net::HttpResponse response;
  response.status = op.status;
  switch (protocol) {
    case Protocol::json:
      if (const MemberDesc* events = event_member(*op.output)) {
        write_events(op, protocol, output, *events, response);
        break;
      }
      if (op.has_output) {
        response.body.reserve(kAnswerBytes);
        JsonWriter writer(response.body);
        write_json_struct(writer, *op.output, output.object(), Members::all);
      }
      response.headers.add("Content-Type", json_content_type(*op.service));
      break;
    case Protocol::cbor:
      if (op.has_output) {
        write_cbor_struct(response.body, *op.output, output.object());
        response.headers.set("Content-Type", "application/cbor");
      }
      response.headers.set("smithy-protocol", "rpc-v2-cbor");
      break;
    case Protocol::query:
      response.body = query_body(op, output, request_id);
      response.headers.set("Content-Type", "text/xml");
      break;
    case Protocol::rest_json:
    case Protocol::rest_xml:
      write_rest(op, protocol, output, response);
      break;
  }
  write_envelope(*op.service, request_id, response);
  return response;
}

}  // namespace virga::aws
