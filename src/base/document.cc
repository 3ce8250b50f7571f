#include "base/document.h"

#include "base/check.h"

namespace virga {

Document::Document() = default;
Document::Document(std::nullptr_t) {}
Document::Document(bool b) : v_(b) {}
Document::Document(int n) : v_(static_cast<int64_t>(n)) {}
Document::Document(int64_t n) : v_(n) {}
Document::Document(double d) : v_(d) {}
Document::Document(const char* s) : v_(std::string(s)) {}
Document::Document(std::string s) : v_(std::move(s)) {}
Document::Document(std::string_view s) : v_(std::string(s)) {}
Document::Document(Array a) : v_(std::move(a)) {}
Document::Document(Object o) : v_(std::move(o)) {}
Document::Document(const Document& other) = default;
Document::Document(Document&& other) noexcept = default;
Document& Document::operator=(const Document& other) = default;
Document& Document::operator=(Document&& other) noexcept = default;
Document::~Document() = default;

Document Document::object() {
  return Document(Object{});
}
Document Document::array() {
  return Document(Array{});
}

bool operator==(const Document& a, const Document& b) {
  return a.v_ == b.v_;
}

bool Document::as_bool() const {
  CHECK(is_bool());
  return std::get<bool>(v_);
}
int64_t Document::as_int() const {
  CHECK(is_int());
  return std::get<int64_t>(v_);
}
double Document::as_double() const {
  CHECK(is_number());
  return is_int() ? static_cast<double>(std::get<int64_t>(v_)) : std::get<double>(v_);
}
const std::string& Document::as_string() const {
  CHECK(is_string());
  return std::get<std::string>(v_);
}
const Document::Array& Document::as_array() const {
  CHECK(is_array());
  return std::get<Array>(v_);
}
Document::Array& Document::as_array() {
  CHECK(is_array());
  return std::get<Array>(v_);
}
const Document::Object& Document::as_object() const {
  CHECK(is_object());
  return std::get<Object>(v_);
}
Document::Object& Document::as_object() {
  CHECK(is_object());
  return std::get<Object>(v_);
}

const Document* Document::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const auto& [name, value] : std::get<Object>(v_)) {
    if (name == key) return &value;
  }
  return nullptr;
}
Document* Document::find(std::string_view key) {
  return const_cast<Document*>(std::as_const(*this).find(key));
}

std::string_view Document::string_or(std::string_view key, std::string_view otherwise) const {
  const Document* member = find(key);
  return member && member->is_string() ? std::string_view(member->as_string()) : otherwise;
}

Document& Document::set(std::string_view key, Document value) {
  if (is_null()) v_ = Object{};
  if (Document* member = find(key)) {
    *member = std::move(value);
  } else {
    as_object().emplace_back(std::string(key), std::move(value));
  }
  return *this;
}

Document& Document::push(Document value) {
  if (is_null()) v_ = Array{};
  as_array().push_back(std::move(value));
  return *this;
}

}  // namespace virga
