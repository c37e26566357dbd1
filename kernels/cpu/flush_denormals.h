// Denormal floats count as 0 for the calling thread while one of these lives.
//
// The moments that Adam keeps of a neuron that died shrink by a constant factor a step, and after some 830
// steps (0.9^t) they are denormal: numbers that the processor adds and multiplies many times slower, and that
// are too small to move any weight. GPUs have them at full speed, and keep them.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace shoal {

class FlushDenormals {
 public:
  FlushDenormals() : before_(mode()) { set_mode(before_ | kFlush); }
  ~FlushDenormals() { set_mode(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr std::uint64_t kFlush = 0x8040;  // MXCSR: results to zero, operands as zero
  static std::uint64_t mode() { return _mm_getcsr(); }
  static void set_mode(std::uint64_t m) { _mm_setcsr(static_cast<unsigned>(m)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t kFlush = std::uint64_t{1} << 24;  // FPCR.FZ
  static std::uint64_t mode() {
    std::uint64_t m;
    asm volatile("mrs %0, fpcr" : "=r"(m));
    return m;
  }
  static void set_mode(std::uint64_t m) { asm volatile("msr fpcr, %0" : : "r"(m)); }
#else
  static constexpr std::uint64_t kFlush = 0;
  static std::uint64_t mode() { return 0; }
  static void set_mode(std::uint64_t) {}
#endif

  std::uint64_t before_;
};

}  // namespace shoal
