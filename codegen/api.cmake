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

set(api_services)
set(api_generated)
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
  list(APPEND api_generated ${names})
  file(MAKE_DIRECTORY ${out} ${CMAKE_BINARY_DIR}/inc/api_${service}/api)
  file(CREATE_LINK ${out} ${CMAKE_BINARY_DIR}/inc/api_${service}/api/${service} SYMBOLIC)
  add_library(virga_api_${service} STATIC ${names})
  # Tables and members' accessors: what a data plane's requests walk through is optimised a little, the rest for size.
  if(service MATCHES "^(dynamodb|s3|sqs|lambda)$")
    target_compile_options(virga_api_${service} PRIVATE -O1 -Wno-invalid-offsetof)
    virga_use_precompiled(virga_api_${service} standard)
  else()
    target_compile_options(virga_api_${service} PRIVATE ${VIRGA_SMALL_FLAGS} -Wno-invalid-offsetof)
    virga_use_precompiled(virga_api_${service} standard_small)
  endif()
  target_include_directories(virga_api_${service} PUBLIC ${CMAKE_BINARY_DIR}/inc/api_${service})
  target_link_libraries(virga_api_${service} PUBLIC virga_aws)
endforeach()

# What a model changes must be written before a build looks at the headers' times (./dev).
add_custom_target(generated DEPENDS ${api_generated})

set(registry ${CMAKE_BINARY_DIR}/api/registry.cc)
add_custom_command(OUTPUT ${registry} COMMAND ${generate} --registry ${registry} ${api_services}
                   DEPENDS ${api_generator} COMMENT "api/registry" VERBATIM)
add_library(virga_api_registry STATIC ${registry})
target_link_libraries(virga_api_registry PUBLIC virga_aws)
foreach(service ${api_services})
  target_link_libraries(virga_api_registry PUBLIC virga_api_${service})
endforeach()
