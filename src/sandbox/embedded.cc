#include "sandbox/embedded.h"

// The build names the files; see src/sandbox/embed.cmake.
#define EMBED(symbol, file)                                                     \
  asm(".pushsection .rodata\n.balign 16\n" #symbol                              \
      "_begin:\n"                                                               \
      ".incbin \"" file "\"\n" #symbol "_end:\n.popsection\n");                 \
  extern "C" const char symbol##_begin[] __attribute__((visibility("hidden"))); \
  extern "C" const char symbol##_end[] __attribute__((visibility("hidden")))

// Two files are one program.
EMBED(virga_python_bootstrap, VIRGA_PYTHON_SDK "\"\n.incbin \"" VIRGA_PYTHON_BOOTSTRAP);
EMBED(virga_python_shim, VIRGA_PYTHON_SHIM);
EMBED(virga_node_bootstrap, VIRGA_NODE_BOOTSTRAP);

namespace virga::sandbox {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace

std::string_view embedded_python_bootstrap() {
  return between(virga_python_bootstrap_begin, virga_python_bootstrap_end);
}
std::string_view embedded_python_shim() {
  return between(virga_python_shim_begin, virga_python_shim_end);
}
std::string_view embedded_node_bootstrap() {
  return between(virga_node_bootstrap_begin, virga_node_bootstrap_end);
}

}  // namespace virga::sandbox
