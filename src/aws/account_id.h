#pragma once

#include <string_view>

namespace virga {

// An AWS account's id: twelve digits (AWS Account Management, View AWS account identifiers).
inline bool is_account_id(std::string_view text) {
  return text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace virga
