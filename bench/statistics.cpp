// bench_statistics [FILTER]: rates of the statistics on the CPU, one JSON line a row. Debug builds refuse.
// bench/peers/scipy_statistics.py measures the same data with scipy and NumPy.
#include "bench/statistics.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>

#include "shoal_version.h"

namespace shoal {
namespace {

struct Workload {
  const char* name;
  void (*measure)();
};

constexpr Workload kWorkloads[] = {
    {"column moments", measure_column_moments},
    {"shapiro", measure_shapiro},
    {"pca", measure_pca},
};

int main_program(int argc, char** argv) {
  if (std::string(SHOAL_BUILD_TYPE) != "Release") {
    fmt::print(stderr, "bench: this is a {} build; only Release builds are measured\n", SHOAL_BUILD_TYPE);
    return 2;
  }
  for (const Workload& w : kWorkloads)
    if (argc < 2 || std::string(w.name).find(argv[1]) != std::string::npos) {
      w.measure();
      std::fflush(stdout);
    }
  return 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) {
  try {
    return shoal::main_program(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench: {}\n", e.what());
    return 1;
  }
}
