// bench_statistics [FILTER]: rates of the statistics on the CPU, one JSON line a row. Debug builds refuse.
// bench/peers/scipy_statistics.py measures the same data with scipy and NumPy.
#include "bench/statistics.h"

#include <cstdio>
#include <string>

#include "bench/facts.h"

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
    {"walsh-hadamard", measure_walsh_hadamard},
};

int main_program(int argc, char** argv) {
  for (const Workload& w : kWorkloads)
    if (argc < 2 || std::string(w.name).find(argv[1]) != std::string::npos) {
      w.measure();
      std::fflush(stdout);
    }
  return 0;
}

}  // namespace
}  // namespace shoal

int main(int argc, char** argv) { return shoal::run_bench(argc, argv, shoal::main_program); }
