#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "services/lambda/function_store.h"

// Function URLs as they are kept. Keys, below Space::lambda:
//   account | region | 2 | id | 5 | qualifier → UrlRecord ("" for $LATEST)
//   "" | "" | 7 | url id                      → UrlTarget: whose URL it is
namespace virga::lambda {

struct UrlCors {
  bool allow_credentials = false;
  std::vector<std::string> allow_headers, allow_methods, allow_origins, expose_headers;
  std::optional<int> max_age;
};

struct UrlRecord {
  std::string qualifier;  // an alias, or empty
  std::string url_id;     // 32 lower-case letters and digits
  std::string auth_type = "NONE";
  std::string invoke_mode = "BUFFERED";
  std::optional<UrlCors> cors;
  Timestamp created, modified;
};

struct UrlTarget {
  FunctionName function;  // with the alias, if the URL has one
  uint64_t function_id = 0;
};

namespace store {

Result<std::optional<UrlRecord>> find_url(const storage::View& view, const Owner& owner,
                                          uint64_t id, std::string_view qualifier);
void put_url(storage::Txn& txn, const FunctionName& function, uint64_t id, const UrlRecord& record);
void erase_url(storage::Txn& txn, const Owner& owner, uint64_t id, const UrlRecord& record);
Result<std::vector<UrlRecord>> list_urls(const storage::View& view, const Owner& owner,
                                         uint64_t id);
Result<std::optional<UrlTarget>> find_url_target(const storage::View& view,
                                                 std::string_view url_id);

}  // namespace store
}  // namespace virga::lambda
