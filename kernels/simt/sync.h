// Barriers, votes, shuffles and reductions of emulated kernels. Each takes the place it is called from, for
// the reports.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/simt/location.h"

namespace simt::detail {

enum class BarrierKind { plain, count, all, any };
int block_barrier(BarrierKind kind, int predicate, Location at);
void named_barrier(int id, int threads, bool wait, Location at);

// The one mechanism of warp operations: every lane of `mask` leaves a pointer to its frame and waits; the
// last to arrive runs `combine` over the frames of all lanes (null for lanes outside the mask).
using Combine = void (*)(void* const* frames, unsigned mask);
void warp_collective(unsigned mask, void* frame, Combine combine, const char* name, Location at);

struct LaneFrame {
  uint64_t value, result;
  int argument, width;
};
void combine_nothing(void* const*, unsigned);
void combine_shfl(void* const*, unsigned);
void combine_shfl_up(void* const*, unsigned);
void combine_shfl_down(void* const*, unsigned);
void combine_shfl_xor(void* const*, unsigned);
void combine_ballot(void* const*, unsigned);
void combine_match_any(void* const*, unsigned);
void combine_match_all(void* const*, unsigned);
void combine_add(void* const*, unsigned);
void combine_min_signed(void* const*, unsigned);
void combine_max_signed(void* const*, unsigned);
void combine_min_unsigned(void* const*, unsigned);
void combine_max_unsigned(void* const*, unsigned);
void combine_and(void* const*, unsigned);
void combine_or(void* const*, unsigned);
void combine_xor(void* const*, unsigned);
unsigned current_lane();
unsigned active_mask();

template <class T>
inline T shuffle(Combine c, const char* name, unsigned mask, T v, int argument, int width, Location at) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) >= 4 && sizeof(T) <= 8,
                "CUDA shuffles 32- and 64-bit numbers");
  LaneFrame f{0, 0, argument, width};
  std::memcpy(&f.value, &v, sizeof v);
  warp_collective(mask, &f, c, name, at);
  std::memcpy(&v, &f.result, sizeof v);
  return v;
}

inline uint64_t vote(Combine c, const char* name, unsigned mask, uint64_t v, Location at) {
  LaneFrame f{v, 0, 0, 32};
  warp_collective(mask, &f, c, name, at);
  return f.result;
}

template <class T>
inline uint64_t bits_of(T v) {
  static_assert(std::is_arithmetic_v<T>);
  uint64_t b = 0;
  std::memcpy(&b, &v, sizeof v);
  return b;
}

}  // namespace simt::detail

namespace simt {
inline void bar_sync(int id, int threads, Location at = Location::current()) {
  detail::named_barrier(id, threads, true, at);
}
inline void bar_arrive(int id, int threads, Location at = Location::current()) {
  detail::named_barrier(id, threads, false, at);
}
}  // namespace simt

#define SIMT_HERE simt::Location at = simt::Location::current()

inline void __syncthreads(SIMT_HERE) { simt::detail::block_barrier(simt::detail::BarrierKind::plain, 0, at); }
inline int __syncthreads_count(int p, SIMT_HERE) {
  return simt::detail::block_barrier(simt::detail::BarrierKind::count, p, at);
}
inline int __syncthreads_and(int p, SIMT_HERE) {
  return simt::detail::block_barrier(simt::detail::BarrierKind::all, p, at);
}
inline int __syncthreads_or(int p, SIMT_HERE) {
  return simt::detail::block_barrier(simt::detail::BarrierKind::any, p, at);
}
inline void __syncwarp(unsigned mask = ~0u, SIMT_HERE) {
  simt::detail::warp_collective(mask, nullptr, simt::detail::combine_nothing, "__syncwarp", at);
}
// The emulator runs one thread at a time in program order: fences have nothing to do (and cannot be tested).
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline unsigned __activemask() { return simt::detail::active_mask(); }

template <class T>
inline T __shfl_sync(unsigned mask, T v, int lane, int width = 32, SIMT_HERE) {
  return simt::detail::shuffle(simt::detail::combine_shfl, "__shfl_sync", mask, v, lane, width, at);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32, SIMT_HERE) {
  return simt::detail::shuffle(simt::detail::combine_shfl_up, "__shfl_up_sync", mask, v,
                               static_cast<int>(delta), width, at);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32, SIMT_HERE) {
  return simt::detail::shuffle(simt::detail::combine_shfl_down, "__shfl_down_sync", mask, v,
                               static_cast<int>(delta), width, at);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T v, int lanes, int width = 32, SIMT_HERE) {
  return simt::detail::shuffle(simt::detail::combine_shfl_xor, "__shfl_xor_sync", mask, v, lanes, width, at);
}

inline unsigned __ballot_sync(unsigned mask, int p, SIMT_HERE) {
  return static_cast<unsigned>(
      simt::detail::vote(simt::detail::combine_ballot, "__ballot_sync", mask, p != 0, at));
}
inline int __any_sync(unsigned mask, int p, SIMT_HERE) {
  return simt::detail::vote(simt::detail::combine_ballot, "__any_sync", mask, p != 0, at) != 0;
}
// "All" is "none says no": lanes that do not exist have no say.
inline int __all_sync(unsigned mask, int p, SIMT_HERE) {
  return simt::detail::vote(simt::detail::combine_ballot, "__all_sync", mask, p == 0, at) == 0;
}
template <class T>
inline unsigned __match_any_sync(unsigned mask, T v, SIMT_HERE) {
  return static_cast<unsigned>(simt::detail::vote(simt::detail::combine_match_any, "__match_any_sync", mask,
                                                  simt::detail::bits_of(v), at));
}
template <class T>
inline unsigned __match_all_sync(unsigned mask, T v, int* all, SIMT_HERE) {
  const auto same = static_cast<unsigned>(simt::detail::vote(
      simt::detail::combine_match_all, "__match_all_sync", mask, simt::detail::bits_of(v), at));
  *all = same != 0;
  return same;
}

#define SIMT_REDUCE(name, type, combine)                                                       \
  inline type name(unsigned mask, type v, SIMT_HERE) {                                         \
    return static_cast<type>(                                                                  \
        simt::detail::vote(simt::detail::combine, #name, mask, static_cast<unsigned>(v), at)); \
  }
SIMT_REDUCE(__reduce_add_sync, unsigned, combine_add)
SIMT_REDUCE(__reduce_add_sync, int, combine_add)
SIMT_REDUCE(__reduce_min_sync, unsigned, combine_min_unsigned)
SIMT_REDUCE(__reduce_min_sync, int, combine_min_signed)
SIMT_REDUCE(__reduce_max_sync, unsigned, combine_max_unsigned)
SIMT_REDUCE(__reduce_max_sync, int, combine_max_signed)
SIMT_REDUCE(__reduce_and_sync, unsigned, combine_and)
SIMT_REDUCE(__reduce_or_sync, unsigned, combine_or)
SIMT_REDUCE(__reduce_xor_sync, unsigned, combine_xor)
#undef SIMT_REDUCE
