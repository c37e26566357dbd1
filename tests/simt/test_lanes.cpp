// Warp operations against plain models, lane by lane.
#include <doctest/doctest.h>

#include <random>

#include "tests/simt/language.h"
#include "tests/simt/schedules.h"

using language::LaneOp;

namespace {

constexpr unsigned kUntouched = 0xdeadbeef;

struct Question {
  LaneOp op;
  unsigned mask;
  int threads, argument, width;
};

std::vector<unsigned> random_words(int n, unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<unsigned> v(static_cast<size_t>(n));
  for (unsigned& x : v) x = generator();
  return v;
}

std::vector<unsigned> ask(const Question& q, const std::vector<unsigned>& in) {
  const simt::Buffer<unsigned> input(in), output(std::vector<unsigned>(in.size(), kUntouched));
  REQUIRE(emu::run_lane_op(q.op, q.mask, q.threads, input.data, q.argument, q.width, output.data) == 0);
  return output.get();
}

// `model(lane, lanes)` says what a lane receives, given the values of its warp's lanes.
template <class Model>
void compare(const Question& q, Model model) {
  const auto in = random_words(q.threads, 7);
  for (const simt::Options& o : schedules()) {
    const simt::ScopedOptions scope(o);
    const auto out = ask(q, in);
    for (int t = 0; t < q.threads; ++t) {
      const int lane = t % 32;
      const unsigned* warp = in.data() + (t - lane);
      CAPTURE(static_cast<int>(q.op));
      CAPTURE(t);
      CHECK(out[static_cast<size_t>(t)] == (q.mask >> lane & 1 ? model(lane, warp) : kUntouched));
    }
  }
}

template <class Operation>
void compare_reduction(LaneOp op, unsigned mask, Operation operation) {
  compare({op, mask, 64, 0, 32}, [=](int, const unsigned* v) {
    bool first = true;
    unsigned all = 0;
    for (int l = 0; l < 32; ++l)
      if (mask >> l & 1) {
        all = first ? v[l] : operation(all, v[l]);
        first = false;
      }
    return all;
  });
}

}  // namespace

TEST_CASE("shuffles read the lane that CUDA's rules name, at every width") {
  for (int width : {2, 4, 8, 16, 32})
    for (int a : {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31}) {
      const auto segment = [width](int l) { return l / width * width; };
      compare({LaneOp::shfl, ~0u, 96, a, width},
              [=](int l, const unsigned* v) { return v[segment(l) + a % width]; });
      compare({LaneOp::shfl_up, ~0u, 96, a, width},
              [=](int l, const unsigned* v) { return l - a < segment(l) ? v[l] : v[l - a]; });
      compare({LaneOp::shfl_down, ~0u, 96, a, width},
              [=](int l, const unsigned* v) { return l + a >= segment(l) + width ? v[l] : v[l + a]; });
      // Lanes of an earlier segment may be read; of a later one the own value comes back.
      compare({LaneOp::shfl_xor, ~0u, 96, a, width},
              [=](int l, const unsigned* v) { return (l ^ a) >= segment(l) + width ? v[l] : v[l ^ a]; });
    }
}

TEST_CASE("shuffles carry 64-bit numbers") {
  std::vector<double> d(32);
  std::vector<long long> i(32);
  for (size_t l = 0; l < 32; ++l) {
    d[l] = 1.0 / static_cast<double>(l + 3);
    i[l] = (1LL << 40) * static_cast<long long>(l) - 5;
  }
  const simt::Buffer<double> in(d), out(32);
  const simt::Buffer<long long> in_integer(i), out_integer(32);
  CHECK(emu::run_wide_shuffle(in.data, in_integer.data, out.data, out_integer.data) == 0);
  for (size_t l = 0; l < 32; ++l) {
    CHECK(out.data[l] == d[l ^ 5]);
    CHECK(out_integer.data[l] == i[l ^ 5]);
  }
}

TEST_CASE("votes and matches see the lanes of the mask only") {
  for (unsigned mask : {~0u, 0x0000ffffu, 0x80000001u, 0x00f0f0f0u, 0x00000400u}) {
    const auto lanes_where = [mask](auto predicate) {
      unsigned lanes = 0;
      for (int l = 0; l < 32; ++l)
        if ((mask >> l & 1) && predicate(l)) lanes |= 1u << l;
      return lanes;
    };
    compare({LaneOp::ballot, mask, 64, 0, 32},
            [&](int, const unsigned* v) { return lanes_where([v](int l) { return v[l] & 1; }); });
    compare({LaneOp::match_any, mask, 64, 0, 32}, [&](int lane, const unsigned* v) {
      return lanes_where([v, lane](int l) { return (v[l] & 3) == (v[lane] & 3); });
    });
    const auto in = random_words(64, 7);
    for (unsigned wanted : {in[7], in[31], 12345u}) {
      const int w = static_cast<int>(wanted);
      compare({LaneOp::any, mask, 64, w, 32}, [&](int, const unsigned* v) {
        return lanes_where([v, wanted](int l) { return v[l] == wanted; }) != 0 ? 1u : 0u;
      });
      compare({LaneOp::all, mask, 64, w, 32}, [&](int, const unsigned* v) {
        return lanes_where([v, wanted](int l) { return v[l] == wanted; }) == 0 ? 1u : 0u;
      });
    }
    // Divided by 2^31 some warps agree and some do not, divided by 2^31 - 1 ... the model decides.
    for (int divisor : {1, 1 << 30, 0x7fffffff})
      compare({LaneOp::match_all, mask, 64, divisor, 32}, [&](int lane, const unsigned* v) {
        const unsigned d = static_cast<unsigned>(divisor);
        const unsigned same = lanes_where([=](int l) { return v[l] / d == v[lane] / d; });
        return same == mask ? mask : 7u;
      });
  }
}

TEST_CASE("reductions over a mask") {
  for (unsigned mask : {~0u, 0x00ff00ffu, 0x80000000u}) {
    compare_reduction(LaneOp::add, mask, [](unsigned a, unsigned b) { return a + b; });
    compare_reduction(LaneOp::min_unsigned, mask, [](unsigned a, unsigned b) { return a < b ? a : b; });
    compare_reduction(LaneOp::max_unsigned, mask, [](unsigned a, unsigned b) { return a > b ? a : b; });
    compare_reduction(LaneOp::min_signed, mask, [](unsigned a, unsigned b) {
      return static_cast<int>(a) < static_cast<int>(b) ? a : b;
    });
    compare_reduction(LaneOp::max_signed, mask, [](unsigned a, unsigned b) {
      return static_cast<int>(a) > static_cast<int>(b) ? a : b;
    });
    compare_reduction(LaneOp::bit_and, mask, [](unsigned a, unsigned b) { return a & b; });
    compare_reduction(LaneOp::bit_or, mask, [](unsigned a, unsigned b) { return a | b; });
    compare_reduction(LaneOp::bit_xor, mask, [](unsigned a, unsigned b) { return a ^ b; });
  }
}

TEST_CASE("a warp of fewer lanes may use the full mask") {
  compare({LaneOp::ballot, ~0u, 20, 0, 32}, [](int, const unsigned* v) {
    unsigned lanes = 0;
    for (int l = 0; l < 20; ++l) lanes |= (v[l] & 1) << l;
    return lanes;
  });
  compare({LaneOp::all, ~0u, 20, 5, 32}, [](int, const unsigned*) { return 1u; });
  compare({LaneOp::active, ~0u, 20, 0, 32}, [](int, const unsigned*) { return (1u << 20) - 1; });
}

TEST_CASE("tiles of eight lanes") {
  const auto first = [](int l) { return l / 8 * 8; };
  const auto lanes_where = [first](int lane, auto predicate) {
    unsigned lanes = 0;
    for (int l = 0; l < 8; ++l)
      if (predicate(first(lane) + l)) lanes |= 1u << l;
    return lanes;
  };
  compare({LaneOp::tile8_shfl, ~0u, 64, 5, 32}, [=](int l, const unsigned* v) { return v[first(l) + 5]; });
  compare({LaneOp::tile8_up, ~0u, 64, 3, 32},
          [=](int l, const unsigned* v) { return l - 3 < first(l) ? v[l] : v[l - 3]; });
  compare({LaneOp::tile8_down, ~0u, 64, 3, 32},
          [=](int l, const unsigned* v) { return l + 3 >= first(l) + 8 ? v[l] : v[l + 3]; });
  compare({LaneOp::tile8_xor, ~0u, 64, 6, 32}, [](int l, const unsigned* v) { return v[l ^ 6]; });
  compare({LaneOp::tile8_ballot, ~0u, 64, 0, 32},
          [=](int lane, const unsigned* v) { return lanes_where(lane, [v](int l) { return v[l] & 1; }); });
  compare({LaneOp::tile8_any, ~0u, 64, 0, 32}, [=](int lane, const unsigned* v) {
    return lanes_where(lane, [v](int l) { return (v[l] & 15) == 0; }) != 0 ? 1u : 0u;
  });
  compare({LaneOp::tile8_all, ~0u, 64, 0, 32}, [=](int lane, const unsigned* v) {
    return lanes_where(lane, [v](int l) { return (v[l] & 3) != 0; }) == 0xff ? 1u : 0u;
  });
  compare({LaneOp::tile8_match, ~0u, 64, 0, 32}, [=](int lane, const unsigned* v) {
    return lanes_where(lane, [v, lane](int l) { return (v[l] & 3) == (v[lane] & 3); });
  });
  compare({LaneOp::tile8_rank, ~0u, 32, 0, 32}, [](int l, const unsigned*) {
    return static_cast<unsigned>(l % 8 + 100 * (l / 8) + 40000 + 8000000);
  });
}
