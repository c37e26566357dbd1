# SHOAL_PORTABLE: programs that run on other Linux distributions than the one they are built on. Of all libraries only glibc's own stay dynamic, and
# what a driver or a user brings at run time (libcuda, cuBLAS, cuSOLVER, LAPACK); libraries without a static form would be looked for in ../lib beside the program.
option(SHOAL_PORTABLE "Link everything but glibc statically, to run on other distributions" OFF)
if(SHOAL_PORTABLE)
  set(ZLIB_USE_STATIC_LIBS ON)
  # Debian has no static fmt. With its functions in the headers nothing of the shared one is used, and --as-needed leaves it out.
  add_compile_definitions($<$<COMPILE_LANGUAGE:CXX>:FMT_HEADER_ONLY=1>)
  # What nobody calls is left out: the static libstdc++ would bring std::random_device along, and with it the need of a newer glibc.
  add_link_options(-static-libstdc++ -static-libgcc -Wl,--as-needed,--gc-sections)
  # DT_RPATH and not DT_RUNPATH: it also serves the libraries that a library opened at run time needs (OpenBLAS: the Fortran runtime).
  add_link_options(-Wl,--disable-new-dtags)
  set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
  set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")
endif()
