#pragma once

#include <expected>
#include <memory>
#include <string>
#include <utility>

namespace virga {

class Document;

// An error answer, for three readers: the program that retries (code, status), the person
// (message), the operator (both, in the log). A value, not an exception: a failed condition or a
// throttle is everyday traffic.
struct AwsError {
  std::string code;  // the model's shape name: "ConditionalCheckFailedException"
  int http_status = 400;
  std::string message;  // AWS's own wording where clients are known to match on it
  // Modelled extra members of the error shape (e.g. CancellationReasons) as a JSON object; usually
  // null. Shared because an error may be copied on its way through several waiters; never changed
  // once made.
  std::shared_ptr<const Document> detail;

  friend bool operator==(const AwsError& a, const AwsError& b) {
    return a.code == b.code && a.http_status == b.http_status && a.message == b.message;
  }
};

template <class T>
using Result = std::expected<T, AwsError>;  // libstdc++ 12: no and_then, no transform

// `return fail(errors::queue_does_not_exist(name));`
[[nodiscard]] inline std::unexpected<AwsError> fail(AwsError error) {
  return std::unexpected<AwsError>(std::move(error));
}
[[nodiscard]] inline std::unexpected<AwsError> fail(std::string code, int status,
                                                    std::string message) {
  return std::unexpected<AwsError>(
      AwsError{.code = std::move(code), .http_status = status, .message = std::move(message)});
}

// Our own fault: code InternalFailure, status 500. `what` names the broken piece, never a secret.
[[nodiscard]] AwsError internal_failure(std::string what);

// `ignore(close_file(f), "best effort on shutdown");` : drops a result on purpose, with the reason.
template <class T>
inline void ignore(T&&, const char* /*reason*/) {}

}  // namespace virga

// VIRGA_TRY(name, expression): declares `name` as the value of a Result, or returns its error.
// Outside coroutines; inside a Task, `co_await` does the same.
#define VIRGA_TRY_CONCAT2(a, b) a##b
#define VIRGA_TRY_CONCAT(a, b) VIRGA_TRY_CONCAT2(a, b)
#define VIRGA_TRY(name, ...)                                                           \
  auto VIRGA_TRY_CONCAT(virga_try_, __LINE__) = (__VA_ARGS__);                         \
  if (!VIRGA_TRY_CONCAT(virga_try_, __LINE__))                                         \
    return std::unexpected(std::move(VIRGA_TRY_CONCAT(virga_try_, __LINE__).error())); \
  [[maybe_unused]] auto name = std::move(*VIRGA_TRY_CONCAT(virga_try_, __LINE__))
// VIRGA_TRY_VOID(expression): the same for Result<void>.
#define VIRGA_TRY_VOID(...)                                                         \
  do {                                                                              \
    auto virga_try_void = (__VA_ARGS__);                                            \
    if (!virga_try_void) return std::unexpected(std::move(virga_try_void.error())); \
  } while (0)
