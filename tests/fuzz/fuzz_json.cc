// JSON bodies: any bytes are refused or decoded, and what was decoded survives writing and reading.
// Planted fault: VIRGA_PLANT=lose_a_byte; it is in fuzz_codecs.h: planted("lose_a_byte").
#include "fuzz_codecs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  virga::fuzz::round_trip(virga::fuzz::tree_model("json"),
                          {reinterpret_cast<const char*>(data), size});
  return 0;
}
