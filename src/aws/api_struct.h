#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/box.h"
#include "aws/fwd.h"

// What generated structures are made of: their members stand in unions of their own, so the special
// members below are the only ones, and they walk the structure's table (aws/shape.h).
#define VIRGA_API_MOVABLE(T) \
  T();                       \
  ~T();                      \
  T(T&&) noexcept;           \
  T& operator=(T&&) noexcept;
#define VIRGA_API_STRUCT(T) \
  VIRGA_API_MOVABLE(T)      \
  T(const T&);              \
  T& operator=(const T&);

#define VIRGA_API_DEFINE_MOVABLE(T, table)       \
  T::T() {                                       \
    aws::construct_object(table, this);          \
  }                                              \
  T::~T() {                                      \
    aws::destroy_object(table, this);            \
  }                                              \
  T::T(T&& from) noexcept {                      \
    aws::move_object(table, this, &from);        \
  }                                              \
  T& T::operator=(T&& from) noexcept {           \
    aws::move_assign_object(table, this, &from); \
    return *this;                                \
  }                                              \
  const aws::StructDesc& T::descriptor() {       \
    return table;                                \
  }
#define VIRGA_API_DEFINE_STRUCT(T, table)        \
  VIRGA_API_DEFINE_MOVABLE(T, table)             \
  T::T(const T& from) {                          \
    aws::copy_object(table, this, &from);        \
  }                                              \
  T& T::operator=(const T& from) {               \
    aws::copy_assign_object(table, this, &from); \
    return *this;                                \
  }
