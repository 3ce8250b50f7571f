# Several files as one unit: our own headers, the templates they instantiate and the inline functions that every unit
# emits anew are paid once per batch. What it measured: docs/decisions/2026-11-build-time.md.
#
# Not CMake's UNITY_BUILD: it leaves files with flags of their own alone, which all of ours have (a precompiled header),
# and cuts by number, so that one new file moves all that follow it.

option(VIRGA_UNITY "compile the files of a folder in batches" ON)

# virga_batches(<out> NAME name BUDGET bytes FILES files...)
# Writes build/unity/<name>_<first file>.cc, each including files of about BUDGET bytes together, and sets <out> to them.
# A batch also ends, once half full, at a file whose name's hash says so: a file that comes or goes changes its
# neighbours' batch and no other. Files of one folder therefore keep the names of their local helpers apart.
function(virga_batches out)
  cmake_parse_arguments(ARG "" "NAME;BUDGET" "FILES" ${ARGN})
  if(NOT VIRGA_UNITY)
    set(${out} ${ARG_FILES} PARENT_SCOPE)
    return()
  endif()
  list(SORT ARG_FILES)
  math(EXPR half "${ARG_BUDGET} / 2")
  set(batches)
  set(batch)
  set(bytes 0)
  foreach(f ${ARG_FILES})
    file(SIZE ${f} size)
    math(EXPR sum "${bytes} + ${size}")
    get_filename_component(name ${f} NAME)
    string(MD5 hash ${name})
    if(batch AND (sum GREATER ARG_BUDGET OR (bytes GREATER half AND hash MATCHES "^[0-3]")))
      virga_write_batch(written ${ARG_NAME} ${batch})
      list(APPEND batches ${written})
      set(batch)
      set(sum ${size})
    endif()
    list(APPEND batch ${f})
    set(bytes ${sum})
  endforeach()
  if(batch)
    virga_write_batch(written ${ARG_NAME} ${batch})
    list(APPEND batches ${written})
  endif()
  set(${out} ${batches} PARENT_SCOPE)
endfunction()

# One file is its own unit; more are included by their paths below src/ or tests/, which no tree's place is part of.
function(virga_write_batch out name)
  list(LENGTH ARGN count)
  if(count EQUAL 1)
    set(${out} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(text "")
  foreach(f ${ARGN})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/src ${f})
    string(APPEND text "#include \"${path}\"\n")
  endforeach()
  list(GET ARGN 0 first)
  get_filename_component(first ${first} NAME_WE)
  set(unit ${CMAKE_BINARY_DIR}/unity/${name}_${first}.cc)
  file(CONFIGURE OUTPUT ${unit} CONTENT "${text}" @ONLY)
  set(${out} ${unit} PARENT_SCOPE)
endfunction()
