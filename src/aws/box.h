#pragma once

#include <new>
#include <optional>
#include <utility>

namespace virga {

// An optional structure, on the heap: small when absent, may contain its own kind, and T need only
// be declared where the box is. Used like std::optional; copies are deep.
template <class T>
class Box {
 public:
  Box() = default;
  Box(std::nullopt_t) {}
  Box(T value) : value_(new T(std::move(value))) {}
  Box(const Box& other) : value_(other.value_ ? new T(*other.value_) : nullptr) {}
  Box(Box&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Box& operator=(Box other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Box() { delete value_; }

  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_; }
  const T* operator->() const { return value_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T value_or(T otherwise) const { return value_ ? *value_ : std::move(otherwise); }
  T& emplace() {
    T* made = new T();
    delete std::exchange(value_, made);
    return *value_;
  }
  T& emplace(T value) { return (*this = Box(std::move(value))).value(); }
  void reset() { delete std::exchange(value_, nullptr); }
  friend bool operator==(const Box& box, std::nullopt_t) { return !box.value_; }

 private:
  T* value_ = nullptr;
};

// An optional list or map, in place. Used like std::optional; one class to instantiate where that
// needs a dozen, which is what generated headers are made of.
template <class T>
class Maybe {
 public:
  Maybe() : engaged_(false) {}
  Maybe(std::nullopt_t) : engaged_(false) {}
  Maybe(T value) : value_(std::move(value)), engaged_(true) {}
  Maybe(const Maybe& other) : engaged_(false) {
    if (other.engaged_) emplace(other.value_);
  }
  Maybe(Maybe&& other) noexcept : engaged_(false) {
    if (other.engaged_) emplace(std::move(other.value_));
  }
  Maybe& operator=(const Maybe& other) {
    if (this == &other) return *this;
    reset();
    if (other.engaged_) emplace(other.value_);
    return *this;
  }
  Maybe& operator=(Maybe&& other) noexcept {
    if (this == &other) return *this;
    reset();
    if (other.engaged_) emplace(std::move(other.value_));
    return *this;
  }
  ~Maybe() { reset(); }

  bool has_value() const { return engaged_; }
  explicit operator bool() const { return engaged_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  T& value() { return value_; }
  const T& value() const { return value_; }
  T value_or(T otherwise) const { return engaged_ ? value_ : std::move(otherwise); }
  T& emplace() { return emplace(T()); }
  T& emplace(T value) {
    reset();
    ::new (&value_) T(std::move(value));
    engaged_ = true;
    return value_;
  }
  void reset() {
    if (engaged_) value_.~T();
    engaged_ = false;
  }
  friend bool operator==(const Maybe& maybe, std::nullopt_t) { return !maybe.engaged_; }

 private:
  union {
    T value_;
  };
  bool engaged_;
};

}  // namespace virga
