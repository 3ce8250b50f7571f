#pragma once

#include "platform/origin_rules.h"
#include "storage/shard.h"

namespace virga::s3 {

// Buckets' CORS configurations as the front asks for them. Any loop may call.
class CrossOrigin final : public platform::OriginRules {
 public:
  explicit CrossOrigin(storage::Shard& shard) : shard_(shard) {}
  Task<platform::OriginVerdict> judge(platform::OriginQuestion question) override;

 private:
  storage::Shard& shard_;
};

}  // namespace virga::s3
