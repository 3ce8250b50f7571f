#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace virga::aws {

// A small XML tree for request bodies. Source: XML 1.0 §2; no DTD (refused), no external entities;
// names keep prefixes.
struct XmlNode {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  // character data directly inside, all pieces together
  std::vector<XmlNode> children;

  std::string_view local_name() const;  // without prefix
  const XmlNode* child(std::string_view local) const;
  std::optional<std::string_view> attribute(std::string_view name) const;
};

inline constexpr int kXmlDepthMax = 100;

AwsError malformed_xml();  // in S3's words

// One document. Errors: MalformedXML.
Result<XmlNode> parse_xml(std::string_view text);

// Appends XML; nesting is the caller's order of open and close.
class XmlWriter {
 public:
  // Times have milliseconds when there are any, or always.
  enum class Millis { when_any, always };
  explicit XmlWriter(std::string& out, Millis millis = Millis::when_any)
      : out_(out), millis_(millis) {}
  bool writes_millis() const { return millis_ == Millis::always; }
  void declaration();
  void open(std::string_view name);  // attributes may follow until the next other call
  void attribute(std::string_view name, std::string_view value);
  void text(std::string_view value);
  void close(std::string_view name);
  void element(std::string_view name, std::string_view value);

 private:
  void finish_tag();
  std::string& out_;
  Millis millis_;
  bool in_tag_ = false;
};

}  // namespace virga::aws
