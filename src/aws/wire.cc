#include "aws/wire.h"

#include <set>
#include <unordered_map>

#include "aws/cbor_codec.h"
#include "aws/json_codec.h"
#include "aws/query_codec.h"
#include "aws/rest_binding.h"
#include "aws/router.h"
#include "aws/scalar_text.h"
#include "aws/xml_codec.h"
#include "base/document.h"
#include "base/strings.h"

// Requests: finding the operation and decoding its input. Answers are in wire_answer.cc, errors in
// wire_error.cc.
namespace virga::aws {
namespace {

const PathRouter& router_of(const ServiceDesc& service) {
  thread_local std::unordered_map<const ServiceDesc*, std::unique_ptr<PathRouter>> routers;
  auto& router = routers[&service];
  if (!router) router = std::make_unique<PathRouter>(service);
  return *router;
}

bool is_rest(Protocol p) {
  return p == Protocol::rest_json || p == Protocol::rest_xml;
}

std::unexpected<AwsError> unknown_operation(Protocol protocol, std::string_view name) {
  if (protocol == Protocol::query) {
    return fail("InvalidAction", 400,
                "The action " + std::string(name) + " is not valid for this web service.");
  }
  return fail("UnknownOperationException", 400, "");
}

// What the model knows below a bucket ("?acl"), or below an object.
struct S3SubResources {
  std::set<std::string, std::less<>> of_bucket, of_object;
};

S3SubResources s3_sub_resources(const ServiceDesc& service) {
  S3SubResources out;
  for (const OperationDesc& op : service.operations) {
    const size_t question = op.uri.find('?');
    if (question == std::string_view::npos) continue;
    auto& names = op.uri.find("{Key+}") == std::string_view::npos ? out.of_bucket : out.of_object;
    const auto literals = parse_query(op.uri.substr(question + 1));
    if (literals.front().second.empty()) names.insert(literals.front().first);
  }
  return out;
}

enum class S3Level { service, bucket, object };

S3Level s3_level(std::string_view path) {
  if (path.size() < 2) return S3Level::service;
  const size_t slash = path.find('/', 1);
  const bool bucket = slash == std::string_view::npos || slash + 1 == path.size();
  return bucket ? S3Level::bucket : S3Level::object;
}

// The sub-resource that a request names, as MethodNotAllowed calls it; empty: none.
std::string s3_sub_resource_type(const ServiceDesc& service, const WireRequest& request) {
  const S3Level level = s3_level(request.path);
  if (request.query.empty() || level == S3Level::service) return {};
  thread_local const S3SubResources known = s3_sub_resources(service);
  const auto& names = level == S3Level::object ? known.of_object : known.of_bucket;
  for (const auto& [name, value] : parse_query(request.query)) {
    if (!names.contains(name)) continue;
    std::string type = name == "policy" ? "BUCKETPOLICY" : name;
    std::erase(type, '-');
    for (char& c : type) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return type;
  }
  return {};
}

// What S3 answers to a method that a path does not have; a POST to a bucket can only be a form.
// Source: S3 API Reference, "List of error codes"; recorded answers.
AwsError s3_method_not_allowed(const ServiceDesc& service, const WireRequest& request) {
  const S3Level level = s3_level(request.path);
  std::string type = s3_sub_resource_type(service, request);
  if (type.empty() && level == S3Level::bucket && request.method == "POST") {
    return {.code = "PreconditionFailed",
            .http_status = 412,
            .message = "At least one of the pre-conditions you specified did not hold",
            .detail = std::make_shared<const Document>(Document::object().set(
                "Condition", "Bucket POST must be of the enclosure-type multipart/form-data"))};
  }
  if (type.empty()) {
    type = level == S3Level::service ? "SERVICE" : level == S3Level::bucket ? "BUCKET" : "OBJECT";
  }
  return {
      .code = "MethodNotAllowed",
      .http_status = 405,
      .message = "The specified method is not allowed against this resource.",
      .detail = std::make_shared<const Document>(
          Document::object().set("Method", request.method).set("ResourceType", std::move(type)))};
}

// A sub-resource with a method that it lacks must not end at the bucket or the object itself: a
// DELETE of "?acl" deletes nothing. HEAD looks at the object whatever it names.
Result<void> check_s3_sub_resource(const OperationDesc& op, const WireRequest& request) {
  const bool plain = op.uri.find('?') == std::string_view::npos;
  if (!plain || request.query.empty() || request.method == "HEAD") return {};
  if (s3_sub_resource_type(*op.service, request).empty()) return {};
  return fail(s3_method_not_allowed(*op.service, request));
}

// What parameters say about a multipart upload's requests that the model's paths do not.
Result<void> check_s3_upload_parameters(const OperationDesc& op, const WireRequest& request) {
  const bool completes = op.name == "CompleteMultipartUpload";
  const bool writes = op.name == "PutObject" || op.name == "CopyObject";
  if (!completes && (!writes || request.query.empty())) return {};
  bool upload = false, part = false;
  for (const auto& [name, value] : parse_query(request.query)) {
    upload = upload || name == "uploadId";
    part = part || name == "partNumber";
  }
  if (completes) return upload ? Result<void>() : fail(s3_method_not_allowed(*op.service, request));
  // A part that lacks half of its address must not become an object.
  if (upload == part) return {};
  const char* const there = upload ? "uploadId" : "partNumber";
  const char* const missing = upload ? "partNumber" : "uploadId";
  return fail(AwsError{
      .code = "InvalidArgument",
      .http_status = 400,
      .message = std::string("This operation does not accept ") + there + " without " + missing,
      .detail = std::make_shared<const Document>(
          Document::object().set("ArgumentName", missing).set("ArgumentValue", "null"))});
}

Result<Match> match_path(const ServiceDesc& service, Protocol protocol,
                         const WireRequest& request) {
  auto found = router_of(service).find(request);
  if (found.operation) {
    if (service.buckets) {
      VIRGA_TRY_VOID(check_s3_sub_resource(*found.operation, request));
      VIRGA_TRY_VOID(check_s3_upload_parameters(*found.operation, request));
    }
    return Match{found.operation, protocol, std::move(found.labels)};
  }
  if (service.buckets) return fail(s3_method_not_allowed(service, request));
  if (!service.unknown_path_code.empty()) {
    return fail(std::string(service.unknown_path_code), 403,
                std::string(service.unknown_path_message));
  }
  return fail("UnknownOperationException", found.miss == PathRouter::Miss::method ? 405 : 404, "");
}

// The operation's name in an RPC path, or empty.
std::string_view rpc_operation(std::string_view path) {
  constexpr std::string_view kMark = "/operation/";
  const auto at = path.rfind(kMark);
  return at == std::string_view::npos ? std::string_view() : path.substr(at + kMark.size());
}

std::string form_value(const WireRequest& request, std::string_view name) {
  for (const auto text : {request.query, request.body}) {
    for (const auto& [key, value] : parse_query(text)) {
      if (key == name) return value;
    }
  }
  return {};
}

Result<void> read_payload(const Match& match, WireRequest& request, const MemberDesc& m,
                          void* object, MemberSet& seen, DecodeNotes& notes) {
  const StructDesc& shape = *match.operation->input;
  const TypeDesc& type = *m.type;
  if (type.kind == Kind::byte_source) {
    if (!request.stream)
      request.stream = std::make_unique<async::StringSource>(std::string(request.body));
    *static_cast<std::unique_ptr<async::ByteSource>*>(set_member(m, object)) =
        std::move(request.stream);
    seen.add(shape, m);
    return {};
  }
  const bool of_s3 = match.operation->service->buckets;
  if (request.body.empty()) {
    if (!of_s3 || !m.required() || type.kind != Kind::structure) return {};
    return fail("MissingRequestBodyError", 400, "Request Body is empty");
  }
  if (type.kind == Kind::blob || type.kind == Kind::string) {
    *static_cast<std::string*>(set_member(m, object)) = std::string(request.body);
    seen.add(shape, m);
    return {};
  }
  if (match.protocol == Protocol::rest_xml) {
    VIRGA_TRY(root, parse_xml(request.body));
    if (of_s3 && root.local_name() != m.wire) return fail(malformed_xml());
    const DecodePath here = DecodePath::member(nullptr, m.name);
    seen.add(shape, m);
    return read_xml_value(root, type, set_member(m, object), &here, notes);
  }
  seen.add(shape, m);
  return read_json_value(request.body, type, set_member(m, object), m.name, notes);
}

bool has_body_members(const StructDesc& shape) {
  for (const MemberDesc& m : shape.members) {
    if (m.location == Location::body) return true;
  }
  return false;
}

Result<void> read_rest(const Match& match, WireRequest& request, void* object, MemberSet& seen,
                       DecodeNotes& notes) {
  const StructDesc& shape = *match.operation->input;
  VIRGA_TRY_VOID(read_bindings(match, request, shape, object, seen));
  if (shape.payload) return read_payload(match, request, *shape.payload, object, seen, notes);
  if (!has_body_members(shape)) return {};
  if (match.protocol == Protocol::rest_json) {
    return read_json_struct(request.body, shape, object, Members::body_only, seen, notes);
  }
  if (trim(request.body).empty()) return {};
  VIRGA_TRY(root, parse_xml(request.body));
  return read_xml_struct(root, shape, object, nullptr, seen, notes);
}

// Some query services let a request's path name what it is about.
void add_path_member(const OperationDesc& op, std::string_view path,
                     std::vector<std::pair<std::string, std::string>>& form) {
  const std::string_view name = op.service->path_member;
  if (name.empty() || path.size() < 2 || !find_member(*op.input, name)) return;
  for (const auto& [key, value] : form) {
    if (key == name) return;
  }
  form.emplace_back(name, percent_decode(path).value_or(std::string(path)));
}

}  // namespace

std::string_view WireRequest::header(std::string_view name) const {
  if (headers) {
    for (const auto& h : *headers) {
      if (h.name.size() == name.size() && iequals(h.name, name)) return h.value;
    }
  }
  return {};
}

bool WireRequest::has_header(std::string_view name) const {
  if (headers) {
    for (const auto& h : *headers) {
      if (h.name.size() == name.size() && iequals(h.name, name)) return true;
    }
  }
  return false;
}

Protocol protocol_of(const ServiceDesc& service, const WireRequest& request) {
  if (service.speaks(Protocol::cbor) && request.header("smithy-protocol") == "rpc-v2-cbor")
    return Protocol::cbor;
  if (service.speaks(Protocol::json) && request.has_header("x-amz-target")) return Protocol::json;
  if (service.speaks(Protocol::query) &&
      (request.header("content-type").starts_with("application/x-www-form-urlencoded") ||
       request.method == "GET")) {
    return Protocol::query;
  }
  return service.protocols.empty() ? Protocol::json : service.protocols[0];
}

Result<Match> match_operation(const ServiceDesc& service, const WireRequest& request) {
  const Protocol protocol = protocol_of(service, request);
  if (is_rest(protocol)) return match_path(service, protocol, request);
  std::string action;
  std::string_view name;
  if (protocol == Protocol::cbor) {
    name = rpc_operation(request.path);
  } else if (protocol == Protocol::query) {
    action = form_value(request, "Action");
    name = action;
  } else {
    const auto target = request.header("x-amz-target");
    const auto dot = target.rfind('.');
    const bool mine =
        dot != std::string_view::npos &&
        (service.target_prefix.empty() || target.substr(0, dot) == service.target_prefix);
    if (mine) name = target.substr(dot + 1);
  }
  const OperationDesc* op = find_operation(service, name);
  if (!op) return unknown_operation(protocol, name);
  return Match{op, protocol, {}};
}

Result<InputBox> decode_input(const Match& match, WireRequest& request, DecodeNotes& notes) {
  const StructDesc& shape = *match.operation->input;
  InputBox box = InputBox::make(shape);
  MemberSet seen;
  switch (match.protocol) {
    case Protocol::json:
      VIRGA_TRY_VOID(
          read_json_struct(request.body, shape, box.object(), Members::all, seen, notes));
      break;
    case Protocol::cbor:
      VIRGA_TRY_VOID(read_cbor_struct(request.body, shape, box.object(), seen, notes));
      break;
    case Protocol::query: {
      auto form = parse_query(request.query);
      for (auto& parameter : parse_query(request.body)) form.push_back(std::move(parameter));
      add_path_member(*match.operation, request.path, form);
      VIRGA_TRY_VOID(read_query_struct(form, shape, box.object(), notes));
      return box;  // its missing members are noted already
    }
    case Protocol::rest_json:
    case Protocol::rest_xml:
      VIRGA_TRY_VOID(read_rest(match, request, box.object(), seen, notes));
      break;
  }
  note_missing(shape, seen, nullptr, notes);
  return box;
}

}  // namespace virga::aws
