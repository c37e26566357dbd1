#include "bench/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>

#include "kernels/machine.h"
#include "shoal_version.h"

namespace shoal {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string now() {
  char text[32];
  const std::time_t t = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return text;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::string facts(int threads) {
  double load = 0;
  getloadavg(&load, 1);
  return fmt::format(
      "\"level\":\"{}\",\"threads\":{},\"cpu\":\"{}\",\"compiler\":\"{}\",\"commit\":\"{}\",\"load\":{:.1f},"
      "\"date\":\"{}\"",
      name_of(best_cpu_level()), threads, cpu_name(), SHOAL_COMPILER, SHOAL_COMMIT, load, now());
}

int run_bench(int argc, char** argv, int (*main_program)(int argc, char** argv)) {
  if (std::string(SHOAL_BUILD_TYPE) != "Release") {
    fmt::print(stderr, "bench: this is a {} build; only Release builds are measured\n", SHOAL_BUILD_TYPE);
    return 2;
  }
  try {
    return main_program(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "bench: {}\n", e.what());
    return 1;
  }
}

}  // namespace shoal
