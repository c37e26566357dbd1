#include "bench/fma_peak.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

namespace shoal {
namespace {

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
/// That this thread has had a processor.
double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
using Now = double (*)();

constexpr int kChains = 12;  // more than latency times ports: 4 * 2 on current cores
constexpr int kRounds = 1 << 16;

// Compiler vectors, because these functions are compiled for levels above the file's own. The asm statement
// keeps the chains in registers and the compiler from folding them.
#define SHOAL_FMA_LOOP(name, isa, bytes)                                                            \
  __attribute__((target(isa), optimize("fp-contract=fast"))) double name(double seconds, Now now) { \
    typedef float Floats __attribute__((vector_size(bytes)));                                       \
    const Floats factor = Floats{} + 0.999f, term = Floats{} + 0.001f, one = Floats{} + 1.0f;       \
    Floats a = one, b = one, c = one, d = one, e = one, f = one;                                    \
    Floats g = one, h = one, p = one, q = one, r = one, s = one;                                    \
    double operations = 0, elapsed = 0;                                                             \
    const double start = now();                                                                     \
    while (elapsed < seconds) {                                                                     \
      for (int i = 0; i < kRounds; ++i) {                                                           \
        a = a * factor + term, b = b * factor + term, c = c * factor + term, d = d * factor + term; \
        e = e * factor + term, f = f * factor + term, g = g * factor + term, h = h * factor + term; \
        p = p * factor + term, q = q * factor + term, r = r * factor + term, s = s * factor + term; \
        asm volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f));                    \
        asm volatile("" : "+v"(g), "+v"(h), "+v"(p), "+v"(q), "+v"(r), "+v"(s));                    \
      }                                                                                             \
      operations += 2.0 * kRounds * kChains * (bytes / sizeof(float));                              \
      elapsed = now() - start;                                                                      \
    }                                                                                               \
    return operations / elapsed;                                                                    \
  }

#if defined(__x86_64__)
SHOAL_FMA_LOOP(peak_v2, "sse4.2", 16)
SHOAL_FMA_LOOP(peak_v3, "avx2,fma", 32)
SHOAL_FMA_LOOP(peak_v4, "avx512f,avx512vl", 64)
#endif

double peak([[maybe_unused]] int level, [[maybe_unused]] int threads, [[maybe_unused]] Now now) {
#if defined(__x86_64__)
  std::vector<std::thread> pool;
  std::vector<double> rates(static_cast<std::size_t>(threads));
  for (double& rate : rates)
    pool.emplace_back([&rate, level, now] {
      rate = level >= 4 ? peak_v4(0.2, now) : level == 3 ? peak_v3(0.2, now) : peak_v2(0.2, now);
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

}  // namespace

double fma_peak(int level, int threads) { return peak(level, threads, wall_seconds); }
double fma_peak_of_processor(int level, int threads) {
  return peak(level, threads, thread_seconds) / threads;
}

}  // namespace shoal
