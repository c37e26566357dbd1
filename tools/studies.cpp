// The table of studies: one line each.
#include "tools/studies.h"

#include <array>

namespace shoal {

Action declare_width(CLI::App&);

namespace {

constexpr std::array<Study, 1> kStudies = {{
    {"width", "How wide does a hidden layer have to be: accuracy and the spread of neurons against width",
     "shoal study width --data mnist -o runs/width\n"
     "shoal study width --full --device cuda",
     declare_width},
}};

}  // namespace

std::span<const Study> studies() { return kStudies; }

}  // namespace shoal
