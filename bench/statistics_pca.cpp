// PCA of 60,000 x 1024 float32 (variances and components) beside dsyrk + dsyevd of OpenBLAS on the centred
// matrix in float64, with as many threads for either as suit it best: rounds of both, one after the other, so
// that whatever else the computer does falls on both.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "analysis/pca.h"
#include "bench/facts.h"
#include "bench/statistics.h"
#include "kernels/lapack.h"

namespace shoal {
namespace {

constexpr int kSamples = 60000, kColumns = 1024, kRounds = 5;

double seconds_of(const std::function<void()>& work) {
  const double begin = seconds();
  work();
  return seconds() - begin;
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

std::string three(const std::vector<double>& v) {
  return fmt::format("{{\"median\":{:.4f},\"min\":{:.4f},\"max\":{:.4f}}}", median(v),
                     *std::min_element(v.begin(), v.end()), *std::max_element(v.begin(), v.end()));
}

/// The same variances, or no timing.
void check(const Pca& ours, const std::vector<double>& eigenvalues) {
  for (std::size_t i = 0; i < eigenvalues.size(); ++i)
    if (!(std::abs(eigenvalues[i] / (kSamples - 1) - ours.explained_variance[eigenvalues.size() - 1 - i]) <=
          1e-12 * ours.explained_variance[0]))
      throw WrongResult("variances differ from those of dsyevd: not timed");
}

}  // namespace

void measure_pca() {
  constexpr std::size_t kCount = std::size_t{kSamples} * kColumns;
  std::vector<float> x(kCount);
  for (std::size_t i = 0; i < kCount; ++i)
    x[i] = static_cast<float>(bench_value(i) * (1 + static_cast<double>(i % kColumns) / 16));
  const MatrixView<float> view{x.data(), kSamples, kColumns, kColumns};
  const Calculator calculator;
  const PcaSpec spec{.components = true, .reconstruction = false};
  const Pca first = pca(calculator, view, spec);
  const Blas blas = open_blas();
  if (!blas.syrk || !blas.syevd || !blas.set_threads)
    throw WrongResult("pca: OpenBLAS is not here to compare with");
  std::vector<double> centred(kCount);
  for (std::size_t i = 0; i < kCount; ++i) centred[i] = static_cast<double>(x[i]) - first.mean[i % kColumns];
  check(first, run_blas(blas, 1, 1, centred, kSamples, kColumns));
  const int threads = calculator.threads();
  std::vector<double> ours, theirs, ratios, whole;
  for (int round = 0; round < kRounds; ++round) {
    ours.push_back(seconds_of([&] { pca(calculator, view, spec); }));
    double best = 1e300;
    for (const int syevd_threads : {1, threads})
      best = std::min(
          best, seconds_of([&] { run_blas(blas, threads, syevd_threads, centred, kSamples, kColumns); }));
    theirs.push_back(best);
    ratios.push_back(ours.back() / best);
    whole.push_back(seconds_of([&] { pca(calculator, view); }));
  }
  fmt::print(
      "{{\"bench\":\"statistics\",\"workload\":\"pca {} x {} float32\",\"seconds\":{},\"blas_seconds\":{},"
      "\"ratio\":{},\"with_reconstruction_seconds\":{},\"rounds\":{},\"blas\":\"{}\",{}}}\n",
      kSamples, kColumns, three(ours), three(theirs), three(ratios), three(whole), kRounds, blas.name,
      facts(threads));
}

}  // namespace shoal
