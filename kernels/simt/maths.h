// CUDA's scalar functions that the C library lacks. The fast approximations (__expf, ...) are the accurate
// functions here: results differ from a GPU's by the error CUDA allows them.
#pragma once

#include <math.h>

#include <cstdint>
#include <cstring>

namespace simt::detail {

template <class To, class From>
__forceinline__ To bit_cast(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To out;
  std::memcpy(&out, &v, sizeof out);
  return out;
}

// A rounded result that the compiler must not fuse into a following operation.
__forceinline__ float rounded(float v) {
#if defined(__SSE__)
  asm("" : "+x"(v));
#else
  volatile float kept = v;
  v = kept;
#endif
  return v;
}

}  // namespace simt::detail

// Loads and stores with a cache hint.
#define SIMT_LOAD(name)                \
  template <class T>                   \
  __forceinline__ T name(const T* p) { \
    return *p;                         \
  }
SIMT_LOAD(__ldg)
SIMT_LOAD(__ldcs)
SIMT_LOAD(__ldca)
SIMT_LOAD(__ldcg)
#undef SIMT_LOAD
#define SIMT_STORE(name)                                       \
  template <class T>                                           \
  __forceinline__ void name(T* p, std::type_identity_t<T> v) { \
    *p = v;                                                    \
  }
SIMT_STORE(__stcs)
SIMT_STORE(__stcg)
SIMT_STORE(__stwb)
#undef SIMT_STORE

__forceinline__ float rsqrtf(float x) { return 1.0f / sqrtf(x); }
__forceinline__ double rsqrt(double x) { return 1.0 / sqrt(x); }
__forceinline__ float __expf(float x) { return expf(x); }
__forceinline__ float __exp2f(float x) { return exp2f(x); }
__forceinline__ float __logf(float x) { return logf(x); }
__forceinline__ float __log2f(float x) { return log2f(x); }
__forceinline__ float __powf(float x, float y) { return powf(x, y); }
__forceinline__ float __sinf(float x) { return sinf(x); }
__forceinline__ float __cosf(float x) { return cosf(x); }
__forceinline__ void __sincosf(float x, float* s, float* c) {
  *s = sinf(x);
  *c = cosf(x);
}
__forceinline__ float __fdividef(float a, float b) { return a / b; }
__forceinline__ float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

__forceinline__ float __fadd_rn(float a, float b) { return simt::detail::rounded(a + b); }
__forceinline__ float __fsub_rn(float a, float b) { return simt::detail::rounded(a - b); }
__forceinline__ float __fmul_rn(float a, float b) { return simt::detail::rounded(a * b); }
__forceinline__ float __fdiv_rn(float a, float b) { return simt::detail::rounded(a / b); }
__forceinline__ float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
__forceinline__ float __fsqrt_rn(float x) { return sqrtf(x); }
__forceinline__ float __frcp_rn(float x) { return simt::detail::rounded(1.0f / x); }

__forceinline__ int __float_as_int(float x) { return simt::detail::bit_cast<int>(x); }
__forceinline__ unsigned __float_as_uint(float x) { return simt::detail::bit_cast<unsigned>(x); }
__forceinline__ float __int_as_float(int x) { return simt::detail::bit_cast<float>(x); }
__forceinline__ float __uint_as_float(unsigned x) { return simt::detail::bit_cast<float>(x); }
__forceinline__ long long __double_as_longlong(double x) { return simt::detail::bit_cast<long long>(x); }
__forceinline__ double __longlong_as_double(long long x) { return simt::detail::bit_cast<double>(x); }

// Conversions to integer saturate and take NaN to 0, as on the device.
__forceinline__ int __float2int_rn(float x) {
  if (x != x) return 0;
  if (x >= 2147483648.0f) return INT32_MAX;
  return x < -2147483648.0f ? INT32_MIN : static_cast<int>(rintf(x));
}
__forceinline__ int __float2int_rz(float x) { return __float2int_rn(truncf(x)); }
__forceinline__ int __float2int_rd(float x) { return __float2int_rn(floorf(x)); }
__forceinline__ int __float2int_ru(float x) { return __float2int_rn(ceilf(x)); }
__forceinline__ float __int2float_rn(int x) { return static_cast<float>(x); }
__forceinline__ float __uint2float_rn(unsigned x) { return static_cast<float>(x); }

__forceinline__ int __popc(unsigned x) { return __builtin_popcount(x); }
__forceinline__ int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
__forceinline__ int __ffs(int x) { return __builtin_ffs(x); }
__forceinline__ int __ffsll(long long x) { return __builtin_ffsll(x); }
__forceinline__ int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
__forceinline__ int __clzll(long long x) {
  return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64;
}
__forceinline__ unsigned __brev(unsigned x) {
  x = ((x & 0x55555555u) << 1) | ((x >> 1) & 0x55555555u);
  x = ((x & 0x33333333u) << 2) | ((x >> 2) & 0x33333333u);
  x = ((x & 0x0f0f0f0fu) << 4) | ((x >> 4) & 0x0f0f0f0fu);
  return __builtin_bswap32(x);
}
__forceinline__ unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(static_cast<uint64_t>(a) * b >> 32);
}
__forceinline__ int __mulhi(int a, int b) { return static_cast<int>(static_cast<int64_t>(a) * b >> 32); }
__forceinline__ unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<uint64_t>(high) << 32 | low) << (shift & 31) >> 32);
}
__forceinline__ unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<uint64_t>(high) << 32 | low) >> (shift & 31));
}

#define SIMT_MIN_MAX(type)                                                     \
  __forceinline__ constexpr type min(type a, type b) { return a < b ? a : b; } \
  __forceinline__ constexpr type max(type a, type b) { return a > b ? a : b; }
SIMT_MIN_MAX(int)
SIMT_MIN_MAX(unsigned)
SIMT_MIN_MAX(long)
SIMT_MIN_MAX(unsigned long)
SIMT_MIN_MAX(long long)
SIMT_MIN_MAX(unsigned long long)
#undef SIMT_MIN_MAX
__forceinline__ float min(float a, float b) { return fminf(a, b); }
__forceinline__ float max(float a, float b) { return fmaxf(a, b); }
__forceinline__ double min(double a, double b) { return fmin(a, b); }
__forceinline__ double max(double a, double b) { return fmax(a, b); }
