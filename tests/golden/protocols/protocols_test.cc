// Wire cases through the production codecs: our own in this folder, and more where
// VIRGA_CONFORMANCE (or
// ../shared/conformance beside the tree) has them. A server reads what a client sends and writes
// what a client reads.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "aws/cbor_codec.h"
#include "aws/document_codec.h"
#include "aws/json_codec.h"
#include "aws/rest_binding.h"
#include "aws/router.h"
#include "aws/scalar_text.h"
#include "aws/wire.h"
#include "aws/xml_codec.h"
#include "base/json.h"
#include "base/strings.h"
#include "dynamic_model.h"

namespace virga::aws::testing {
namespace {

namespace fs = std::filesystem;

// Cases that contradict the model or another case, with the reason. At most ten.
const std::map<std::string, std::string> kExcluded = {};

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= 1e-6 * std::fabs(b);
}

double as_real(const Document& d) {
  if (d.is_number()) return d.as_double();
  if (d.is_string() && d.as_string() == "NaN") return std::nan("");
  if (d.is_string() && d.as_string() == "Infinity") return HUGE_VAL;
  if (d.is_string() && d.as_string() == "-Infinity") return -HUGE_VAL;
  return -12345.678;
}

std::optional<Timestamp> as_time(const Document& d) {
  if (d.is_number()) return epoch_to_timestamp(d.as_double());
  if (!d.is_string()) return std::nullopt;
  return parse_iso8601(d.as_string());
}

bool same_json(const Document& a, const Document& b) {
  if (a.is_number() && b.is_number()) return same_number(a.as_double(), b.as_double());
  if (a.is_object() && b.is_object()) {
    if (a.as_object().size() != b.as_object().size()) return false;
    for (const auto& [name, value] : a.as_object()) {
      const Document* other = b.find(name);
      if (!other || !same_json(value, *other)) return false;
    }
    return true;
  }
  if (a.is_array() && b.is_array()) {
    if (a.as_array().size() != b.as_array().size()) return false;
    for (size_t i = 0; i < a.as_array().size(); ++i) {
      if (!same_json(a.as_array()[i], b.as_array()[i])) return false;
    }
    return true;
  }
  return a == b;
}

// Compares what was decoded (write_document's form) with a case's params or result. Says the first
// difference.
class Comparer {
 public:
  explicit Comparer(Protocol protocol = Protocol::json, bool headers_only = false)
      : protocol_(protocol), headers_only_(headers_only) {}

  std::string structure(const Document& got, const Document& want, const StructDesc& shape) {
    if (!want.is_object()) return want.is_null() ? "" : "expected no object";
    for (const auto& [name, value] : want.as_object()) {
      if (value.is_null()) continue;
      const MemberDesc* m = find_member(shape, name);
      if (!m) return name + ": not in the model";
      const Document* mine = got.find(name);
      if (is_query_map(*m)) {
        const Document none = Document::object();
        const auto difference = query_map(mine ? *mine : none, &value, *m, shape);
        if (!difference.empty()) return name + "." + difference;
        continue;
      }
      if (!mine && (unsent(*m, value) || (headers_only_ && m->location == Location::body)))
        continue;
      if (!mine) return name + ": missing";
      const std::string difference = this->value(*mine, value, *m->type, m->is(kJsonValue));
      if (!difference.empty()) return name + "." + difference;
    }
    for (const auto& [name, value] : got.as_object()) {
      const MemberDesc* m = find_member(shape, name);
      const Document* wanted = want.find(name);
      if (m && is_query_map(*m)) {
        const auto difference = query_map(value, wanted, *m, shape);
        if (!difference.empty()) return name + "." + difference;
        continue;
      }
      // Clients fill in tokens by themselves.
      const bool filled_in =
          m && (m->is(kIdempotencyToken) || (m == shape.payload && value == Document::object()));
      if ((!wanted || wanted->is_null()) && !filled_in)
        return name + ": unexpected " + to_json(value);
    }
    return "";
  }

 private:
  // Empty lists and maps have no form outside JSON, XML and CBOR bodies: they arrive as absent.
  bool unsent(const MemberDesc& m, const Document& want) const {
    const bool empty = (want.is_object() && want.as_object().empty()) ||
                       (want.is_array() && want.as_array().empty());
    return empty && (protocol_ == Protocol::query || m.location == Location::query ||
                     m.location == Location::headers);
  }

  // A map of the query's parameters. A server finds those of other members in it too; what a client
  // had in it under such a name was not sent, or was sent by the member. So only the others are
  // compared.
  static bool is_query_map(const MemberDesc& m) {
    return m.location == Location::query && m.type->kind == Kind::map;
  }
  std::string query_map(const Document& got, const Document* want, const MemberDesc& map,
                        const StructDesc& shape) {
    const auto others = [&](const Document* in) {
      Document out = Document::object();
      if (!in || !in->is_object()) return out;
      for (const auto& [key, entry] : in->as_object()) {
        bool bound = false;
        for (const MemberDesc& m : shape.members)
          bound = bound || (&m != &map && m.location == Location::query && m.wire == key);
        if (!bound) out.set(key, entry);
      }
      return out;
    };
    return value(others(&got), others(want), *map.type, false);
  }

  std::string value(const Document& got, const Document& want, const TypeDesc& type,
                    bool json_text) {
    const std::string both = " got " + to_json(got) + " want " + to_json(want);
    switch (type.kind) {
      case Kind::structure:
        return structure(got, want, *type.structure);
      case Kind::list: {
        if (!want.is_array() || got.as_array().size() != want.as_array().size())
          return "size" + both;
        for (size_t i = 0; i < want.as_array().size(); ++i) {
          const auto difference =
              value(got.as_array()[i], want.as_array()[i], *type.element, false);
          if (!difference.empty()) return std::to_string(i) + "." + difference;
        }
        return "";
      }
      case Kind::map: {
        size_t count = 0;
        for (const auto& [key, entry] : want.as_object()) {
          if (entry.is_null()) continue;
          ++count;
          const Document* mine = got.find(key);
          if (!mine) return key + both;
          const auto difference = value(*mine, entry, *type.element, false);
          if (!difference.empty()) return key + "." + difference;
        }
        return count == got.as_object().size() ? "" : "entries" + both;
      }
      case Kind::real:
        return same_number(as_real(got), as_real(want)) ? "" : both;
      case Kind::timestamp: {
        const auto a = as_time(got), b = as_time(want);
        return a && b && a->millis() == b->millis() ? "" : both;
      }
      case Kind::blob: {
        const auto bytes = from_base64(got.as_string());
        return bytes && want.is_string() && *bytes == want.as_string() ? "" : both;
      }
      case Kind::document:
        return same_json(got, want) ? "" : both;
      default:
        if (json_text) {
          if (got == want) return "";
          const auto parsed = parse_json(got.as_string());
          return parsed && same_json(*parsed, want) ? "" : both;
        }
        return same_json(got, want) ? "" : both;
    }
  }

  Protocol protocol_;
  bool headers_only_;
};

struct Headers {
  std::deque<std::pair<std::string, std::string>> kept;
  std::vector<net::HeaderView> views;
  void add(std::string name, std::string value) {
    kept.emplace_back(std::move(name), std::move(value));
    views.push_back({kept.back().first, kept.back().second});
  }
  void add_all(const Document* headers) {
    if (!headers) return;
    for (const auto& [name, value] : headers->as_object())
      add(name, value.is_string() ? value.as_string() : to_json(value));
  }
};

std::string body_of(const Document& message, Protocol protocol) {
  const std::string body(message.string_or("body", ""));
  if (protocol != Protocol::cbor) return body;
  return from_base64(body).value_or(body);
}

// What the HTTP front takes away before the codecs: gzip, and the path of a client's endpoint.
std::string without_gzip(std::string value) {
  const auto comma = value.rfind(", gzip");
  return comma != std::string::npos && comma + 6 == value.size() ? value.substr(0, comma) : value;
}
std::string without_endpoint_path(std::string uri, std::string_view endpoint) {
  const auto host = endpoint.find("://");
  const auto slash = host == std::string_view::npos ? host : endpoint.find('/', host + 3);
  if (slash == std::string_view::npos) return uri;
  const auto path = endpoint.substr(slash);
  return uri.starts_with(path) ? uri.substr(path.size()) : uri;
}

std::string run_input(const DynamicModel& model, const Document& test, std::string_view endpoint) {
  const Document& wire = *test.find("serialized");
  const Protocol protocol = model.service().protocols[0];
  Headers headers;
  if (const Document* given = wire.find("headers")) {
    for (const auto& [name, value] : given->as_object()) {
      const bool encoding = iequals(name, "content-encoding");
      if (encoding && value.as_string() == "gzip") continue;
      headers.add(name, encoding ? without_gzip(value.as_string()) : value.as_string());
    }
  }
  std::string uri = without_endpoint_path(std::string(wire.string_or("uri", "/")), endpoint);
  std::string body = body_of(wire, protocol);
  // Cases about one header or the host leave out what else such a request has.
  const std::string name(model.operation().name);
  const bool partial = !wire.find("body");
  if (partial && protocol == Protocol::query) body = "Action=" + name;
  if (protocol == Protocol::json)
    headers.add("X-Amz-Target", std::string(model.service().target_prefix) + "." + name);
  const auto question = uri.find('?');
  WireRequest request;
  request.method = wire.string_or("method", "POST");
  request.path = std::string_view(uri).substr(0, question);
  if (question != std::string::npos) request.query = std::string_view(uri).substr(question + 1);
  request.headers = &headers.views;
  request.body = body;
  auto match = match_operation(model.service(), request);
  if (!match) return "no operation: " + match.error().code + " " + match.error().message;
  DecodeNotes notes;
  auto input = decode_input(*match, request, notes);
  if (!input) return "not decoded: " + input.error().message;
  const Document got = write_document(*model.operation().input, input->object());
  return Comparer(protocol, partial).structure(got, *test.find("params"), *model.operation().input);
}

// What a client makes of an answer: its members as a document. Uses the reading half of the same
// codecs.
Result<Document> read_answer(const DynamicModel& model, int status, Headers& headers,
                             const std::string& body, const StructDesc& shape, bool is_error) {
  const Protocol protocol = model.service().protocols[0];
  StructBox box = StructBox::make(shape);
  MemberSet seen;
  DecodeNotes notes;
  WireRequest as_request;
  as_request.headers = &headers.views;
  as_request.body = body;
  const Match match{&model.operation(), protocol, {}};
  const bool rest = protocol == Protocol::rest_json || protocol == Protocol::rest_xml;
  if (rest) {
    VIRGA_TRY_VOID(read_bindings(match, as_request, shape, box.object(), seen));
    for (const MemberDesc& m : shape.members) {
      if (m.location == Location::status)
        *static_cast<int32_t*>(set_member(m, box.object())) = status;
    }
  }
  if (rest && shape.payload && !is_error) {
    const MemberDesc& m = *shape.payload;
    if (!body.empty()) {
      void* value = set_member(m, box.object());
      if (m.type->kind == Kind::blob || m.type->kind == Kind::string) {
        *static_cast<std::string*>(value) = body;
      } else if (protocol == Protocol::rest_xml) {
        VIRGA_TRY(root, parse_xml(body));
        const DecodePath here = DecodePath::member(nullptr, m.name);
        VIRGA_TRY_VOID(read_xml_value(root, *m.type, value, &here, notes));
      } else {
        VIRGA_TRY_VOID(read_json_value(body, *m.type, value, m.name, notes));
      }
    }
  } else if (protocol == Protocol::json || protocol == Protocol::rest_json) {
    VIRGA_TRY_VOID(read_json_struct(body, shape, box.object(),
                                    rest ? Members::answer : Members::all, seen, notes));
  } else if (protocol == Protocol::cbor) {
    VIRGA_TRY_VOID(read_cbor_struct(body, shape, box.object(), seen, notes));
  } else if (!body.empty()) {
    VIRGA_TRY(root, parse_xml(body));
    const XmlNode* node = &root;
    if (is_error) {
      if (node->local_name() == "ErrorResponse") node = node->child("Error");
    } else if (protocol == Protocol::query) {
      const std::string wrapper = model.operation().result_wrapper.empty()
                                      ? std::string(model.operation().name) + "Result"
                                      : std::string(model.operation().result_wrapper);
      if (const XmlNode* result = node->child(wrapper)) node = result;
    }
    if (node)
      VIRGA_TRY_VOID(
          read_xml_struct(*node, shape, box.object(), nullptr, seen, notes, Members::answer));
  }
  return write_document(shape, box.object());
}

std::string base64_blobs(const TypeDesc& type, Document& value);

// A case's values in the form that read_document takes: blobs as base64.
void prepare(const StructDesc& shape, Document& object) {
  if (!object.is_object()) return;
  for (auto& [name, value] : object.as_object()) {
    if (const MemberDesc* m = find_member(shape, name)) {
      if (m->is(kJsonValue) && !value.is_null()) {
        if (!value.is_string() || m->location != Location::header) value = Document(to_json(value));
      } else {
        base64_blobs(*m->type, value);
      }
    }
  }
}

std::string base64_blobs(const TypeDesc& type, Document& value) {
  if (type.kind == Kind::structure) prepare(*type.structure, value);
  if (type.kind == Kind::blob && value.is_string()) value = Document(to_base64(value.as_string()));
  if (type.kind == Kind::real && value.is_string()) return {};
  if (type.kind == Kind::list && value.is_array()) {
    for (Document& item : value.as_array()) base64_blobs(*type.element, item);
  }
  if (type.kind == Kind::map && value.is_object()) {
    auto& entries = value.as_object();
    std::erase_if(entries, [](const auto& e) { return e.second.is_null(); });
    for (auto& [key, item] : entries) base64_blobs(*type.element, item);
  }
  return {};
}

Headers headers_of(const net::HttpResponse& response) {
  Headers out;
  for (const auto& line : response.headers.lines()) {
    // What every answer has is not part of a case.
    if (iequals(line.name, "x-amzn-requestid") || iequals(line.name, "content-type")) continue;
    out.add(std::string(line.name), std::string(line.value));
  }
  return out;
}

// Our own cases pin the exact bytes: a change of format is a visible diff. VIRGA_GOLDEN_UPDATE=1
// writes them anew.
bool updating() {
  return std::getenv("VIRGA_GOLDEN_UPDATE") != nullptr;
}

Document response_document(const net::HttpResponse& response, Protocol protocol) {
  Document headers = Document::object();
  for (const auto& line : response.headers.lines()) headers.set(line.name, line.value);
  Document out = Document::object();
  out.set("status_code", response.status);
  out.set("headers", std::move(headers));
  out.set("body", protocol == Protocol::cbor ? to_base64(response.body) : response.body);
  return out;
}

std::string exact_bytes(const net::HttpResponse& response, Document& test, Protocol protocol) {
  Document ours = response_document(response, protocol);
  if (updating()) {
    test.set("response", std::move(ours));
    return "";
  }
  const Document& want = *test.find("response");
  return ours == want ? "" : "our bytes changed: " + to_json(ours) + "\n  were: " + to_json(want);
}

std::string run_output(const DynamicModel& model, Document& test, bool own) {
  const OperationDesc& op = model.operation();
  Document result = *test.find("result");
  prepare(*op.output, result);
  OutputBox output = OutputBox::make(*op.output);
  DecodeNotes notes;
  const auto read = read_document(result, *op.output, output.object(), notes);
  if (!read) return "the result does not fit the model: " + read.error().message;
  const auto response =
      encode_output(op, model.service().protocols[0], std::move(output), "request-1");
  if (own) {
    const auto difference = exact_bytes(response, test, model.service().protocols[0]);
    if (!difference.empty()) return difference;
  }
  const Document& want = *test.find("response");
  const int status = static_cast<int>(want.find("status_code")->as_int());
  if (response.status != status) return "status " + std::to_string(response.status);
  Headers theirs;
  theirs.add_all(want.find("headers"));
  Headers ours = headers_of(response);
  const std::string their_body = body_of(want, model.service().protocols[0]);
  for (const auto& pair : {std::pair(&ours, &response.body), std::pair(&theirs, &their_body)}) {
    const auto answer = read_answer(model, status, *pair.first, *pair.second, *op.output, false);
    if (!answer) return "not readable: " + *pair.second;
    const auto difference = Comparer().structure(*answer, *test.find("result"), *op.output);
    if (!difference.empty())
      return (pair.first == &ours ? "ours: " : "theirs: ") + difference + "\n  " + *pair.second;
  }
  // A body that has to be there, or has not.
  // An empty object and no body at all are the same to clients.
  const auto is_empty = [](std::string_view body) {
    return trim(body).empty() || trim(body) == "{}" || body == "\xa0" || body == "\xbf\xff";
  };
  if (!is_empty(their_body) && is_empty(response.body) && !test.find("result")->as_object().empty())
    return "the body is empty";
  return "";
}

std::string sanitized_code(std::string code) {
  code = code.substr(0, code.find(':'));
  const auto hash = code.rfind('#');
  return hash == std::string::npos ? code : code.substr(hash + 1);
}

// The error code as botocore finds it.
std::string code_of(const DynamicModel& model, const Headers& headers, const std::string& body) {
  for (const auto& h : headers.views) {
    if (model.service().query_compatible && iequals(h.name, "x-amzn-query-error"))
      return std::string(h.value.substr(0, h.value.find(';')));
  }
  for (const auto& h : headers.views) {
    if (iequals(h.name, "x-amzn-errortype")) return sanitized_code(std::string(h.value));
  }
  const Protocol protocol = model.service().protocols[0];
  if (protocol == Protocol::query || protocol == Protocol::rest_xml) {
    const auto root = parse_xml(body);
    if (!root) return "";
    const XmlNode* error = root->local_name() == "Error" ? &*root : root->child("Error");
    const XmlNode* code = error ? error->child("Code") : nullptr;
    return code ? code->text : "";
  }
  if (protocol == Protocol::cbor) {
    // "__type" is the only member every error has: read through a shape of one member.
    static const TypeDesc kText{.kind = Kind::string, .name = "String"};
    static const MemberDesc kMember[] = {
        {.name = "__type", .wire = "__type", .type = &kText, .slot = Slot::optional}};
    static const StructDesc kShape{
        .name = "Code", .members = kMember, .size = sizeof(std::optional<std::string>)};
    StructBox box = StructBox::make(kShape);
    MemberSet seen;
    DecodeNotes notes;
    if (!read_cbor_struct(body, kShape, box.object(), seen, notes)) return "";
    const auto& text = *static_cast<const std::optional<std::string>*>(box.object());
    return sanitized_code(text.value_or(""));
  }
  const auto document = parse_json(body);
  if (!document) return "";
  for (const char* key : {"__type", "code"}) {
    if (const Document* code = document->find(key); code && code->is_string())
      return sanitized_code(code->as_string());
  }
  return "";
}

std::string run_error(const DynamicModel& model, Document& test, bool own) {
  const int status = static_cast<int>(test.find("response")->find("status_code")->as_int());
  const std::string code(test.string_or("errorCode", ""));
  const ErrorDesc* desc = nullptr;
  for (const ErrorDesc* e : model.operation().errors) {
    if (e->code == code || e->name == code) desc = e;
  }
  AwsError error{.code = desc ? std::string(desc->name) : code, .http_status = status};
  Document detail = Document::object();
  const Document* members = test.find("error");
  if (members && members->is_object()) {
    for (const auto& [name, value] : members->as_object()) {
      if (iequals(name, "message") && value.is_string()) {
        error.message = value.as_string();
      } else if (name != "Type" || desc) {
        detail.set(name, value);
      }
    }
  }
  if (error.message.empty()) error.message = test.string_or("errorMessage", "");
  error.detail = std::make_shared<Document>(detail);
  const auto response = encode_error(model.service(), &model.operation(),
                                     model.service().protocols[0], error, "request-1");
  if (own) {
    const auto difference = exact_bytes(response, test, model.service().protocols[0]);
    if (!difference.empty()) return difference;
  }
  if (response.status != status) return "status " + std::to_string(response.status);
  Headers ours = headers_of(response);
  const std::string got_code = code_of(model, ours, response.body);
  if (got_code != code) return "code '" + got_code + "' want '" + code + "'";
  if (!desc || !members || !members->is_object()) return "";
  const auto answer = read_answer(model, status, ours, response.body, *desc->shape, true);
  if (!answer) return "not readable: " + response.body;
  Document got = *answer;
  Document wanted = *members;
  // Our answers always carry a message; a case may leave it out. In XML it is <Message> whatever
  // the model's case.
  const bool xml = model.service().protocols[0] == Protocol::query ||
                   model.service().protocols[0] == Protocol::rest_xml;
  for (const char* name : {"message", "Message"}) {
    if (xml) std::erase_if(wanted.as_object(), [&](const auto& m) { return m.first == name; });
    if (!wanted.find(name) && got.find(name))
      std::erase_if(got.as_object(), [&](const auto& m) { return m.first == name; });
  }
  return Comparer().structure(got, wanted, *desc->shape);
}

struct Tally {
  int run = 0, failed = 0, excluded = 0;
};

void run_file(const fs::path& path, bool input, bool own, Tally& tally) {
  static std::deque<Document> kept;  // models point into it
  auto parsed = parse_json(read_file(path));
  ASSERT_TRUE(parsed) << path << ": " << parsed.error().message;
  Document& suites = kept.emplace_back(std::move(*parsed));
  for (Document& suite : suites.as_array()) {
    for (Document& test : suite.find("cases")->as_array()) {
      const std::string id = path.stem().string() + "/" + std::string(test.string_or("id", ""));
      if (kExcluded.contains(id)) {
        ++tally.excluded;
        continue;
      }
      // Kept: routers are cached by the service's address.
      static std::deque<DynamicModel> models;
      const DynamicModel& model =
          models.emplace_back(*suite.find("metadata"), *suite.find("shapes"), *test.find("given"));
      const bool error = test.find("errorCode") != nullptr;
      const std::string difference =
          input   ? run_input(model, test, suite.string_or("clientEndpoint", ""))
          : error ? run_error(model, test, own)
                  : run_output(model, test, own);
      ++tally.run;
      if (difference.empty()) continue;
      ++tally.failed;
      ADD_FAILURE() << (input ? "input " : "output ") << id << ": " << difference;
    }
  }
  if (own && !input && updating()) std::ofstream(path, std::ios::binary) << to_json(suites) << "\n";
}

void run_folder(const fs::path& folder, bool own, Tally& tally) {
  for (const char* direction : {"input", "output"}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder / direction)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
      run_file(file, std::string_view(direction) == "input", own, tally);
  }
}

TEST(Protocols, our_own_cases) {
  Tally tally;
  run_folder(fs::path(VIRGA_SOURCE_DIR) / "tests/golden/protocols", true, tally);
  std::cout << tally.run << " own wire cases\n";
  EXPECT_GE(tally.run, 100);
}

TEST(Protocols, conformance_cases) {
  const char* told = std::getenv("VIRGA_CONFORMANCE");
  const fs::path folder =
      (told ? fs::path(told) : fs::path(VIRGA_SOURCE_DIR) / "../shared/conformance") / "protocols";
  if (!fs::exists(folder / "input")) {
    std::cout << "conformance cases: skipped, not here\n";
    GTEST_SKIP();
  }
  Tally tally;
  run_folder(folder, false, tally);
  std::cout << tally.run << " conformance wire cases, " << tally.failed << " failed, "
            << tally.excluded << " excluded\n";
  for (const auto& [id, reason] : kExcluded)
    std::cout << "  excluded " << id << ": " << reason << "\n";
  EXPECT_LE(kExcluded.size(), 10u);
  EXPECT_EQ(tally.excluded, static_cast<int>(kExcluded.size()));
}

// The models are what the import tool made of one botocore version; a changed count is a decision,
// not an accident.
TEST(Models, are_the_pinned_ones) {
  const fs::path folder = fs::path(VIRGA_SOURCE_DIR) / "models";
  const auto pins = parse_json(read_file(folder / "PINS.json"));
  ASSERT_TRUE(pins);
  EXPECT_EQ(pins->string_or("origin", ""), "botocore 1.43.11");
  const Document& counts = *pins->find("operations");
  EXPECT_EQ(counts.as_object().size(), 24u);
  int64_t total = 0;
  for (const auto& [service, count] : counts.as_object()) {
    const auto model = parse_json(read_file(folder / (service + ".json")));
    ASSERT_TRUE(model) << service;
    EXPECT_EQ(model->string_or("origin", ""), pins->string_or("origin", "?")) << service;
    EXPECT_EQ(static_cast<int64_t>(model->find("operations")->as_object().size()), count.as_int())
        << service;
    total += count.as_int();
  }
  EXPECT_EQ(total, 1495);
}

}  // namespace
}  // namespace virga::aws::testing
