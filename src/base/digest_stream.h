#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace virga {

// A digest of a text that arrives in parts. One thread at a time.
class DigestStream {
 public:
  enum class Kind { md5, sha1, sha256, sha512 };
  explicit DigestStream(Kind kind);
  ~DigestStream();
  DigestStream(DigestStream&&) noexcept;
  DigestStream& operator=(DigestStream&&) noexcept;
  void update(std::string_view bytes);
  std::string finish();  // raw bytes; once

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace virga
