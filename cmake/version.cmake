# Writes generated/shoal_version.h: version, git commit, compiler and flags, so that every run can say what made it.
find_package(Git QUIET)
set(SHOAL_COMMIT "unknown")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} describe --always --dirty --abbrev=12
    OUTPUT_VARIABLE SHOAL_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(NOT SHOAL_COMMIT)
    set(SHOAL_COMMIT "unknown")
  endif()
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/shoal_version.h.in ${CMAKE_BINARY_DIR}/generated/shoal_version.h @ONLY)
