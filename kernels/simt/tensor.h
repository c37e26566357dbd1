// Asynchronous copies, ldmatrix and mma of emulated kernels; contracts beside their twins in device_cuda.h.
// A copy lands only at the wait (the worst legal timing); until then its destination reads as NaN.
#pragma once

#include <cstdint>

#include "kernels/simt/location.h"
#include "kernels/simt/sync.h"

namespace simt::detail {

void async_copy(void* dst, const void* src, unsigned bytes, Location at);
void async_commit();
void async_wait(int pending_allowed);

struct MmaFrame {
  float* d;
  const uint32_t *a, *b;
};
void combine_mma_m16n8k16(void* const*, unsigned);

struct MatrixFrame {
  uint32_t* fragment;
  const uint16_t* row;
};
void combine_ldmatrix_x4(void* const*, unsigned);
void combine_ldmatrix_x2_trans(void* const*, unsigned);
// Checks the one row that this lane names before the warp meets.
void matrix_row(const void* row, int rows_named, const char* name, Location at);

}  // namespace simt::detail

namespace simt {

[[gnu::always_inline]] inline void cp_async4(void* dst, const void* src, SIMT_HERE) {
  detail::async_copy(dst, src, 4, at);
}
[[gnu::always_inline]] inline void cp_async16(void* dst, const void* src, SIMT_HERE) {
  detail::async_copy(dst, src, 16, at);
}
[[gnu::always_inline]] inline void cp_async_commit() { detail::async_commit(); }
template <int kPending>
[[gnu::always_inline]] inline void cp_async_wait() {
  detail::async_wait(kPending);
}

[[gnu::always_inline]] inline void ldmatrix_x4(uint32_t (&r)[4], const void* row, SIMT_HERE) {
  detail::MatrixFrame f{r, static_cast<const uint16_t*>(row)};
  detail::matrix_row(row, 32, "ldmatrix_x4", at);
  detail::warp_collective(~0u, &f, detail::combine_ldmatrix_x4, "ldmatrix_x4", at);
}

[[gnu::always_inline]] inline void ldmatrix_x2_trans(uint32_t (&r)[2], const void* row, SIMT_HERE) {
  detail::MatrixFrame f{r, static_cast<const uint16_t*>(row)};
  detail::matrix_row(row, 16, "ldmatrix_x2_trans", at);
  detail::warp_collective(~0u, &f, detail::combine_ldmatrix_x2_trans, "ldmatrix_x2_trans", at);
}

[[gnu::always_inline]] inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4],
                                                     const uint32_t (&b)[2], SIMT_HERE) {
  detail::MmaFrame f{d, a, b};
  detail::warp_collective(~0u, &f, detail::combine_mma_m16n8k16, "mma_m16n8k16_bf16", at);
}

}  // namespace simt
