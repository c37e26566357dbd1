// Indices, block barriers with a result, atomics, and the orders in which threads get their turn.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tests/simt/language.h"
#include "tests/simt/schedules.h"

using language::Atomic;
using language::BlockOp;

namespace {

constexpr int kBlock = 4 * 3 * 5;

std::vector<int> block_op(BlockOp op, const std::vector<int>& in) {
  const simt::Buffer<int> input(in), output(in.size());
  REQUIRE(emu::run_block_op(op, input.data, output.data) == 0);
  return output.get();
}

std::vector<int> tickets(const simt::Options& o, int blocks, int threads) {
  const simt::ScopedOptions scope(o);
  const simt::Buffer<int> counter(std::vector<int>{0}), ticket(static_cast<size_t>(blocks * threads));
  REQUIRE(emu::run_tickets(blocks, threads, counter.data, ticket.data) == 0);
  return ticket.get();
}

}  // namespace

TEST_CASE("threads know their place in the block") {
  const std::vector<int> in(kBlock, 0);
  for (int t = 0; t < kBlock; ++t) {
    const auto i = static_cast<size_t>(t);
    CHECK(block_op(BlockOp::rank, in)[i] == t + 1000 * kBlock);
    CHECK(block_op(BlockOp::x, in)[i] == t % 4 + 40);
    CHECK(block_op(BlockOp::y, in)[i] == t / 4 % 3 + 30);
    CHECK(block_op(BlockOp::z, in)[i] == t / 12 + 50);
    CHECK(block_op(BlockOp::tile16_number, in)[i] == t / 16 * 100 + t % 16);
    CHECK(block_op(BlockOp::tiles16, in)[i] == 4);
  }
}

TEST_CASE("blocks know their place in the grid") {
  const simt::Buffer<int> out(3 * 2 * 4 * 6);
  REQUIRE(emu::run_grid_indices(out.data) == 0);
  for (int b = 0; b < 24; ++b) {
    const int* mine = out.data + 6 * b;
    CHECK(std::vector<int>(mine, mine + 6) == std::vector<int>{b % 3, b / 3 % 2, b / 6, 3, 2, 4});
  }
}

TEST_CASE("barriers that count, and, or") {
  for (const simt::Options& o : schedules()) {
    const simt::ScopedOptions scope(o);
    for (int ones : {0, 1, 17, kBlock - 1, kBlock}) {
      std::vector<int> in(kBlock, 0);
      for (int i = 0; i < ones; ++i) in[static_cast<size_t>(i * 7 % kBlock)] = 3 + i;
      CHECK(block_op(BlockOp::count, in) == std::vector<int>(kBlock, ones));
      CHECK(block_op(BlockOp::all, in) == std::vector<int>(kBlock, ones == kBlock));
      CHECK(block_op(BlockOp::any, in) == std::vector<int>(kBlock, ones > 0));
    }
  }
}

TEST_CASE("forward, reverse and random orders of threads and blocks") {
  std::vector<int> up(4 * 40);
  std::iota(up.begin(), up.end(), 0);
  CHECK(tickets({}, 4, 40) == up);
  CHECK(tickets({.order = simt::Order::reverse}, 4, 40) == std::vector<int>(up.rbegin(), up.rend()));

  const simt::Options one{.order = simt::Order::random, .seed = 1},
      two{.order = simt::Order::random, .seed = 2};
  auto first = tickets(one, 4, 40);
  CHECK(first == tickets(one, 4, 40));
  CHECK(first != tickets(two, 4, 40));
  CHECK(first != up);
  std::sort(first.begin(), first.end());
  CHECK(first == up);

  // Blocks alone: with one thread each, the order is that of the blocks.
  auto blocks = tickets(one, 160, 1);
  CHECK(blocks != up);
  std::sort(blocks.begin(), blocks.end());
  CHECK(blocks == up);
}

namespace {

template <class T>
T apply(Atomic op, T old, T v) {
  switch (op) {
    case Atomic::add: return static_cast<T>(old + v);
    case Atomic::sub: return static_cast<T>(old - v);
    case Atomic::min: return std::min(old, v);
    case Atomic::max: return std::max(old, v);
    case Atomic::bit_and: return old & v;
    case Atomic::bit_or: return old | v;
    case Atomic::bit_xor: return old ^ v;
    case Atomic::exchange: return v;
    case Atomic::compare_swap: return old == v ? v + 1 : old;
    case Atomic::increment: return old >= v ? T{0} : old + 1;
    case Atomic::decrement: return old == 0 || old > v ? v : old - 1;
    default: return old;
  }
}

// In forward order thread 0 comes first, so the sequence of values is known.
template <class T, class Run>
void compare_atomic(Atomic op, T start, Run run) {
  std::vector<T> value(64);
  for (size_t i = 0; i < 64; ++i) value[i] = static_cast<T>((i * 37 + 11) % 50 + (i == 30 ? 1000 : 0));
  if (op == Atomic::compare_swap)
    for (size_t i = 0; i < 64; ++i) value[i] = static_cast<T>(start + static_cast<T>(i / 2));
  const simt::ScopedOptions scope({.order = simt::Order::forward});
  const simt::Buffer<T> cell(std::vector<T>{start}), values(value), old(64);
  REQUIRE(run(op, cell.data, values.data, old.data) == 0);
  T expected = start;
  for (size_t i = 0; i < 64; ++i) {
    CAPTURE(static_cast<int>(op));
    CAPTURE(i);
    CHECK(old.data[i] == expected);
    expected = apply(op, expected, value[i]);
  }
  CHECK(cell.data[0] == expected);
}

}  // namespace

TEST_CASE("atomics return the old value and leave the new one") {
  for (int i = 0; i < static_cast<int>(Atomic::kCount); ++i) {
    const auto op = static_cast<Atomic>(i);
    const bool unsigned_only = op == Atomic::increment || op == Atomic::decrement;
    compare_atomic<unsigned>(op, 20u, emu::run_atomic_unsigned);
    if (!unsigned_only) compare_atomic<int>(op, 20, emu::run_atomic_int);
    if (!unsigned_only && op != Atomic::sub)
      compare_atomic<unsigned long long>(op, 20u, emu::run_atomic_long);
  }
  std::vector<float> v(64);
  for (size_t i = 0; i < 64; ++i) v[i] = 0.1f * static_cast<float>(i);
  const simt::ScopedOptions scope({.order = simt::Order::forward});
  const simt::Buffer<float> cell({1.0f, 0.0f}), value(v);
  const simt::Buffer<double> wide(std::vector<double>{1.0});
  REQUIRE(emu::run_atomic_add(cell.data, wide.data, value.data) == 0);
  float expected = 1.0f;
  double wide_expected = 1.0;
  for (float x : v) {
    expected += x;
    wide_expected += static_cast<double>(x);
  }
  CHECK(cell.data[0] == expected);
  CHECK(cell.data[1] == v[0]);
  CHECK(wide.data[0] == wide_expected);
}
