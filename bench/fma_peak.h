// The processor's peak for the instruction set that the kernels use, measured by the same process as the
// kernels.
#pragma once

namespace shoal {

/// Single-precision fused multiply-adds on registers only, on `threads` threads at once for about 0.2 s:
/// operations per second (two a multiply-add), summed over the threads. `level` as in CpuLevel, 2 to 4
/// (x86-64-v2 has no fused form: a product and a sum).
double fma_peak(int level, int threads);

/// The same in operations per second that a thread has had a processor: what other programs do not change
/// much.
double fma_peak_of_processor(int level, int threads);

}  // namespace shoal
