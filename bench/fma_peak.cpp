#include "bench/fma_peak.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace shoal {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kChains = 12;  // more than latency times ports: 4 * 2 on current cores
constexpr int kRounds = 1 << 16;

// Compiler vectors, because these functions are compiled for levels above the file's own. The asm statement
// keeps the chains in registers and the compiler from folding them.
#define SHOAL_FMA_LOOP(name, isa, bytes)                                                                   \
  __attribute__((target(isa), optimize("fp-contract=fast"))) double name(double seconds) {                 \
    typedef float Floats __attribute__((vector_size(bytes)));                                              \
    Floats sum[kChains], factor = Floats{} + 0.999f, term = Floats{} + 0.001f;                             \
    for (Floats & s : sum) s = Floats{} + 1.0f;                                                            \
    double operations = 0, elapsed = 0;                                                                    \
    const auto start = Clock::now();                                                                       \
    while (elapsed < seconds) {                                                                            \
      for (int i = 0; i < kRounds; ++i) {                                                                  \
        for (Floats & s : sum) s = s * factor + term;                                                      \
        asm volatile(""                                                                                    \
                     : "+x"(sum[0]), "+x"(sum[1]), "+x"(sum[2]), "+x"(sum[3]), "+x"(sum[4]), "+x"(sum[5]), \
                       "+x"(sum[6]), "+x"(sum[7]), "+x"(sum[8]), "+x"(sum[9]), "+x"(sum[10]),              \
                       "+x"(sum[11]));                                                                     \
      }                                                                                                    \
      operations += 2.0 * kRounds * kChains * (bytes / sizeof(float));                                     \
      elapsed = std::chrono::duration<double>(Clock::now() - start).count();                               \
    }                                                                                                      \
    return operations / elapsed;                                                                           \
  }

#if defined(__x86_64__)
SHOAL_FMA_LOOP(peak_v2, "sse4.2", 16)
SHOAL_FMA_LOOP(peak_v3, "avx2,fma", 32)
SHOAL_FMA_LOOP(peak_v4, "avx512f,avx512vl", 64)
#endif

}  // namespace

double fma_peak([[maybe_unused]] int level, [[maybe_unused]] int threads) {
#if defined(__x86_64__)
  std::vector<std::thread> pool;
  std::vector<double> rates(static_cast<std::size_t>(threads));
  for (double& rate : rates)
    pool.emplace_back([&rate, level] {
      rate = level >= 4 ? peak_v4(0.2) : level == 3 ? peak_v3(0.2) : peak_v2(0.2);
    });
  double sum = 0;
  for (std::size_t t = 0; t < pool.size(); ++t) {
    pool[t].join();
    sum += rates[t];
  }
  return sum;
#else
  return 0.0;
#endif
}

}  // namespace shoal
