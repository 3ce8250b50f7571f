#pragma once

#include <memory>
#include <string>

#include "../golden/protocols/dynamic_model.h"
#include "aws/document_codec.h"
#include "aws/wire.h"
#include "base/json.h"
#include "fuzz.h"

// What the body codecs' targets share: a structure with a member of every kind, that contains
// itself.
namespace virga::fuzz {

inline const aws::testing::DynamicModel& tree_model(const char* protocol) {
  static const Result<Document> shapes = parse_json(R"({
    "S":{"type":"string"},"I":{"type":"integer"},"L":{"type":"long"},"D":{"type":"double"},"B":{"type":"boolean"},
    "X":{"type":"blob"},"T":{"type":"timestamp"},"Names":{"type":"list","member":{"shape":"S"}},
    "Flat":{"type":"list","flattened":true,"member":{"shape":"Tree","locationName":"flat"}},
    "Map":{"type":"map","key":{"shape":"S"},"value":{"shape":"Tree"}},
    "Tree":{"type":"structure","required":["s"],"members":{"s":{"shape":"S"},"i":{"shape":"I"},"l":{"shape":"L"},"d":{"shape":"D"},
      "b":{"shape":"B"},"x":{"shape":"X"},"t":{"shape":"T"},"n":{"shape":"Names"},"f":{"shape":"Flat"},"m":{"shape":"Map"},
      "c":{"shape":"Tree"}}}})");
  static const Result<Document> operation = parse_json(
      R"({"name":"Op","http":{"method":"POST","requestUri":"/"},"input":{"shape":"Tree"},"output":{"shape":"Tree"}})");
  static Document metadata = Document::object();
  metadata.set("protocol", protocol);
  static const aws::testing::DynamicModel model(metadata, *shapes, *operation);
  return model;
}

// The decoded body as JSON text, or empty when it was refused.
inline std::string decoded(const aws::testing::DynamicModel& model, std::string_view body) {
  static const std::vector<net::HeaderView> none;
  aws::WireRequest request;
  request.method = "POST";
  request.path = "/";
  request.headers = &none;
  request.body = body;
  aws::DecodeNotes notes;
  const aws::Match match{&model.operation(), model.service().protocols[0], {}};
  const auto input = aws::decode_input(match, request, notes);
  if (!input) {
    REQUIRE(!input.error().code.empty() && input.error().http_status == 400);
    return {};
  }
  return to_json(aws::write_document(*model.operation().input, input->object()));
}

// The structure written as an answer's body.
inline std::string encoded(const aws::testing::DynamicModel& model, const std::string& document) {
  aws::OutputBox box = aws::OutputBox::make(*model.operation().output);
  aws::DecodeNotes notes;
  const auto read =
      aws::read_document(*parse_json(document), *model.operation().output, box.object(), notes);
  REQUIRE(read);
  return aws::encode_output(model.operation(), model.service().protocols[0], std::move(box), "id")
      .body;
}

// Whatever was accepted is written and read back as the same, once the first writing has rounded it
// (times to milliseconds).
inline void round_trip(const aws::testing::DynamicModel& model, std::string_view body) {
  const std::string first = decoded(model, body);
  if (first.empty()) return;
  const std::string second = decoded(model, encoded(model, first));
  REQUIRE(!second.empty());
  std::string written = encoded(model, second);
  if (planted("lose_a_byte") && written.size() > 40) written.erase(written.size() / 2, 1);
  REQUIRE(decoded(model, written) == second);
}

}  // namespace virga::fuzz
