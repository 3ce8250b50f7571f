#pragma once

namespace virga {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace virga
