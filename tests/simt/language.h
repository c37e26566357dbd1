// Kernels that use every word of the language once, for comparison with plain models on the host.
#pragma once

#include <cstdint>

namespace language {

enum class LaneOp {
  shfl,
  shfl_up,
  shfl_down,
  shfl_xor,
  ballot,
  any,
  all,
  match_any,
  match_all,
  active,
  add,
  min_unsigned,
  max_unsigned,
  min_signed,
  max_signed,
  bit_and,
  bit_or,
  bit_xor,
  tile8_shfl,
  tile8_up,
  tile8_down,
  tile8_xor,
  tile8_ballot,
  tile8_any,
  tile8_all,
  tile8_match,
  tile8_rank,
  kCount
};

enum class BlockOp { count, all, any, rank, x, y, z, tile16_number, tiles16, kCount };

enum class Atomic {
  add,
  sub,
  min,
  max,
  bit_and,
  bit_or,
  bit_xor,
  exchange,
  compare_swap,
  increment,
  decrement,
  kCount
};

}  // namespace language

#define LANGUAGE_KERNELS(space)                                                                             \
  namespace space {                                                                                         \
  /* One block of `threads`: out[i] = op of in[i] for lanes in mask; the others leave out[i] alone. */      \
  int run_lane_op(language::LaneOp op, unsigned mask, int threads, const unsigned* in, int argument,        \
                  int width, unsigned* out);                                                                \
  /* out[i] = in[i ^ 5], for 32 doubles and 32 long longs. */                                               \
  int run_wide_shuffle(const double* in, const long long* in_integer, double* out, long long* out_integer); \
  /* A block of 4 x 3 x 5 threads; one value a thread. */                                                   \
  int run_block_op(language::BlockOp op, const int* in, int* out);                                          \
  /* out[block] = (x, y, z, number of threads of the grid in each direction) for a grid of 3 x 2 x 4. */    \
  int run_grid_indices(int* out);                                                                           \
  /* 64 threads apply op(cell, value[i]) to one cell; old[i] is what each saw. */                           \
  int run_atomic_int(language::Atomic op, int* cell, const int* value, int* old);                           \
  int run_atomic_unsigned(language::Atomic op, unsigned* cell, const unsigned* value, unsigned* old);       \
  int run_atomic_long(language::Atomic op, unsigned long long* cell, const unsigned long long* value,       \
                      unsigned long long* old);                                                             \
  int run_atomic_add(float* cell, double* wide_cell, const float* value);                                   \
  /* Bit operations and conversions of n words: 16 results a word. */                                       \
  int run_integers(const unsigned* in, int n, unsigned* out);                                               \
  /* Floating point functions of n numbers: 16 results a number. */                                         \
  int run_floats(const float* in, int n, float* out);                                                       \
  /* Loads and stores of every vector type: copies n 16-byte groups. */                                     \
  int run_vectors(const float* in, int n, float* out);                                                      \
  /* ticket[i] = the turn in which thread i of all blocks began. */                                         \
  int run_tickets(int blocks, int threads, int* counter, int* ticket);                                      \
  /* out[0] = number of the `words` floats of dynamic shared memory that are NaN at the start. */           \
  int run_dynamic_nan(int words, int* out);                                                                 \
  /* a[16][16], b[16][8] in bf16: fragments as ldmatrix gives them (32 lanes x 4, x 2) and d += a b in      \
   * float. */                                                                                              \
  int run_matrix(const uint16_t* a, const uint16_t* b, float* d, uint32_t* fragment_a,                      \
                 uint32_t* fragment_b);                                                                     \
  /* Calls a host function from a kernel. */                                                                \
  int run_callback(void (*function)());                                                                     \
  int run_empty(unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,               \
                unsigned smem);                                                                             \
  }
LANGUAGE_KERNELS(emu)
LANGUAGE_KERNELS(gpu)
#undef LANGUAGE_KERNELS
