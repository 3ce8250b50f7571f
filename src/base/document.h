#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace virga {

// A JSON value held in memory: error details, policies, events, the call-by-name interface. Not for
// data paths: request bodies go straight into structs and DynamoDB items into TLV. A value type;
// objects keep their order.
class Document {
 public:
  using Array = std::vector<Document>;
  using Member = std::pair<std::string, Document>;
  using Object = std::vector<Member>;

  Document() = default;  // null
  Document(std::nullptr_t) {}
  Document(bool b) : v_(b) {}
  Document(int n) : v_(static_cast<int64_t>(n)) {}
  Document(int64_t n) : v_(n) {}
  Document(double d) : v_(d) {}
  Document(const char* s) : v_(std::string(s)) {}
  Document(std::string s) : v_(std::move(s)) {}
  Document(std::string_view s) : v_(std::string(s)) {}
  Document(Array a) : v_(std::move(a)) {}
  Document(Object o) : v_(std::move(o)) {}

  static Document object() { return Document(Object{}); }
  static Document array() { return Document(Array{}); }

  bool is_null() const { return std::holds_alternative<std::monostate>(v_); }
  bool is_bool() const { return std::holds_alternative<bool>(v_); }
  bool is_int() const { return std::holds_alternative<int64_t>(v_); }
  bool is_double() const { return std::holds_alternative<double>(v_); }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return std::holds_alternative<std::string>(v_); }
  bool is_array() const { return std::holds_alternative<Array>(v_); }
  bool is_object() const { return std::holds_alternative<Object>(v_); }

  // The accessors CHECK the kind; ask is_…() first for anything that came from outside.
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;  // of an int too
  const std::string& as_string() const;
  const Array& as_array() const;
  Array& as_array();
  const Object& as_object() const;
  Object& as_object();

  // Member of an object, or null when this is no object or has no such member.
  const Document* find(std::string_view key) const;
  Document* find(std::string_view key);
  // The string member, or `otherwise` when absent or of another kind.
  std::string_view string_or(std::string_view key, std::string_view otherwise) const;
  // Sets a member of an object (made from null if need be); replaces one of the same name.
  Document& set(std::string_view key, Document value);
  // Appends to an array (made from null if need be).
  Document& push(Document value);

  friend bool operator==(const Document&, const Document&) = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> v_;
};

}  // namespace virga
