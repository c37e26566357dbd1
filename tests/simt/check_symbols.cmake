# cmake -DNM=... -DLIBRARY=... -P check_symbols.cmake
# Kernel sources are compiled for a newer processor than the rest: no function of theirs may be one that the linker shares with others.
execute_process(COMMAND ${NM} -C ${LIBRARY} OUTPUT_VARIABLE symbols RESULT_VARIABLE failed)
if(failed OR NOT symbols MATCHES " T emu::")
  message(FATAL_ERROR "${NM} found no kernels in ${LIBRARY}")
endif()
string(REGEX MATCHALL "[^\n]* [WVui] [^\n]*" shared "${symbols}")
list(FILTER shared EXCLUDE REGEX "DW\\.ref\\.")
if(shared)
  list(JOIN shared "\n" text)
  message(FATAL_ERROR "${LIBRARY} shares symbols:\n${text}")
endif()
