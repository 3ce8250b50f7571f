#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "aws/fwd.h"
#include "base/check.h"

// Descriptor tables: what is known of a structure at run time. The tables are constants made by
// codegen/generate.py (and, in tests, by loading a model); nothing here is ever changed. One
// table-driven codec per protocol walks them, and so do the structures' own constructors, copies
// and destructors (shape.cc): a new structure costs data, not code. (Measured before: 0.1 CPU s to
// compile and 9 KB of code for each structure with ordinary special members.)
namespace virga::aws {

enum class Kind : uint8_t {
  boolean,          // bool
  int32,            // int32_t
  int64,            // int64_t
  real,             // double (the model's float too)
  string,           // std::string
  blob,             // std::string of raw bytes
  timestamp,        // virga::Timestamp
  document,         // virga::Document
  list,             // std::vector<element>
  map,              // std::map<std::string, element>, by MapOps
  structure,        // the generated struct
  attribute_value,  // virga::AttributeValue (DynamoDB)
  item,             // virga::Item: DynamoDB's map of attribute values
  byte_source,      // std::unique_ptr<async::ByteSource>
  event_stream,     // std::unique_ptr<EventSource<Union>>
};

// How a member is stored.
enum class Slot : uint8_t {
  plain,     // the value itself: required members
  optional,  // std::optional<value>: scalars
  maybe,     // Maybe<value>: lists and maps
  box,       // Box<value>: structures
  pointer,   // std::unique_ptr: streams
};

enum class TimeFormat : uint8_t { unset, epoch, iso8601, http_date };
enum class Location : uint8_t { body, uri, query, header, headers, status };

// A constant array. (std::span costs every unit half a second.)
template <class T>
struct Table {
  const T* data = nullptr;
  size_t count = 0;
  constexpr Table() = default;
  template <size_t N>
  constexpr Table(const T (&array)[N]) : data(array), count(N) {}
  constexpr Table(const T* d, size_t n) : data(d), count(n) {}
  constexpr const T* begin() const { return data; }
  constexpr const T* end() const { return data + count; }
  constexpr size_t size() const { return count; }
  constexpr bool empty() const { return count == 0; }
  constexpr const T& operator[](size_t i) const { return data[i]; }
};

struct Limits {
  bool has_min = false;
  bool has_max = false;
  double min = 0;  // of the value for numbers, of the length for strings (code points), blobs
                   // (bytes), lists, maps
  double max = 0;
  std::string_view pattern;
  Table<std::string_view> values;  // the enum's, in AWS's printing order
};

struct XmlNamespace {
  std::string_view uri;
  std::string_view prefix;
};

// What a std::map<std::string, T> can do, for one T. The TypeDesc is passed so that models loaded
// at run time can share ops.
struct MapOps {
  size_t bytes;
  void (*construct)(const TypeDesc&, void* at);
  void (*destroy)(const TypeDesc&, void* at);
  void (*copy)(const TypeDesc&, void* at, const void* from);
  void (*move)(const TypeDesc&, void* at, void* from);
  size_t (*size)(const TypeDesc&, const void* map);
  void* (*insert)(const TypeDesc&, void* map,
                  std::string key);  // the value at the key, default-made when new
  void (*each)(const TypeDesc&, const void* map, void* self,
               void (*visit)(void* self, const std::string& key, const void* value));
};

struct TypeDesc {
  Kind kind = Kind::string;
  TimeFormat time_format = TimeFormat::unset;
  bool flattened = false;
  bool sensitive = false;
  std::string_view name;  // the model's shape name
  const Limits* limits = nullptr;
  const StructDesc* structure = nullptr;  // structure, event_stream
  const TypeDesc* element = nullptr;      // list member, map value
  const TypeDesc* key = nullptr;          // map key
  std::string_view element_name;          // locationName; empty: "member" (list), "value" (map)
  std::string_view key_name;              // locationName; empty: "key"
  const MapOps* map = nullptr;
  const XmlNamespace* element_namespace = nullptr;
  const XmlNamespace* key_namespace = nullptr;
};

enum MemberFlags : uint16_t {
  kRequired = 1 << 0,
  kFlattened = 1 << 1,
  kXmlAttribute = 1 << 2,
  kJsonValue = 1 << 3,
  kIdempotencyToken = 1 << 4,
  kEventPayload = 1 << 5,
  kEventHeader = 1 << 6,
  kHostLabel = 1 << 7,
  kDeprecated = 1 << 8,
  kExplicitName = 1 << 9,  // has a locationName in the model
  kQueryName = 1 << 10,    // `wire` is the query protocol's name; JSON says the member's own
};

struct MemberDesc {
  std::string_view name;  // the model's name: "TableName"
  std::string_view
      wire;  // locationName, else the name; a header's or query parameter's name; a prefix
  const TypeDesc* type = nullptr;
  uint32_t offset = 0;
  Slot slot = Slot::plain;
  Location location = Location::body;
  uint16_t flags = 0;
  const XmlNamespace* xml_namespace = nullptr;

  bool required() const { return flags & kRequired; }
  bool is(MemberFlags flag) const { return flags & flag; }
  std::string_view json_name() const { return is(kQueryName) ? name : wire; }
};

inline constexpr size_t kMembersMax = 256;

struct StructDesc {
  std::string_view name;                // the model's: "PutItemInput"
  Table<MemberDesc> members;            // in model order, at most kMembersMax
  const MemberDesc* payload = nullptr;  // the member that is the whole body
  uint32_t size = 0;  // bytes of the structure; 0: an error's shape, whose members have no storage
  bool is_union = false;
  std::string_view xml_name;  // locationName of the shape
  const XmlNamespace* xml_namespace = nullptr;
};

const MemberDesc* find_member(const StructDesc& shape, std::string_view name);

// Special members of structures, by table. `at` is raw storage.
void construct_object(const StructDesc& shape, void* at);
void destroy_object(const StructDesc& shape, void* at);
void copy_object(const StructDesc& shape, void* at, const void* from);  // no streams in it
void move_object(const StructDesc& shape, void* at, void* from);
void copy_assign_object(const StructDesc& shape, void* to, const void* from);
void move_assign_object(const StructDesc& shape, void* to, void* from);

// The same for a value of any type.
size_t value_bytes(const TypeDesc& type);
void construct_value(const TypeDesc& type, void* at);
void destroy_value(const TypeDesc& type, void* at);
void copy_value(const TypeDesc& type, void* at, const void* from);
void move_value(const TypeDesc& type, void* at, void* from);

// The member's value, or null when it is absent. (Of a stream: the unique_ptr.)
const void* get_member(const MemberDesc& m, const void* object);
// The member's value, default-made when absent (or present).
void* set_member(const MemberDesc& m, void* object);

size_t list_size(const TypeDesc& type, const void* list);
const void* list_at(const TypeDesc& type, const void* list, size_t index);
void* list_append(const TypeDesc& type, void* list);

// A structure of any kind on the heap, owned.
class StructBox {
 public:
  StructBox() = default;
  StructBox(StructBox&& other) noexcept
      : desc_(std::exchange(other.desc_, nullptr)),
        object_(std::exchange(other.object_, nullptr)) {}
  StructBox& operator=(StructBox&& other) noexcept {
    std::swap(desc_, other.desc_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~StructBox() { reset(); }

  static StructBox make(const StructDesc& desc);
  template <class T>
  static StructBox hold(T value) {
    return StructBox(T::descriptor(), new (::operator new(sizeof(T))) T(std::move(value)));
  }

  explicit operator bool() const { return object_ != nullptr; }
  const StructDesc& desc() const { return *desc_; }
  void* object() { return object_; }
  const void* object() const { return object_; }
  template <class T>
  T& as() {
    CHECK(desc_ == &T::descriptor());
    return *static_cast<T*>(object_);
  }

 private:
  StructBox(const StructDesc& desc, void* object) : desc_(&desc), object_(object) {}
  void reset();

  const StructDesc* desc_ = nullptr;
  void* object_ = nullptr;
};
using InputBox = StructBox;
using OutputBox = StructBox;

}  // namespace virga::aws
