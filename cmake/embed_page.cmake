# cmake -DFOLDER=... -DOUTPUT=FILE.cpp -P embed_page.cmake: the removal page's parts as one string of C++. No other tool is
# needed, and the page stays readable files in the repository. A string of one part stays below what compilers take.
file(READ ${FOLDER}/page.html page)
file(READ ${FOLDER}/page.css style)
file(READ ${FOLDER}/core.js core)
set(script "")
foreach(name maps charts subsets planes page)
  file(READ ${FOLDER}/${name}.js part)
  string(APPEND script "${part}")
endforeach()
string(REPLACE "@SHOAL_STYLE@" "${style}" page "${page}")
string(REPLACE "@SHOAL_CORE@" "${core}" page "${page}")
string(REPLACE "@SHOAL_SCRIPT@" "${script}" page "${page}")
string(FIND "${page}" ")removal-page\"" end)
if(NOT end EQUAL -1)
  message(FATAL_ERROR "the page holds the end of its own string")
endif()
file(WRITE ${OUTPUT} "// Made from ${FOLDER} by embed_page.cmake.
#include <string_view>

namespace shoal {
extern const std::string_view kRemovalPage;
const std::string_view kRemovalPage = R\"removal-page(${page})removal-page\";
}  // namespace shoal
")
