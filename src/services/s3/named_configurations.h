#pragma once

#include <string_view>
#include <vector>

#include "aws/box.h"

namespace virga::s3 {

// A kind of configuration that a bucket may have many of, each under its `id`: the record's name,
// and where the model's list of them (List, the answer of the List… operation) has them.
template <class List, class Item>
struct NamedKind {
  std::string_view config;
  Maybe<std::vector<Item>> List::* list;
};

}  // namespace virga::s3
