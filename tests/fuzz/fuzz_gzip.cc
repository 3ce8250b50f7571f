// gzip: any bytes inflate to at most the limit, the same at once and as a source; what we pack we
// unpack. Planted fault: VIRGA_PLANT=no_limit (the limit is a hundred times larger than the check
// believes).
#include "async/loop.h"
#include "fuzz.h"
#include "net/gzip.h"

namespace {

using namespace virga;
constexpr size_t kLimit = 4096;

Result<std::string> through_a_source(std::string_view bytes, size_t limit) {
  static async::EpollLoop* const loop = new async::EpollLoop(async::real_env());
  const auto source =
      net::gunzip_source(std::make_unique<async::StringSource>(std::string(bytes)), limit);
  std::optional<Result<std::string>> got;
  loop->post([&] {
    [](async::ByteSource* s, std::optional<Result<std::string>>* out) -> async::Detached {
      auto all = co_await as_result(async::read_all(*s, 1 << 20, AwsError{}));
      out->emplace(std::move(all));
    }(source.get(), &got);
  });
  for (int i = 0; i < 100 && !got; ++i) loop->run_once(0);
  REQUIRE(got.has_value());
  return std::move(*got);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  const bool pack = (input.byte() & 1) != 0;
  std::string bytes(input.rest());
  if (pack) {
    std::string text;
    for (int i = 0; i < 32 && text.size() < 3 * kLimit; ++i) text += bytes;
    bytes = net::gzip(text, 1);
    const auto whole = net::gunzip(bytes, text.size());
    REQUIRE(whole && *whole == text);
  }
  const auto got = net::gunzip(bytes, fuzz::planted("no_limit") ? kLimit * 100 : kLimit);
  const auto streamed = through_a_source(bytes, kLimit);
  REQUIRE(got.has_value() == streamed.has_value());
  if (got) {
    REQUIRE(got->size() <= kLimit);
    REQUIRE(*got == *streamed);
  } else {
    REQUIRE(got.error().http_status == 400 || got.error().http_status == 413);
  }
  return 0;
}
