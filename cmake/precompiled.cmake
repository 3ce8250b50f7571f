# Precompiled headers: the standard library and gtest are most of what a unit of this tree costs to parse.
#
# Not CMake's own target_precompile_headers: its file holds the build folder's path, so that a cache would never share a
# unit between two working trees. Ours gives ccache a sum of the text instead (CCACHE_PCH_EXTSUM, set by ./dev).

option(VIRGA_PRECOMPILED "precompile common headers (clang only)" ON)
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(VIRGA_PRECOMPILED OFF)
endif()

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/precompiled ${CMAKE_BINARY_DIR}/inc/precompiled)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/src/precompiled ${CMAKE_BINARY_DIR}/inc/precompiled/precompiled SYMBOLIC)

# virga_precompile(<name> HEADER file [FLAGS flags...] [ROOTS include roots...])
# Makes build/precompiled/<name>.pch, to be used with virga_use_precompiled.
# A precompiled header and its users agree on what the compiler predefines: -O0, -O1 to -O3 and -Oz need one each.
function(virga_precompile name)
  cmake_parse_arguments(ARG "" "HEADER" "FLAGS;ROOTS" ${ARGN})
  if(NOT VIRGA_PRECOMPILED)
    return()
  endif()
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
  get_directory_property(options COMPILE_OPTIONS)
  get_directory_property(definitions COMPILE_DEFINITIONS)
  list(TRANSFORM definitions PREPEND -D)
  list(FILTER options EXCLUDE REGEX "^\\$<")
  set(includes -I${CMAKE_BINARY_DIR}/inc/precompiled)
  foreach(root ${ARG_ROOTS})
    list(APPEND includes -I${CMAKE_BINARY_DIR}/inc/${root})
  endforeach()
  set(header ${CMAKE_SOURCE_DIR}/src/precompiled/${ARG_HEADER})
  set(out ${CMAKE_BINARY_DIR}/precompiled/${name}.pch)
  set(compile ${CMAKE_CXX_COMPILER} ${flags} ${CMAKE_CXX23_STANDARD_COMPILE_OPTION} ${options} ${definitions}
              ${ARG_FLAGS} ${includes} -x c++-header ${header})
  list(JOIN compile " " text)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${compile} -Xclang -fno-pch-timestamp -o ${out} -MD -MF ${out}.d -MT precompiled/${name}.pch
    COMMAND sh -c "{ echo '${text}'; ${text} -E -o - ; } | sed 's#${CMAKE_SOURCE_DIR}##g' | sha256sum > ${out}.sum"
    DEPENDS ${header}
    DEPFILE ${out}.d
    COMMENT "precompiled/${name}"
    VERBATIM)
  add_custom_target(precompiled_${name} DEPENDS ${out})
endfunction()

# virga_use_precompiled(<target> <name> [SOURCES files...])
# For all C++ files of a target, or for those named (which must be in the calling folder).
function(virga_use_precompiled target name)
  cmake_parse_arguments(ARG "" "" "SOURCES" ${ARGN})
  if(NOT VIRGA_PRECOMPILED)
    return()
  endif()
  set(pch ${CMAKE_BINARY_DIR}/precompiled/${name}.pch)
  if(ARG_SOURCES)
    foreach(source ${ARG_SOURCES})
      if(source MATCHES "\\.cc$")
        set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -include-pch ${pch})
      endif()
    endforeach()
  else()
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include-pch ${pch}>")
  endif()
  add_dependencies(${target} precompiled_${name})
endfunction()

set(VIRGA_SERVICE_ROOTS platform aws storage net async base)
virga_precompile(standard HEADER standard.h FLAGS -fPIC)
virga_precompile(service HEADER service.h FLAGS -fPIC ROOTS ${VIRGA_SERVICE_ROOTS})
virga_precompile(standard_small HEADER standard.h FLAGS ${VIRGA_SMALL_FLAGS} -fPIC)
virga_precompile(service_small HEADER service.h FLAGS ${VIRGA_SMALL_FLAGS} -fPIC ROOTS ${VIRGA_SERVICE_ROOTS})
# Tests are executables, so -fPIE; the definition is GTest's own.
set(VIRGA_TEST_PRECOMPILED_FLAGS ${VIRGA_TEST_FLAGS} -fPIE -DGTEST_HAS_PTHREAD=1)
virga_precompile(test HEADER test.h FLAGS ${VIRGA_TEST_PRECOMPILED_FLAGS})
virga_precompile(service_test HEADER service_test.h FLAGS ${VIRGA_TEST_PRECOMPILED_FLAGS}
                 ROOTS ${VIRGA_SERVICE_ROOTS})
