// Form bodies: any bytes are refused or decoded, the same way each time, and white space of the
// encoding does not matter. Planted fault: VIRGA_PLANT=no_plus; planted("no_plus").
#include "base/strings.h"
#include "fuzz_codecs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace virga;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (!percent_decode(body))
    return fuzz::decoded(fuzz::tree_model("query"), body), 0;  // broken escapes stay as they are
  const auto& model = fuzz::tree_model("query");
  const std::string first = fuzz::decoded(model, body);
  std::string same;
  for (const char c : body) {
    if (c == '+') {
      same += fuzz::planted("no_plus") ? "" : "%20";
    } else {
      same += c;
    }
  }
  REQUIRE(fuzz::decoded(model, same) == first);
  return 0;
}
