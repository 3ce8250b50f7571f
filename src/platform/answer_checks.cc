#include "platform/answer_checks.h"

#include <atomic>
#include <cstdlib>

#include "aws/validate.h"
#include "base/log.h"

namespace virga::platform {
namespace {

constexpr size_t kWatchedMax = 64;  // bits of used()'s answer

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The words of a note, without its punctuation.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_letter(text[i])) continue;
    if (i > begin) out.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  return out;
}

}  // namespace

bool check_answers_by_default() {
#ifdef VIRGA_DEBUG_CHECKS
  return true;
#else
  const char* asked = std::getenv("VIRGA_DEBUG_CHECKS");
  return asked && std::string_view(asked) == "1";
#endif
}

Result<void> hold_against_model(const aws::OperationDesc& op,
                                const Result<aws::OutputBox>& outcome) {
  std::string wrong;
  if (outcome) {
    wrong = aws::check_output(op, *outcome);
  } else if (!op.service->bare_errors) {
    wrong = aws::check_error(op, outcome.error());
  }
  if (wrong.empty()) return {};
  return fail(internal_failure(std::string(op.name) + " answers what its model has not: " + wrong));
}

struct WithoutEffect::Watched {
  const aws::MemberDesc* member;
  std::string_view note;
  std::atomic<bool> logged{false};
};

WithoutEffect::WithoutEffect(const aws::ServiceBinding& binding)
    : by_operation_(binding.service->operations.size()) {
  for (const aws::PartialNote& note : binding.partial) {
    const aws::OperationDesc* op = aws::find_operation(*binding.service, note.operation);
    if (!op) continue;
    auto& watched = by_operation_[op->index];
    for (const std::string_view word : words_of(note.what)) {
      const aws::MemberDesc* member = aws::find_member(*op->input, word);
      if (!member || watched.size() == kWatchedMax) continue;
      auto& one = watched.emplace_back(std::make_unique<Watched>());
      one->member = member;
      one->note = note.what;
    }
  }
}

WithoutEffect::~WithoutEffect() = default;
WithoutEffect::WithoutEffect(WithoutEffect&&) noexcept = default;

uint64_t WithoutEffect::used(const aws::OperationDesc& op, const aws::StructBox& input) const {
  uint64_t bits = 0;
  const auto& watched = by_operation_[op.index];
  for (size_t i = 0; i < watched.size(); ++i) {
    if (aws::get_member(*watched[i]->member, input.object())) bits |= uint64_t{1} << i;
  }
  return bits;
}

void WithoutEffect::log(const aws::OperationDesc& op, uint64_t used) const {
  const auto& watched = by_operation_[op.index];
  for (size_t i = 0; i < watched.size(); ++i) {
    if (!(used >> i & 1) || watched[i]->logged.exchange(true)) continue;
    LOG_WARN("parameter_without_effect", kv("service", op.service->name), kv("operation", op.name),
             kv("parameter", watched[i]->member->name), kv("note", watched[i]->note));
  }
}

}  // namespace virga::platform
