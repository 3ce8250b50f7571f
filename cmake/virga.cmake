# Build rules of the tree. A folder under src/ is one library that sees its own headers and those of the
# libraries it names in DEPS, nothing else: every library has an include root of its own under build/inc.

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Werror
                    -fno-omit-frame-pointer)
add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wno-missing-designated-field-initializers>)
if(VIRGA_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -g1)
  add_link_options(-fsanitize=address,undefined)
  add_compile_definitions(VIRGA_DEBUG_CHECKS=1 VIRGA_SANITIZED=1)
elseif(VIRGA_TSAN)
  add_compile_options(-fsanitize=thread -g1)
  add_link_options(-fsanitize=thread)
  add_compile_definitions(VIRGA_DEBUG_CHECKS=1 VIRGA_SANITIZED=1)
else()
  # simdjson's on-demand parser picks its kernel at compile time: without PCLMUL that is the byte-by-byte fallback. Every
  # x86-64-v2 server processor has it (Westmere, 2010).
  add_compile_options(-march=x86-64-v2 -mpclmul)
endif()
if(VIRGA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_package(OpenSSL REQUIRED)

# The archive where there is one: no calls through tables, thread-local state without a function, and one library less
# that the machine must have. What it needs itself comes as shared libraries, which every Debian has.
find_library(VIRGA_ROCKSDB_ARCHIVE librocksdb.a)
add_library(virga_rocksdb INTERFACE)
if(VIRGA_ROCKSDB_ARCHIVE)
  target_link_libraries(virga_rocksdb INTERFACE ${VIRGA_ROCKSDB_ARCHIVE} snappy lz4 zstd bz2 z ${CMAKE_DL_LIBS})
else()
  target_link_libraries(virga_rocksdb INTERFACE rocksdb)
endif()
add_link_options(-Wl,--gc-sections)

# virga_library(<folder> [NAME name] [DEPS libs...] [LINK external libs...] [EXCLUDE files...])
# Compiles *.cc of the folder (not *_test.cc) into virga_<name>, and its *_test.cc into <name>_test.
function(virga_library folder)
  cmake_parse_arguments(ARG "" "NAME" "DEPS;LINK;EXCLUDE;TEST_DEPS;TEST_SOURCES" ${ARGN})
  if(NOT ARG_NAME)
    string(REPLACE "/" "_" ARG_NAME ${folder})
  endif()
  set(dir ${CMAKE_SOURCE_DIR}/src/${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.cc ${dir}/*.c)
  file(GLOB tests CONFIGURE_DEPENDS ${dir}/*_test.cc)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  foreach(f ${ARG_EXCLUDE})
    list(REMOVE_ITEM sources ${dir}/${f})
  endforeach()

  # The include root: build/inc/<name>/<folder> -> src/<folder>.
  get_filename_component(parent ${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/inc/${ARG_NAME}/${parent})
  file(CREATE_LINK ${dir} ${CMAKE_BINARY_DIR}/inc/${ARG_NAME}/${folder} SYMBOLIC)

  if(sources)
    add_library(virga_${ARG_NAME} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(virga_${ARG_NAME} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(virga_${ARG_NAME} ${scope} ${CMAKE_BINARY_DIR}/inc/${ARG_NAME})
  foreach(d ${ARG_DEPS})
    target_link_libraries(virga_${ARG_NAME} ${scope} virga_${d})
  endforeach()
  target_link_libraries(virga_${ARG_NAME} ${scope} ${ARG_LINK} Threads::Threads)

  if(tests OR ARG_TEST_SOURCES)
    add_executable(${ARG_NAME}_test ${tests} ${ARG_TEST_SOURCES})
    target_link_libraries(${ARG_NAME}_test PRIVATE virga_${ARG_NAME} GTest::gmock GTest::gtest_main)
    # Where golden data lies.
    target_compile_definitions(${ARG_NAME}_test PRIVATE VIRGA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    foreach(d ${ARG_TEST_DEPS})
      target_link_libraries(${ARG_NAME}_test PRIVATE virga_${d})
    endforeach()
    set_property(GLOBAL APPEND PROPERTY VIRGA_TEST_TARGETS ${ARG_NAME}_test)
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME}_test)
  endif()
endfunction()

# virga_fuzz(<name> SOURCE file DEPS libs...): a libFuzzer target, built only in the fuzzing configuration.
function(virga_fuzz name)
  cmake_parse_arguments(ARG "" "SOURCE" "DEPS" ${ARGN})
  if(VIRGA_FUZZ)
    add_executable(fuzz_${name} ${ARG_SOURCE})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_property(GLOBAL APPEND PROPERTY VIRGA_FUZZ_TARGETS fuzz_${name})
    foreach(d ${ARG_DEPS})
      target_link_libraries(fuzz_${name} PRIVATE virga_${d})
    endforeach()
  endif()
endfunction()
