# The warnings every C++ source is compiled with; errors unless SHOAL_WERROR=OFF.
set(SHOAL_WARNINGS -Wall -Wextra -Wshadow -Wno-unknown-pragmas)
if(SHOAL_WERROR)
  list(APPEND SHOAL_WARNINGS -Werror)
endif()
