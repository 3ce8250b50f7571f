#include "platform/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace virga::platform {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, shows_called_operations_with_cumulative_buckets) {
  Metrics metrics;
  auto& put = metrics.operation("dynamodb", "PutItem");
  metrics.operation("dynamodb", "GetItem");
  metrics.finished(put, 60'000, 100, 2);
  metrics.finished(put, 2'000'000, 100, 2);
  metrics.failed(put, "ValidationException");
  const std::string text = metrics.prometheus();
  EXPECT_THAT(text, HasSubstr(R"(_bucket{service="dynamodb",operation="PutItem",le="0.0001"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(_bucket{service="dynamodb",operation="PutItem",le="+Inf"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(_count{service="dynamodb",operation="PutItem"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(operation="PutItem",code="ValidationException"} 1)"));
  EXPECT_THAT(
      text, HasSubstr("virga_request_bytes_total{service=\"dynamodb\",operation=\"PutItem\"} 200"));
  EXPECT_THAT(text, Not(HasSubstr("GetItem")));
}

TEST(Metrics, an_operation_is_registered_once) {
  Metrics metrics;
  EXPECT_EQ(&metrics.operation("sts", "GetCallerIdentity"),
            &metrics.operation("sts", "GetCallerIdentity"));
}

}  // namespace
}  // namespace virga::platform
