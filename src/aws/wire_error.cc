#include "aws/cbor_codec.h"
#include "aws/json_codec.h"
#include "aws/rest_binding.h"
#include "aws/scalar_text.h"
#include "aws/wire.h"
#include "aws/wire_common.h"
#include "aws/xml_codec.h"
#include "base/strings.h"

// Error answers, each family in its own form. Source: client contract, "Envelope of answers";
// recorded answers.
namespace virga::aws {
namespace {

// All that is known of one error, whatever form it takes.
struct Facts {
  const ServiceDesc& service;
  const AwsError& error;
  const ErrorDesc* model;  // null: a common error that the service does not model
  int status;
  std::string_view request_id;

  std::string_view code() const { return model ? model->code : std::string_view(error.code); }
  bool sender() const { return model ? model->sender : status < 500; }
};

const MemberDesc* message_member(const ErrorDesc* model) {
  if (!model) return nullptr;
  for (const MemberDesc& m : model->shape->members) {
    if (iequals(m.name, "message") && m.type->kind == Kind::string) return &m;
  }
  return nullptr;
}

// Codes of the framework in front of DynamoDB that say "Message" where its own say "message".
// Source: recorded answers, as published in dynalite's test-suite.
bool upper_case_message(const Facts& f) {
  return !f.service.error_namespace.empty() && !f.model &&
         (f.error.code == "SerializationException" || f.error.code == "AccessDeniedException");
}

std::string_view message_key(const Facts& f) {
  if (const MemberDesc* m = message_member(f.model)) return m->wire;
  return upper_case_message(f) ? "Message" : "message";
}

// "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException".
std::string type_text(const Facts& f) {
  std::string out;
  if (!f.service.error_namespace.empty()) {
    if (f.error.code == "ValidationException") {
      out = "com.amazon.coral.validate";
    } else {
      out = f.model && !f.model->common ? f.service.error_namespace
                                        : std::string_view("com.amazon.coral.service");
    }
    out += '#';
  }
  return out + f.error.code;
}

// The modelled members of the error beside its message, by wire name.
template <class Visit>
void each_detail(const Facts& f, Visit visit) {
  if (!f.error.detail || !f.error.detail->is_object()) return;
  for (const auto& [name, value] : f.error.detail->as_object()) {
    const MemberDesc* m = f.model ? find_member(*f.model->shape, name) : nullptr;
    visit(m, m ? m->wire : std::string_view(name), value);
  }
}

// A detail value with its members' wire names.
Document on_the_wire(const TypeDesc* type, const Document& value) {
  if (!type) return value;
  if (type->kind == Kind::structure && value.is_object()) {
    Document out = Document::object();
    for (const auto& [name, member] : value.as_object()) {
      const MemberDesc* m = find_member(*type->structure, name);
      out.set(m ? m->wire : std::string_view(name), on_the_wire(m ? m->type : nullptr, member));
    }
    return out;
  }
  if (type->kind == Kind::list && value.is_array()) {
    Document out = Document::array();
    for (const Document& item : value.as_array()) out.push(on_the_wire(type->element, item));
    return out;
  }
  return value;
}

std::string header_value(const Document& value) {
  return value.is_string() ? value.as_string() : to_json(value);
}

void write_json(const Facts& f, bool rest, net::HttpResponse& response) {
  JsonWriter writer(response.body);
  writer.begin_object();
  if (!rest) {
    writer.key("__type");
    writer.string(type_text(f));
  }
  const MemberDesc* type = rest && f.model ? find_member(*f.model->shape, "Type") : nullptr;
  if (type && !(f.error.detail && f.error.detail->find("Type"))) {
    writer.key(type->wire);
    writer.string(f.status < 500 ? "User" : "Service");
  }
  // An unnamed syntax or routing error of the framework has no message at all.
  if (!f.error.message.empty() || f.model) {
    writer.key(message_key(f));
    writer.string(f.error.message);
  }
  each_detail(f, [&](const MemberDesc* m, std::string_view name, const Document& value) {
    if (rest && m && m->location == Location::header) {
      response.headers.set(name, header_value(value));
      return;
    }
    writer.key(name);
    writer.raw(to_json(on_the_wire(m ? m->type : nullptr, value)));
  });
  writer.end_object();
  response.headers.set("Content-Type", rest ? "application/json" : json_content_type(f.service));
  if (rest) response.headers.set("x-amzn-ErrorType", f.error.code);
}

void write_cbor(const Facts& f, net::HttpResponse& response) {
  Document body = Document::object();
  body.set("__type", type_text(f));
  body.set(message_key(f), f.error.message);
  each_detail(f, [&](const MemberDesc* m, std::string_view name, const Document& value) {
    body.set(name, on_the_wire(m ? m->type : nullptr, value));
  });
  write_cbor_document(response.body, body);
  response.headers.set("Content-Type", "application/cbor");
  response.headers.set("smithy-protocol", "rpc-v2-cbor");
}

void xml_value(XmlWriter& writer, std::string_view name, const TypeDesc* type,
               const Document& value);

void xml_object(XmlWriter& writer, const TypeDesc* type, const Document& value) {
  for (const auto& [key, member] : value.as_object()) {
    const MemberDesc* m = type && type->structure ? find_member(*type->structure, key) : nullptr;
    xml_value(writer, m ? m->wire : std::string_view(key), m ? m->type : nullptr, member);
  }
}

void xml_value(XmlWriter& writer, std::string_view name, const TypeDesc* type,
               const Document& value) {
  writer.open(name);
  if (value.is_object()) {
    xml_object(writer, type, value);
  } else if (value.is_array()) {
    const std::string_view item =
        type && !type->element_name.empty() ? type->element_name : "member";
    for (const Document& element : value.as_array())
      xml_value(writer, item, type ? type->element : nullptr, element);
  } else {
    writer.text(header_value(value));
  }
  writer.close(name);
}

void xml_details(const Facts& f, XmlWriter& writer, net::HttpResponse& response) {
  each_detail(f, [&](const MemberDesc* m, std::string_view name, const Document& value) {
    if (m && m->location == Location::header) {
      response.headers.set(name, header_value(value));
    } else if (name.starts_with('@')) {  // by convention, an unmodelled header of the answer
      response.headers.set(name.substr(1), header_value(value));
    } else {
      xml_value(writer, name, m ? m->type : nullptr, value);
    }
  });
}

// <ErrorResponse><Error><Type/><Code/><Message/></Error><RequestId/></ErrorResponse>
void write_xml(const Facts& f, net::HttpResponse& response) {
  XmlWriter writer(response.body);
  if (f.service.speaks(Protocol::rest_xml)) writer.declaration();
  writer.open("ErrorResponse");
  if (!f.service.xml_namespace.empty()) writer.attribute("xmlns", f.service.xml_namespace);
  writer.open("Error");
  writer.element("Type", f.sender() ? "Sender" : "Receiver");
  writer.element("Code", f.code());
  writer.element("Message", f.error.message);
  xml_details(f, writer, response);
  writer.close("Error");
  writer.element("RequestId", f.request_id);
  writer.close("ErrorResponse");
  response.headers.set("Content-Type", "text/xml");
}

void write_s3(const Facts& f, net::HttpResponse& response) {
  response.headers.set("Content-Type", "application/xml");
  XmlWriter writer(response.body);
  writer.declaration();
  writer.open("Error");
  writer.element("Code", f.code());
  writer.element("Message", f.error.message);
  xml_details(f, writer, response);
  writer.element("RequestId", f.request_id);
  writer.element("HostId", std::string(f.request_id) + "/virga");
  writer.close("Error");
  if (f.status == 304) {
    response.body.clear();
    response.headers.remove("Content-Type");
  }
}

}  // namespace

net::HttpResponse encode_error(const ServiceDesc& service, const OperationDesc* /*operation*/,
                               Protocol protocol, const AwsError& error,
                               std::string_view request_id) {
  const ErrorDesc* model = find_error(service, error.code);
  // The model's status fills in for the default that a handler left; of query-compatible services
  // it is the query protocol's.
  const bool told = model && (!service.query_compatible || protocol == Protocol::query);
  const int status = told && error.http_status == 400 ? model->status : error.http_status;
  const Facts f{service, error, model, status, request_id};
  net::HttpResponse response;
  response.status = status;
  switch (protocol) {
    case Protocol::json:
      write_json(f, false, response);
      break;
    case Protocol::rest_json:
      write_json(f, true, response);
      break;
    case Protocol::cbor:
      write_cbor(f, response);
      break;
    case Protocol::query:
      write_xml(f, response);
      break;
    case Protocol::rest_xml:
      if (service.bare_errors) {
        write_s3(f, response);
      } else {
        write_xml(f, response);
      }
      break;
  }
  if (service.query_compatible && protocol != Protocol::query) {
    response.headers.set("x-amzn-query-error",
                         std::string(f.code()) + (f.sender() ? ";Sender" : ";Receiver"));
  }
  write_envelope(service, request_id, response);
  return response;
}

}  // namespace virga::aws
