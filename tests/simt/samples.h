// Four ordinary kernels: something real to run the emulator, its checker and the mutation script on.
#pragma once

#define SAMPLE_KERNELS(space)                                                                     \
  namespace space {                                                                               \
  /* c[m][n] = a[m][k] b[k][n]; tiles of 128 x 128 x 8, 8 x 8 a thread. */                        \
  int run_sgemm(int m, int n, int k, const float* a, const float* b, float* c);                   \
  /* Mean and variance (divided by rows) of every column of x[rows][columns]. */                  \
  int run_mean_variance(const float* x, int rows, int columns, float* mean, float* variance);     \
  /* p[rows][columns] = softmax of every row of x; a warp a row. */                               \
  int run_softmax(const float* x, int rows, int columns, float* p);                               \
  /* sum[128] = column sums of x[4 * tiles][128], through double-buffered asynchronous copies. */ \
  int run_column_sums(const float* x, int tiles, float* sum);                                     \
  }
SAMPLE_KERNELS(emu)
SAMPLE_KERNELS(gpu)
#undef SAMPLE_KERNELS
