# The Python shim is a shared library of its own, built without the tree's sanitizers: it runs inside CPython.
set(shim ${CMAKE_BINARY_DIR}/virga_python_shim.so)
set(shim_sources ${CMAKE_SOURCE_DIR}/runtimes/python/shim.c ${CMAKE_SOURCE_DIR}/src/sandbox/jail.c ${CMAKE_SOURCE_DIR}/src/sandbox/seccomp.c)
add_custom_command(
  OUTPUT ${shim}
  COMMAND ${CMAKE_C_COMPILER} -std=c17 -O2 -Wall -Wextra -Werror -fPIC -shared -s -I${CMAKE_SOURCE_DIR}/src
          -fvisibility=hidden -DVIRGA_SHIM ${shim_sources} -o ${shim}
  DEPENDS ${shim_sources} ${CMAKE_SOURCE_DIR}/src/sandbox/jail.h
  VERBATIM)
add_custom_target(virga_python_shim DEPENDS ${shim})
add_dependencies(virga_sandbox virga_python_shim)
set_source_files_properties(
  ${CMAKE_SOURCE_DIR}/src/sandbox/embedded.cc
  TARGET_DIRECTORY virga_sandbox
  PROPERTIES
    COMPILE_DEFINITIONS
    "VIRGA_PYTHON_SDK=\"${CMAKE_SOURCE_DIR}/runtimes/python/sdk.py\";VIRGA_PYTHON_BOOTSTRAP=\"${CMAKE_SOURCE_DIR}/runtimes/python/bootstrap.py\";VIRGA_PYTHON_SHIM=\"${shim}\";VIRGA_NODE_BOOTSTRAP=\"${CMAKE_SOURCE_DIR}/runtimes/node/bootstrap.cjs\""
    OBJECT_DEPENDS
    "${CMAKE_SOURCE_DIR}/runtimes/python/sdk.py;${CMAKE_SOURCE_DIR}/runtimes/python/bootstrap.py;${shim};${CMAKE_SOURCE_DIR}/runtimes/node/bootstrap.cjs")
