// ldmatrix and mma: fragments against the layout of the PTX ISA, the product against a plain one.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "tests/simt/language.h"
#include "tests/simt/schedules.h"

namespace {

float value(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float f;
  std::memcpy(&f, &wide, sizeof f);
  return f;
}

// Random bf16 numbers in [-2, 2): the upper 16 bits of floats.
std::vector<uint16_t> random_bf16(size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-2.0f, 2.0f);
  std::vector<uint16_t> v(n);
  for (uint16_t& x : v) {
    const float f = uniform(generator);
    uint32_t bits;
    std::memcpy(&bits, &f, sizeof bits);
    x = static_cast<uint16_t>(bits >> 16);
  }
  return v;
}

}  // namespace

TEST_CASE("ldmatrix deals out rows, mma multiplies") {
  const auto a = random_bf16(256, 1), b = random_bf16(128, 2);
  std::vector<float> start(128);
  for (size_t i = 0; i < 128; ++i) start[i] = 0.01f * static_cast<float>(i);
  for (const simt::Options& o : schedules()) {
    const simt::ScopedOptions scope(o);
    const simt::Buffer<uint16_t> device_a(a), device_b(b);
    const simt::Buffer<float> d(start);
    const simt::Buffer<uint32_t> fragment_a(128), fragment_b(64);
    REQUIRE(emu::run_matrix(device_a.data, device_b.data, d.data, fragment_a.data, fragment_b.data) == 0);

    for (size_t lane = 0; lane < 32; ++lane) {
      const size_t group = lane / 4, pair = lane % 4 * 2;
      // mma.m16n8k16, A: registers 0..3 hold rows group, group + 8, group, group + 8; columns pair (+8 for
      // registers 2, 3).
      const size_t rows[4] = {group, group + 8, group, group + 8},
                   columns[4] = {pair, pair, pair + 8, pair + 8};
      for (size_t r = 0; r < 4; ++r) {
        const size_t at = rows[r] * 16 + columns[r];
        CHECK(fragment_a.data[lane * 4 + r] == (a[at] | static_cast<uint32_t>(a[at + 1]) << 16));
      }
      // B: register r holds rows pair + 8r, pair + 8r + 1 of column group.
      for (size_t r = 0; r < 2; ++r) {
        const size_t at = (pair + 8 * r) * 8 + group;
        CHECK(fragment_b.data[lane * 2 + r] == (b[at] | static_cast<uint32_t>(b[at + 8]) << 16));
      }
    }
    for (size_t i = 0; i < 16; ++i)
      for (size_t j = 0; j < 8; ++j) {
        double exact = static_cast<double>(start[i * 8 + j]), size = std::fabs(exact);
        for (size_t k = 0; k < 16; ++k) {
          const double term =
              static_cast<double>(value(a[i * 16 + k])) * static_cast<double>(value(b[k * 8 + j]));
          exact += term;
          size += std::fabs(term);
        }
        // 16 additions in float, each off by at most 2^-24 of a partial sum.
        CHECK(std::fabs(static_cast<double>(d.data[i * 8 + j]) - exact) <= 16 * std::ldexp(size, -24));
      }
  }
}
