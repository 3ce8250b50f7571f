#pragma once

#include <cstdint>

namespace virga {

class AttributeValue;
class Ctx;
class Document;
class Item;

namespace async {
class ByteSource;
}

namespace aws {

struct ErrorDesc;
struct MemberDesc;
struct OperationDesc;
struct ServiceDesc;
struct StructDesc;
struct TypeDesc;
class Door;
class StructBox;
struct ServiceBinding;
template <class Event>
class EventSource;

}  // namespace aws
}  // namespace virga
