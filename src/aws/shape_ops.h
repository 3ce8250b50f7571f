#pragma once

#include <map>
#include <new>
#include <string>
#include <utility>

#include "aws/shape.h"

// Map operations behind the descriptor tables, one table per C++ type. Included by .cc files only.
namespace virga::aws {

template <class T>
inline constexpr MapOps kMapOps = {
    sizeof(std::map<std::string, T>),
    [](const TypeDesc&, void* at) { ::new (at) std::map<std::string, T>(); },
    [](const TypeDesc&, void* at) { std::destroy_at(static_cast<std::map<std::string, T>*>(at)); },
    [](const TypeDesc&, void* at, const void* from) {
      ::new (at) std::map<std::string, T>(*static_cast<const std::map<std::string, T>*>(from));
    },
    [](const TypeDesc&, void* at, void* from) {
      ::new (at) std::map<std::string, T>(std::move(*static_cast<std::map<std::string, T>*>(from)));
    },
    [](const TypeDesc&, const void* map) {
      return static_cast<const std::map<std::string, T>*>(map)->size();
    },
    [](const TypeDesc&, void* map, std::string key) -> void* {
      return &(*static_cast<std::map<std::string, T>*>(map))[std::move(key)];
    },
    [](const TypeDesc&, const void* map, void* self,
       void (*visit)(void*, const std::string&, const void*)) {
      for (const auto& [key, value] : *static_cast<const std::map<std::string, T>*>(map))
        visit(self, key, &value);
    },
};

}  // namespace virga::aws
