#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "aws/operation.h"

namespace virga::platform {

// Builds for tests hold every answer against the model; VIRGA_DEBUG_CHECKS=1 in the environment
// does so in any build.
bool check_answers_by_default();

// InternalFailure saying what is wrong with an answer or an error that the model does not have;
// otherwise ok.
Result<void> hold_against_model(const aws::OperationDesc& op,
                                const Result<aws::OutputBox>& outcome);

// Parameters that an operation accepts without effect: named in its binding's notes, logged once
// each when a call that uses one succeeds. Any loop.
class WithoutEffect {
 public:
  explicit WithoutEffect(const aws::ServiceBinding& binding);
  ~WithoutEffect();
  WithoutEffect(WithoutEffect&&) noexcept;

  // The parameters' presence is noted before the handler takes the input; one bit each.
  uint64_t used(const aws::OperationDesc& op, const aws::StructBox& input) const;
  void log(const aws::OperationDesc& op, uint64_t used) const;

 private:
  struct Watched;
  std::vector<std::vector<std::unique_ptr<Watched>>> by_operation_;
};

}  // namespace virga::platform
