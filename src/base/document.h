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

  // Defined in the .cc: what a variant of seven kinds generates for each of these costs every unit
  // that sees it a fifth of a second.
  Document();  // null
  Document(std::nullptr_t);
  Document(bool b);
  Document(int n);
  Document(int64_t n);
  Document(double d);
  Document(const char* s);
  Document(std::string s);
  Document(std::string_view s);
  Document(Array a);
  Document(Object o);
  Document(const Document& other);
  Document(Document&& other) noexcept;
  Document& operator=(const Document& other);
  Document& operator=(Document&& other) noexcept;
  ~Document();

  static Document object();
  static Document array();

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

  friend bool operator==(const Document& a, const Document& b);

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> v_;
};

}  // namespace virga
