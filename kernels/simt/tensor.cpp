// Asynchronous copies, ldmatrix and mma. Fragment layouts: PTX ISA, "Matrix fragments for mma.m16n8k16 with
// floating point type" and "ldmatrix".
#include "kernels/simt/tensor.h"

#include <cstring>

#include "kernels/simt/checker.h"
#include "kernels/simt/machine.h"

namespace simt::detail {

void atomic_access(void* p, size_t bytes, void* pc) { check_access(p, bytes, Access::atomic, pc); }

[[noreturn, gnu::noinline, gnu::cold]] static void refuse(const char* kind, const char* operation,
                                                          const char* why) {
  const Thread& t = *machine.current;
  fatal(kind, describe(t) + " " + operation + " at " + describe(t.at) + ": " + why);
}

// ---- asynchronous copies

void async_copy(void* dst, const void* src, unsigned bytes, Location at) {
  Thread* t = machine.current;
  if (!t) outside_kernel("cp_async");
  t->at = at;
  if (reinterpret_cast<uintptr_t>(dst) % bytes || reinterpret_cast<uintptr_t>(src) % bytes)
    refuse("misaligned", "cp_async", "both addresses must be multiples of the size");
  if (!is_shared(dst)) refuse("cp.async", "cp_async", "the destination is not in shared memory");
  const void* pc = __builtin_return_address(0);
  check_access(src, bytes, Access::read, pc);
  check_access(dst, bytes, Access::write, pc);
  forget_values(dst, bytes);
  std::memset(dst, 0xFF, bytes);
  t->flights.push_back({dst, src, bytes, t->group});
}

void async_commit() {
  if (!machine.current) outside_kernel("cp_async_commit");
  ++machine.current->group;
}

void async_wait(int pending_allowed) {
  Thread* t = machine.current;
  if (!t) outside_kernel("cp_async_wait");
  size_t landed = 0;
  for (; landed < t->flights.size() && t->flights[landed].group < t->group - pending_allowed; ++landed) {
    const Flight& f = t->flights[landed];
    check_access(f.dst, f.bytes, Access::write, __builtin_return_address(0));
    std::memcpy(f.dst, f.src, f.bytes);
  }
  t->flights.erase(t->flights.begin(), t->flights.begin() + static_cast<std::ptrdiff_t>(landed));
}

// ---- ldmatrix

void matrix_row(const void* row, int rows_named, const char* name, Location at) {
  Thread* t = machine.current;
  if (!t) outside_kernel(name);
  t->at = at;
  if (t->lane >= rows_named) return;
  if (reinterpret_cast<uintptr_t>(row) % 16)
    refuse("misaligned", name, "a row must begin at a multiple of 16");
  if (!is_shared(row)) refuse("ldmatrix", name, "the row is not in shared memory");
  check_access(row, 16, Access::read, __builtin_return_address(0));
}

static bool whole_warp(unsigned mask, const char* name) {
  if (mask == ~0u) return true;
  report("warp mask", describe(*machine.current) + " " + name + " at " + describe(machine.current->at) +
                          " needs all 32 lanes");
  return false;
}

static uint32_t pair(uint16_t low, uint16_t high) { return low | static_cast<uint32_t>(high) << 16; }

// Lane l receives elements (l/4, 2(l%4)) and (l/4, 2(l%4)+1) of each matrix; transposed, elements (2(l%4),
// l/4) and (2(l%4)+1, l/4).
void combine_ldmatrix_x4(void* const* frames, unsigned mask) {
  if (!whole_warp(mask, "ldmatrix_x4")) return;
  const auto lane = [frames](int l) -> MatrixFrame& { return *static_cast<MatrixFrame*>(frames[l]); };
  for (int l = 0; l < 32; ++l)
    for (int m = 0; m < 4; ++m) {
      const uint16_t* row = lane(m * 8 + l / 4).row;
      lane(l).fragment[m] = pair(row[l % 4 * 2], row[l % 4 * 2 + 1]);
    }
}

void combine_ldmatrix_x2_trans(void* const* frames, unsigned mask) {
  if (!whole_warp(mask, "ldmatrix_x2_trans")) return;
  const auto lane = [frames](int l) -> MatrixFrame& { return *static_cast<MatrixFrame*>(frames[l]); };
  for (int l = 0; l < 32; ++l)
    for (int m = 0; m < 2; ++m) {
      const int row = m * 8 + l % 4 * 2;
      lane(l).fragment[m] = pair(lane(row).row[l / 4], lane(row + 1).row[l / 4]);
    }
}

// ---- mma

static float half_of(uint32_t register_bits, int half) {
  const uint32_t bits = (register_bits >> (16 * half)) << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// With g = lane/4 and t = lane%4: register r of a holds row g + 8(r%2), columns 2t, 2t+1 (+8 for r >= 2);
// register r of b holds rows 2t, 2t+1 (+8r) of column g; d[i] is row g + 8(i/2), column 2t + i%2. Products
// are added to d in order of k, in float.
void combine_mma_m16n8k16(void* const* frames, unsigned mask) {
  if (!whole_warp(mask, "mma_m16n8k16_bf16")) return;
  float a[16][16], b[16][8], d[16][8];
  const auto lane = [frames](int l) -> MmaFrame& { return *static_cast<MmaFrame*>(frames[l]); };
  for (int l = 0; l < 32; ++l) {
    const int g = l / 4, t = l % 4;
    for (int half = 0; half < 2; ++half) {
      for (int r = 0; r < 4; ++r) a[g + r % 2 * 8][t * 2 + half + r / 2 * 8] = half_of(lane(l).a[r], half);
      for (int r = 0; r < 2; ++r) b[t * 2 + half + r * 8][g] = half_of(lane(l).b[r], half);
    }
    for (int i = 0; i < 4; ++i) d[g + i / 2 * 8][t * 2 + i % 2] = lane(l).d[i];
  }
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column)
      for (int k = 0; k < 16; ++k) d[row][column] += a[row][k] * b[k][column];
  for (int l = 0; l < 32; ++l)
    for (int i = 0; i < 4; ++i) lane(l).d[i] = d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

}  // namespace simt::detail
