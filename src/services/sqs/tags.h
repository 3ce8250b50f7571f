#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace virga::sqs {

// Keys and values have AWS's lengths and there are not too many. Source: SQS Developer Guide,
// "Amazon SQS standard queue quotas", "Queue tag".
Result<void> check_tags(const std::map<std::string, std::string>& tags,
                        std::string_view queue_name);

}  // namespace virga::sqs
