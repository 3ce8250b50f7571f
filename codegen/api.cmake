# The api/ layer: one library virga_api_<service> per model, generated into build/api/<service> at build time.
# `#include "api/dynamodb/put_item.h"`; a service's library says DEPS api_dynamodb.

file(GLOB api_models CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/models/*.json)
file(GLOB api_overlays CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/models/overlays/*.json)
file(GLOB api_generator CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/codegen/*.py)
list(REMOVE_ITEM api_models ${CMAKE_SOURCE_DIR}/models/PINS.json)
list(REMOVE_ITEM api_generator ${CMAKE_SOURCE_DIR}/codegen/import_models.py)
find_program(VIRGA_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
set(generate ${VIRGA_PYTHON} -B ${CMAKE_SOURCE_DIR}/codegen/generate.py)
# The number of units depends on the models.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${api_models} ${api_generator})

# One precompiled header for all generated units: without it each spends 1.3 CPU s on the same standard headers.
# (ccache keeps such units only when told that the header's time stamp does not matter.)
set(api_prelude ${CMAKE_BINARY_DIR}/api/prelude.cc)
file(WRITE ${api_prelude}.in "#include \"aws/api_prelude.h\"\n")
configure_file(${api_prelude}.in ${api_prelude} COPYONLY)
add_library(virga_api_prelude STATIC ${api_prelude})
target_link_libraries(virga_api_prelude PUBLIC virga_aws)

function(virga_api_options target)
  target_compile_options(${target} PRIVATE -O1 "SHELL:-Xclang -fno-pch-timestamp")
  if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache$")
    set_property(TARGET ${target} PROPERTY CXX_COMPILER_LAUNCHER
                 ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
endfunction()
virga_api_options(virga_api_prelude)
target_precompile_headers(virga_api_prelude PRIVATE ${CMAKE_SOURCE_DIR}/src/aws/api_prelude.h)

set(api_services)
foreach(model ${api_models})
  get_filename_component(service ${model} NAME_WE)
  list(APPEND api_services ${service})
  set(out ${CMAKE_BINARY_DIR}/api/${service})
  execute_process(COMMAND ${generate} --sources ${service} OUTPUT_VARIABLE names COMMAND_ERROR_IS_FATAL ANY)
  list(TRANSFORM names PREPEND ${out}/)
  set(overlay ${CMAKE_SOURCE_DIR}/models/overlays/${service}.json)
  if(NOT EXISTS ${overlay})
    set(overlay)
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/models/overlays/${service}.auth.json)
    list(APPEND overlay ${CMAKE_SOURCE_DIR}/models/overlays/${service}.auth.json)
  endif()
  add_custom_command(OUTPUT ${names} COMMAND ${generate} --out ${out} ${service}
                     DEPENDS ${model} ${overlay} ${api_generator} COMMENT "api/${service}" VERBATIM)
  file(MAKE_DIRECTORY ${out} ${CMAKE_BINARY_DIR}/inc/api_${service}/api)
  file(CREATE_LINK ${out} ${CMAKE_BINARY_DIR}/inc/api_${service}/api/${service} SYMBOLIC)
  add_library(virga_api_${service} STATIC ${names})
  virga_api_options(virga_api_${service})
  target_precompile_headers(virga_api_${service} REUSE_FROM virga_api_prelude)
  target_include_directories(virga_api_${service} PUBLIC ${CMAKE_BINARY_DIR}/inc/api_${service})
  target_link_libraries(virga_api_${service} PUBLIC virga_aws)
endforeach()

set(registry ${CMAKE_BINARY_DIR}/api/registry.cc)
add_custom_command(OUTPUT ${registry} COMMAND ${generate} --registry ${registry} ${api_services}
                   DEPENDS ${api_generator} COMMENT "api/registry" VERBATIM)
add_library(virga_api_registry STATIC ${registry})
target_link_libraries(virga_api_registry PUBLIC virga_aws)
foreach(service ${api_services})
  target_link_libraries(virga_api_registry PUBLIC virga_api_${service})
endforeach()
