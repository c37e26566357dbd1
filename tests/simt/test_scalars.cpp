// Scalar functions of the device language against the C++ library.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "tests/simt/language.h"
#include "tests/simt/schedules.h"

namespace {

std::vector<unsigned> words() {
  std::vector<unsigned> v{0u, 1u, 0x80000000u, 0xffffffffu, 0x7fffffffu, 0x00010000u};
  std::mt19937 generator(3);
  for (int i = 0; i < 100; ++i) v.push_back(generator());
  return v;
}

unsigned reversed(unsigned v) {
  unsigned r = 0;
  for (int i = 0; i < 32; ++i) r |= (v >> i & 1) << (31 - i);
  return r;
}

// 2 ulp of float: the bound between two correctly written math libraries.
bool close(float a, double b) {
  return std::fabs(static_cast<double>(a) - b) <= 2.4e-7 * (std::fabs(b) + 1e-30);
}

}  // namespace

TEST_CASE("integer intrinsics") {
  const auto in = words();
  const simt::Buffer<unsigned> input(in), output(16 * in.size());
  REQUIRE(emu::run_integers(input.data, static_cast<int>(in.size()), output.data) == 0);
  for (size_t i = 0; i < in.size(); ++i) {
    const unsigned v = in[i], w = in[(i + 1) % in.size()], *o = output.data + 16 * i;
    const auto s = static_cast<int>(v), r = static_cast<int>(w);
    const uint64_t wide = static_cast<uint64_t>(v) << 32 | w;
    CAPTURE(v);
    CHECK(o[0] == static_cast<unsigned>(std::popcount(v)));
    CHECK(o[1] == (v ? static_cast<unsigned>(std::countr_zero(v)) + 1 : 0u));
    CHECK(o[2] == static_cast<unsigned>(std::countl_zero(v)));
    CHECK(o[3] == reversed(v));
    CHECK(o[4] == static_cast<unsigned>(static_cast<uint64_t>(v) * w >> 32));
    CHECK(o[5] == static_cast<unsigned>(static_cast<int64_t>(s) * r >> 32));
    CHECK(o[6] == static_cast<unsigned>(std::popcount(wide)));
    CHECK(o[7] == (wide ? static_cast<unsigned>(std::countr_zero(wide)) + 1 : 0u));
    CHECK(o[8] == static_cast<unsigned>(std::countl_zero(wide)));
    CHECK(o[9] == (w << 5 | v >> 27));
    CHECK(o[10] == (w << 27 | v >> 5));
    CHECK(o[11] == static_cast<unsigned>(s < r ? s : r));
    CHECK(o[12] == (v > w ? v : w));
    CHECK(o[13] == (v & 0x007fffffu));
    CHECK(o[14] == (w & 0x007fffffu));
    CHECK(o[15] == 3u);
  }
}

TEST_CASE("floating point intrinsics") {
  std::vector<float> in{0.0f, 1.0f, -1.0f, 0.5f, 2.5f, -2.5f, 3.3f, 1e-3f};
  std::mt19937 generator(4);
  std::uniform_real_distribution<float> uniform(-10.0f, 10.0f);
  for (int i = 0; i < 200; ++i) in.push_back(uniform(generator));
  const simt::Buffer<float> input(in), output(16 * in.size());
  REQUIRE(emu::run_floats(input.data, static_cast<int>(in.size()), output.data) == 0);
  for (size_t i = 0; i < in.size(); ++i) {
    const double x = in[i], a = std::fabs(x) + 0.5;
    const float* o = output.data + 16 * i;
    CAPTURE(x);
    CHECK(close(o[0], 1.0 / std::sqrt(a)));
    CHECK(close(o[1], 1.0 / std::sqrt(a)));
    CHECK(close(o[2], std::exp(x)));
    // Logarithms near 1 lose relative accuracy with their argument, |x| + 0.5 rounded to float: 6e-8 of it.
    CHECK(std::fabs(o[3] - std::log(a)) <= 3e-7 * (1.0 + std::fabs(std::log(a))));
    CHECK(std::fabs(o[4] - std::log2(a)) <= 3e-7 * (1.0 + std::fabs(std::log2(a))));
    CHECK(std::fabs(o[5] - std::pow(a, 1.5)) <= 5e-7 * std::pow(a, 1.5));
    CHECK(std::fabs(o[6] - std::sin(x)) <= 2.4e-7);
    CHECK(std::fabs(o[7] - std::cos(x)) <= 2.4e-7);
    CHECK(close(o[8], x / a));
    CHECK(static_cast<double>(o[9]) == (x < 0 ? 0.0 : x > 1 ? 1.0 : x));
    CHECK(o[10] == 0.0f);
    const float rounded = in[i] * in[i];
    CHECK(static_cast<double>(o[11]) == x * x - static_cast<double>(rounded));
    CHECK(static_cast<double>(o[12]) == std::nearbyint(x));
    CHECK(static_cast<double>(o[13]) == std::trunc(x) + 10 * std::floor(x) + 100 * std::ceil(x));
    CHECK(o[14] == in[i] + 0.25f);
    // bf16 keeps 8 bits: half a unit in the last place is 2^-9 of the value.
    CHECK(std::fabs(static_cast<double>(o[15]) - x) <= std::ldexp(std::fabs(x), -8));
  }
}

TEST_CASE("vector types move 8 and 16 bytes") {
  std::vector<float> in(4 * 50);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i);
  const simt::Buffer<float> input(in), output(in.size());
  REQUIRE(emu::run_vectors(input.data, 50, output.data) == 0);
  CHECK(output.get() == in);
}
