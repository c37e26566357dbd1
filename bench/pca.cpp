// How long a PCA takes (variances and components) beside dsyrk + dsyevd of OpenBLAS, on as many threads and
// with the kernels that suit it best: rounds of both, one after the other, so that whatever else the computer
// does falls on both. One JSON line a workload on stdout; argument: rows columns rounds.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "analysis/pca.h"
#include "kernels/lapack.h"
#include "shoal_version.h"

namespace {

using namespace shoal;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// dsyrk and dsyevd of the library that kernels/lapack.h has opened, with threads of its own.
struct Blas {
  void (*syrk)(const char*, const char*, const int*, const int*, const double*, const double*, const int*,
               const double*, double*, const int*) = nullptr;
  void (*syevd)(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*,
                const int*, int*) = nullptr;
  void (*set_threads)(int) = nullptr;
  std::string name;
};

Blas open_blas() {
  Blas b;
  b.name = lapack::description();
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) return b;
  b.syrk = reinterpret_cast<decltype(b.syrk)>(dlsym(library, "dsyrk_"));
  b.syevd = reinterpret_cast<decltype(b.syevd)>(dlsym(library, "dsyevd_"));
  b.set_threads = reinterpret_cast<decltype(b.set_threads)>(dlsym(library, "openblas_set_num_threads"));
  return b;
}

/// Of a centred matrix [rows][n]; eigenvalues of its Gram matrix, ascending.
std::vector<double> run_blas(const Blas& blas, int syrk_threads, int syevd_threads,
                             const std::vector<double>& x, int rows, int n) {
  const double one = 1.0, zero = 0.0;
  std::vector<double> gram(static_cast<std::size_t>(n) * static_cast<std::size_t>(n)),
      values(static_cast<std::size_t>(n));
  blas.set_threads(syrk_threads);
  blas.syrk("L", "N", &n, &rows, &one, x.data(), &n, &zero, gram.data(), &n);
  blas.set_threads(syevd_threads);
  int room = -1, integers = 0, integer_room = -1, info = 0;
  double wanted = 0.0;
  blas.syevd("V", "L", &n, gram.data(), &n, values.data(), &wanted, &room, &integers, &integer_room, &info);
  room = static_cast<int>(wanted), integer_room = integers;
  std::vector<double> work(static_cast<std::size_t>(room));
  std::vector<int> integer_work(static_cast<std::size_t>(integer_room));
  blas.syevd("V", "L", &n, gram.data(), &n, values.data(), work.data(), &room, integer_work.data(),
             &integer_room, &info);
  blas.set_threads(1);
  return values;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string three(const std::vector<double>& v) {
  return fmt::format("{{\"median\":{:.4f},\"min\":{:.4f},\"max\":{:.4f}}}", median(v),
                     *std::min_element(v.begin(), v.end()), *std::max_element(v.begin(), v.end()));
}

}  // namespace

int main(int argc, char** argv) {
  if (std::string(SHOAL_BUILD_TYPE) != "Release") {
    fmt::print(stderr, "bench: this is a {} build; only Release builds are measured\n", SHOAL_BUILD_TYPE);
    return 2;
  }
  const int rows = argc > 1 ? std::atoi(argv[1]) : 60000, n = argc > 2 ? std::atoi(argv[2]) : 1024,
            rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  const auto count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(n);
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto noise = static_cast<std::uint32_t>((i + 1) * 0x9E3779B97F4A7C15u >> 32);
    x[i] = static_cast<float>(noise) * 0x1p-32f *
           (1.0f + static_cast<float>(i % static_cast<std::size_t>(n)) / 16.0f);
  }
  const MatrixView<float> view{x.data(), rows, n, n};
  const Calculator calculator;
  const PcaSpec spec{.components = true, .reconstruction = false};
  const Pca first = pca(calculator, view, spec);
  const Blas blas = open_blas();
  if (!blas.syrk || !blas.syevd || !blas.set_threads) {
    fmt::print(stderr, "bench_pca: OpenBLAS is not here to compare with\n");
    return 1;
  }
  std::vector<double> centred(count);
  for (std::size_t i = 0; i < count; ++i)
    centred[i] = static_cast<double>(x[i]) - first.mean[i % static_cast<std::size_t>(n)];
  // The same answer, or no timing.
  const std::vector<double> theirs = run_blas(blas, 1, 1, centred, rows, n);
  for (std::size_t i = 0; i < theirs.size(); ++i)
    if (!(std::abs(theirs[i] / (rows - 1) - first.explained_variance[theirs.size() - 1 - i]) <=
          1e-12 * first.explained_variance[0])) {
      fmt::print(stderr, "bench_pca: variance {} differs from that of dsyevd\n", theirs.size() - 1 - i);
      return 1;
    }
  std::vector<double> ours, best, full;
  const int threads = calculator.threads();
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(seconds_of([&] { pca(calculator, view, spec); }));
    double least = 1e300;
    for (const int syevd_threads : {1, threads})
      least = std::min(least, seconds_of([&] { run_blas(blas, threads, syevd_threads, centred, rows, n); }));
    best.push_back(least);
    full.push_back(seconds_of([&] { pca(calculator, view); }));
  }
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / best[i]);
  fmt::print(
      "{{\"bench\":\"pca\",\"workload\":\"{} x {} float32\",\"seconds\":{},\"blas_seconds\":{},\"ratio\":{},"
      "\"with_reconstruction_seconds\":{},\"rounds\":{},\"blas\":\"{}, {} "
      "threads\",\"machine\":\"{}\",\"commit\":\"{}\"}}\n",
      rows, n, three(ours), three(best), three(ratios), three(full), rounds, blas.name, threads,
      calculator.name(), SHOAL_COMMIT);
  return 0;
}
