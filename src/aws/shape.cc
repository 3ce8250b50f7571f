#include "aws/shape.h"

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <vector>

#include "async/byte_stream.h"
#include "aws/attribute_value.h"
#include "aws/box.h"
#include "aws/event_source.h"
#include "base/document.h"
#include "base/time.h"

// Special members by table. Four layouts are relied on, and shape_test.cc checks each against the
// real classes:
//  - std::vector is {first, last, end of storage}, its storage from ::operator new (libstdc++);
//  - Maybe<T> is {T, bool} with the flag right behind T; Box<T> is one pointer (both ours);
//  - std::optional<T> is {T, bool} like Maybe<T> (libstdc++);
//  - std::unique_ptr is one pointer (libstdc++).
// Pointers are read and written with memcpy, so that no aliasing rule is touched.
namespace virga::aws {
namespace {

struct RawVector {
  char* first;
  char* last;
  char* storage_end;
};

RawVector load(const void* at) {
  RawVector v;
  std::memcpy(&v, at, sizeof v);
  return v;
}
void store(void* at, const RawVector& v) {
  std::memcpy(at, &v, sizeof v);
}

void* load_pointer(const void* at) {
  void* p;
  std::memcpy(&p, at, sizeof p);
  return p;
}
void store_pointer(void* at, const void* p) {
  std::memcpy(at, &p, sizeof p);
}

// Calls f with a null pointer of the scalar type behind the kind.
template <class F>
constexpr decltype(auto) with_scalar(Kind kind, F f) {
  switch (kind) {
    case Kind::boolean:
      return f(static_cast<bool*>(nullptr));
    case Kind::int32:
      return f(static_cast<int32_t*>(nullptr));
    case Kind::int64:
      return f(static_cast<int64_t*>(nullptr));
    case Kind::real:
      return f(static_cast<double*>(nullptr));
    case Kind::timestamp:
      return f(static_cast<Timestamp*>(nullptr));
    case Kind::document:
      return f(static_cast<Document*>(nullptr));
    case Kind::attribute_value:
      return f(static_cast<AttributeValue*>(nullptr));
    case Kind::item:
      return f(static_cast<Item*>(nullptr));
    default:
      return f(static_cast<std::string*>(nullptr));
  }
}

// By kind: the bytes of a scalar, which are also where the flag of its std::optional stands.
constexpr auto kScalarBytes = [] {
  std::array<uint8_t, static_cast<size_t>(Kind::event_stream) + 1> bytes{};
  for (size_t kind = 0; kind < bytes.size(); ++kind) {
    bytes[kind] = with_scalar(static_cast<Kind>(kind), []<class T>(T*) {
      static_assert(sizeof(std::optional<T>) == sizeof(T) + alignof(T));
      return static_cast<uint8_t>(sizeof(T));
    });
  }
  return bytes;
}();

// A scalar that is not there, as most members of most structures are: nothing of it needs its type.
bool is_absent(const MemberDesc& m, const void* slot) {
  return m.slot == Slot::optional &&
         static_cast<const char*>(slot)[kScalarBytes[static_cast<size_t>(m.type->kind)]] == 0;
}
void make_absent(const MemberDesc& m, void* slot) {
  static_cast<char*>(slot)[kScalarBytes[static_cast<size_t>(m.type->kind)]] = 0;
}

bool is_stream(Kind kind) {
  return kind == Kind::byte_source || kind == Kind::event_stream;
}

bool* maybe_flag(const TypeDesc& type, void* slot) {
  return reinterpret_cast<bool*>(static_cast<char*>(slot) + value_bytes(type));
}
bool maybe_engaged(const TypeDesc& type, const void* slot) {
  return static_cast<const char*>(slot)[value_bytes(type)] != 0;
}

void destroy_stream(const TypeDesc& type, void* slot) {
  void* p = load_pointer(slot);
  if (!p) return;
  if (type.kind == Kind::byte_source) {
    delete static_cast<async::ByteSource*>(p);
  } else {
    delete static_cast<AnyEventSource*>(p);  // EventSource<Event>'s only base
  }
}

void destroy_boxed(const TypeDesc& type, void* slot) {
  void* p = load_pointer(slot);
  if (!p) return;
  destroy_object(*type.structure, p);
  ::operator delete(p, type.structure->size);
}

void destroy_member(const MemberDesc& m, void* slot) {
  switch (m.slot) {
    case Slot::plain:
      return destroy_value(*m.type, slot);
    case Slot::optional:
      return with_scalar(m.type->kind, [&]<class T>(T*) {
        std::destroy_at(static_cast<std::optional<T>*>(slot));
      });
    case Slot::maybe:
      if (maybe_engaged(*m.type, slot)) destroy_value(*m.type, slot);
      return;
    case Slot::box:
      return destroy_boxed(*m.type, slot);
    case Slot::pointer:
      return destroy_stream(*m.type, slot);
  }
}

void copy_member(const MemberDesc& m, void* slot, const void* from) {
  switch (m.slot) {
    case Slot::plain:
      return copy_value(*m.type, slot, from);
    case Slot::optional:
      return with_scalar(m.type->kind, [&]<class T>(T*) {
        ::new (slot) std::optional<T>(*static_cast<const std::optional<T>*>(from));
      });
    case Slot::maybe:
      *maybe_flag(*m.type, slot) = maybe_engaged(*m.type, from);
      if (maybe_engaged(*m.type, from)) copy_value(*m.type, slot, from);
      return;
    case Slot::box: {
      const void* p = load_pointer(from);
      void* copy = nullptr;
      if (p) {
        copy = ::operator new(m.type->structure->size);
        copy_object(*m.type->structure, copy, p);
      }
      return store_pointer(slot, copy);
    }
    case Slot::pointer:
      CHECK(false);
  }
}

void move_member(const MemberDesc& m, void* slot, void* from) {
  switch (m.slot) {
    case Slot::plain:
      return move_value(*m.type, slot, from);
    case Slot::optional:
      return with_scalar(m.type->kind, [&]<class T>(T*) {
        ::new (slot) std::optional<T>(std::move(*static_cast<std::optional<T>*>(from)));
      });
    case Slot::maybe:
      *maybe_flag(*m.type, slot) = maybe_engaged(*m.type, from);
      if (maybe_engaged(*m.type, from)) move_value(*m.type, slot, from);
      return;
    case Slot::box:
    case Slot::pointer:
      store_pointer(slot, load_pointer(from));
      return store_pointer(from, nullptr);
  }
}

void* slot_of(const MemberDesc& m, void* object) {
  return static_cast<char*>(object) + m.offset;
}
const void* slot_of(const MemberDesc& m, const void* object) {
  return static_cast<const char*>(object) + m.offset;
}

// Moves the elements into storage twice as large.
void grow(const TypeDesc& element, RawVector& v) {
  const size_t bytes = value_bytes(element);
  const size_t old = static_cast<size_t>(v.storage_end - v.first);
  const size_t wanted = old ? old * 2 : bytes * 2;
  char* to = static_cast<char*>(::operator new(wanted));
  char* end = to;
  for (char* p = v.first; p != v.last; p += bytes, end += bytes) {
    move_value(element, end, p);
    destroy_value(element, p);
  }
  if (v.first) ::operator delete(v.first, old);
  v = {to, end, to + wanted};
}

// Raw storage for one structure, on the stack when it fits.
struct Scratch {
  alignas(std::max_align_t) char local[1024];
  void* at;
  explicit Scratch(const StructDesc& shape)
      : at(shape.size <= sizeof local ? local : ::operator new(shape.size)) {}
  ~Scratch() {
    if (at != local) ::operator delete(at);
  }
};

}  // namespace

const MemberDesc* find_member(const StructDesc& shape, std::string_view name) {
  for (const MemberDesc& m : shape.members) {
    if (m.name == name) return &m;
  }
  return nullptr;
}

size_t value_bytes(const TypeDesc& type) {
  switch (type.kind) {
    case Kind::list:
      return sizeof(RawVector);
    case Kind::map:
      return type.map->bytes;
    case Kind::structure:
      return type.structure->size;
    case Kind::byte_source:
    case Kind::event_stream:
      return sizeof(void*);
    default:
      return with_scalar(type.kind, []<class T>(T*) { return sizeof(T); });
  }
}

void construct_value(const TypeDesc& type, void* at) {
  switch (type.kind) {
    case Kind::list:
      return store(at, RawVector{});
    case Kind::map:
      return type.map->construct(type, at);
    case Kind::structure:
      return construct_object(*type.structure, at);
    case Kind::byte_source:
    case Kind::event_stream:
      return store_pointer(at, nullptr);
    default:
      return with_scalar(type.kind, [&]<class T>(T*) { ::new (at) T(); });
  }
}

void destroy_value(const TypeDesc& type, void* at) {
  switch (type.kind) {
    case Kind::list: {
      const RawVector v = load(at);
      if (!v.first) return;
      const size_t bytes = value_bytes(*type.element);
      for (char* p = v.first; p != v.last; p += bytes) destroy_value(*type.element, p);
      return ::operator delete(v.first, static_cast<size_t>(v.storage_end - v.first));
    }
    case Kind::map:
      return type.map->destroy(type, at);
    case Kind::structure:
      return destroy_object(*type.structure, at);
    case Kind::byte_source:
    case Kind::event_stream:
      return destroy_stream(type, at);
    default:
      return with_scalar(type.kind, [&]<class T>(T*) { std::destroy_at(static_cast<T*>(at)); });
  }
}

void copy_value(const TypeDesc& type, void* at, const void* from) {
  switch (type.kind) {
    case Kind::list: {
      const RawVector v = load(from);
      RawVector copy{};
      const size_t size = static_cast<size_t>(v.last - v.first);
      if (size) {
        copy.first = copy.last = static_cast<char*>(::operator new(size));
        copy.storage_end = copy.first + size;
        const size_t bytes = value_bytes(*type.element);
        for (const char* p = v.first; p != v.last; p += bytes, copy.last += bytes)
          copy_value(*type.element, copy.last, p);
      }
      return store(at, copy);
    }
    case Kind::map:
      return type.map->copy(type, at, from);
    case Kind::structure:
      return copy_object(*type.structure, at, from);
    case Kind::byte_source:
    case Kind::event_stream:
      CHECK(false);
      return;
    default:
      return with_scalar(type.kind,
                         [&]<class T>(T*) { ::new (at) T(*static_cast<const T*>(from)); });
  }
}

void move_value(const TypeDesc& type, void* at, void* from) {
  switch (type.kind) {
    case Kind::list:
      store(at, load(from));
      return store(from, RawVector{});
    case Kind::map:
      return type.map->move(type, at, from);
    case Kind::structure:
      return move_object(*type.structure, at, from);
    case Kind::byte_source:
    case Kind::event_stream:
      store_pointer(at, load_pointer(from));
      return store_pointer(from, nullptr);
    default:
      return with_scalar(type.kind,
                         [&]<class T>(T*) { ::new (at) T(std::move(*static_cast<T*>(from))); });
  }
}

void construct_object(const StructDesc& shape, void* at) {
  std::memset(at, 0, shape.size);  // absent optionals, empty lists, numbers
  for (const MemberDesc& m : shape.members) {
    if (m.slot == Slot::plain) construct_value(*m.type, slot_of(m, at));
  }
}

void destroy_object(const StructDesc& shape, void* at) {
  for (const MemberDesc& m : shape.members) {
    void* const slot = slot_of(m, at);
    if (!is_absent(m, slot)) destroy_member(m, slot);
  }
}

void copy_object(const StructDesc& shape, void* at, const void* from) {
  for (const MemberDesc& m : shape.members) copy_member(m, slot_of(m, at), slot_of(m, from));
}

void move_object(const StructDesc& shape, void* at, void* from) {
  for (const MemberDesc& m : shape.members) {
    void* const slot = slot_of(m, from);
    if (is_absent(m, slot)) {
      make_absent(m, slot_of(m, at));
    } else {
      move_member(m, slot_of(m, at), slot);
    }
  }
}

void copy_assign_object(const StructDesc& shape, void* to, const void* from) {
  if (to == from) return;
  Scratch copy(shape);  // `from` may live inside `to`: copied before anything goes
  copy_object(shape, copy.at, from);
  destroy_object(shape, to);
  move_object(shape, to, copy.at);
  destroy_object(shape, copy.at);
}

void move_assign_object(const StructDesc& shape, void* to, void* from) {
  if (to == from) return;
  Scratch taken(shape);
  move_object(shape, taken.at, from);
  destroy_object(shape, to);
  move_object(shape, to, taken.at);
  destroy_object(shape, taken.at);
}

const void* get_member(const MemberDesc& m, const void* object) {
  const void* slot = slot_of(m, object);
  switch (m.slot) {
    case Slot::plain:
      return slot;
    case Slot::optional:
      return is_absent(m, slot) ? nullptr : slot;
    case Slot::maybe:
      return maybe_engaged(*m.type, slot) ? slot : nullptr;
    case Slot::box:
      return load_pointer(slot);
    case Slot::pointer:
      return load_pointer(slot) ? slot : nullptr;
  }
  return nullptr;
}

void* set_member(const MemberDesc& m, void* object) {
  void* slot = slot_of(m, object);
  switch (m.slot) {
    case Slot::plain:
      destroy_value(*m.type, slot);
      construct_value(*m.type, slot);
      return slot;
    case Slot::optional:
      return with_scalar(m.type->kind, [&]<class T>(T*) -> void* {
        return &static_cast<std::optional<T>*>(slot)->emplace();
      });
    case Slot::maybe:
      if (maybe_engaged(*m.type, slot)) destroy_value(*m.type, slot);
      construct_value(*m.type, slot);
      *maybe_flag(*m.type, slot) = true;
      return slot;
    case Slot::box: {
      destroy_boxed(*m.type, slot);
      void* made = ::operator new(m.type->structure->size);
      construct_object(*m.type->structure, made);
      store_pointer(slot, made);
      return made;
    }
    case Slot::pointer:
      destroy_stream(*m.type, slot);
      store_pointer(slot, nullptr);
      return slot;
  }
  return slot;
}

size_t list_size(const TypeDesc& type, const void* list) {
  const RawVector v = load(list);
  return v.first ? static_cast<size_t>(v.last - v.first) / value_bytes(*type.element) : 0;
}

const void* list_at(const TypeDesc& type, const void* list, size_t index) {
  return load(list).first + index * value_bytes(*type.element);
}

void* list_append(const TypeDesc& type, void* list) {
  CHECK(!is_stream(type.element->kind));
  RawVector v = load(list);
  if (v.last == v.storage_end) grow(*type.element, v);
  void* made = v.last;
  construct_value(*type.element, made);
  v.last += value_bytes(*type.element);
  store(list, v);
  return made;
}

StructBox StructBox::make(const StructDesc& desc) {
  void* at = ::operator new(desc.size);
  construct_object(desc, at);
  return StructBox(desc, at);
}

void StructBox::reset() {
  if (!object_) return;
  destroy_object(*desc_, object_);
  ::operator delete(object_, desc_->size);
  object_ = nullptr;
}

}  // namespace virga::aws
