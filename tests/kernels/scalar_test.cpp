// The scalar formulas that every machine compiles: random words, update rules, coefficients.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/philox.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"
#include "tests/reference/sampling.h"

namespace shoal::test {
namespace {

TEST_CASE("philox: published words, cuRAND's words, the reference's words") {
  // Known answers of the authors' Random123 library (kat_vectors, philox4x32 10): counter, key, words.
  struct Known {
    std::uint32_t counter[4], key[2], word[4];
  };
  const Known known[] = {{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                         {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                         {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                          {0xa4093822, 0x299f31d0},
                          {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const Known& k : known) {
    const PhiloxWords words =
        philox4x32_10({{k.counter[0], k.counter[1], k.counter[2], k.counter[3]}}, k.key[0], k.key[1]);
    for (int i = 0; i < 4; ++i) CHECK(words.word[i] == k.word[i]);
  }
  // CURAND_RNG_PSEUDO_PHILOX4_32_10 with seed 1234.
  const std::uint32_t curand[4] = {0x2090b348, 0xda7cf0ab, 0x4401906f, 0xcbca470e};
  for (std::uint64_t i = 0; i < 4; ++i) CHECK(philox_word(1234, 0, i) == curand[i]);
  for (const std::uint64_t seed : {0ull, 1234ull, 0xFEDCBA9876543210ull})
    for (const std::uint64_t stream : {0ull, 5ull, 0x123456789ABCDEFull})
      for (const std::uint64_t index : {0ull, 1ull, 4ull, 7ull, 1000003ull, 0x400000003ull})
        CHECK(philox_word(seed, stream, index) == reference::random_word(seed, stream, index));
}

template <UpdateRule rule>
void compare_rule(Worst& worst, UpdateSettings s) {
  s.rule = rule;
  reference::Draws draws(61);
  const reference::Optimizer o = in_reference(s);
  for (int i = 0; i < 200; ++i) {
    float w = static_cast<float>(draws.uniform(-1.0, 1.0)), a = 0.0f, b = 0.0f, top = 0.0f;
    double w_exact = static_cast<double>(w);
    reference::Slots slots;
    // Errors of earlier steps ride along, at most one set of roundings a step: 16 of them for what is added
    // up.
    double size = std::abs(w_exact);
    for (int t = 1; t <= 5; ++t) {
      const auto g = static_cast<float>(draws.uniform(-1.0, 1.0));
      apply_update<rule>(w, a, b, top, g, step_coefficients(s, t, 1));
      w_exact = updated(o, w_exact, static_cast<double>(g), slots, t);
      size += std::abs(w_exact) + s.lr / (1.0 - s.beta1) * (1.0 + s.l1 + s.l2) /
                                      std::min(1.0, std::sqrt(slots.b) + s.eps + (slot_count(rule) < 2));
      worst.see(static_cast<double>(w), w_exact, gamma(16.0) * size, static_cast<int>(rule), i, t, 0);
    }
  }
}

TEST_CASE("update_rule: every rule, one number at a time, is the reference's") {
  for (const bool penalised : {false, true}) {
    CAPTURE(penalised);
    const UpdateSettings s{0.05,
                           0.9,
                           0.9,
                           0.99,
                           1e-3,
                           penalised ? 0.01 : 0.0,
                           penalised ? 0.1 : 0.0,
                           penalised ? 0.2 : 0.0,
                           UpdateRule::sgd};
    Worst worst;
    compare_rule<UpdateRule::sgd>(worst, s);
    compare_rule<UpdateRule::momentum>(worst, s);
    compare_rule<UpdateRule::nesterov>(worst, s);
    compare_rule<UpdateRule::adam>(worst, s);
    compare_rule<UpdateRule::adamax>(worst, s);
    compare_rule<UpdateRule::amsgrad>(worst, s);
    CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
  }
}

template <UpdateRule rule>
bool zero_stays_zero() {
  const StepCoefficients c = step_coefficients({0.1, 0.9, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.1, rule}, 1, 1);
  float w = 0.0f, a = 0.0f, b = 0.0f, top = 0.0f;
  for (int i = 0; i < 3; ++i) apply_update<rule>(w, a, b, top, 0.0f, c);
  return w == 0.0f && a == 0.0f;
}

template <UpdateRule rule>
bool short_way_is_the_same() {
  const StepCoefficients c = step_coefficients({0.1, 0.9, 0.9, 0.999, 1e-8, 0.0, 0.0, 0.0, rule}, 1, 1);
  float w[2] = {0.3f, 0.3f}, a[2] = {-0.1f, -0.1f}, b[2] = {0.2f, 0.2f}, top[2] = {0.3f, 0.3f};
  apply_update<rule, true>(w[0], a[0], b[0], top[0], 0.7f, c);
  apply_update<rule, false>(w[1], a[1], b[1], top[1], 0.7f, c);
  return w[0] == w[1] && a[0] == a[1] && b[0] == b[1] && top[0] == top[1];
}

TEST_CASE("update_rule: padding stays zero, and without penalties the short way gives the same bits") {
  using enum UpdateRule;
  CHECK(zero_stays_zero<sgd>());
  CHECK(zero_stays_zero<momentum>());
  CHECK(zero_stays_zero<nesterov>());
  CHECK(zero_stays_zero<adam>());
  CHECK(zero_stays_zero<adamax>());
  CHECK(zero_stays_zero<amsgrad>());
  CHECK(short_way_is_the_same<sgd>());
  CHECK(short_way_is_the_same<momentum>());
  CHECK(short_way_is_the_same<nesterov>());
  CHECK(short_way_is_the_same<adam>());
  CHECK(short_way_is_the_same<adamax>());
  CHECK(short_way_is_the_same<amsgrad>());
  CHECK(slot_count(sgd) == 0);
  CHECK(slot_count(momentum) == 1);
  CHECK(slot_count(nesterov) == 1);
  CHECK(slot_count(adam) == 2);
  CHECK(slot_count(adamax) == 2);
  CHECK(slot_count(amsgrad) == 3);
}

TEST_CASE("step_coefficients: corrections of the first and of a very late step") {
  UpdateSettings s{0.001, 0.9, 0.9, 0.999, 1e-8, 0.25, 0.5, 0.1, UpdateRule::adam};
  StepCoefficients c = step_coefficients(s, 1, 1);
  CHECK(c.rate == doctest::Approx(0.01).epsilon(1e-6));
  CHECK(c.root_scale == doctest::Approx(std::sqrt(1000.0)).epsilon(1e-6));
  CHECK(c.gain1 == doctest::Approx(0.1).epsilon(1e-6));
  CHECK(c.gain2 == doctest::Approx(0.001).epsilon(1e-6));
  CHECK(c.keep == doctest::Approx(0.9999).epsilon(1e-7));
  CHECK(c.l1 == 0.25f);
  CHECK(c.l2 == 0.5f);
  CHECK(c.active == 1);
  c = step_coefficients(s, 1e9, 0);
  CHECK(c.rate == 0.001f);
  CHECK(c.root_scale == 1.0f);
  CHECK(c.active == 0);
  s.rule = UpdateRule::adamax;
  c = step_coefficients(s, 2, 1);
  CHECK(c.gain2 == 0.999f);
  CHECK(c.rate == doctest::Approx(0.001 / 0.19).epsilon(1e-6));
  s.rule = UpdateRule::momentum;
  c = step_coefficients(s, 1, 1);
  CHECK(c.rate == 0.001f);
  CHECK(c.momentum == 0.9f);
}

TEST_CASE("lr_share: all at first, half in the middle, nothing after the last step") {
  for (const LrDecay decay : {LrDecay::cosine, LrDecay::linear}) {
    CHECK(lr_share(decay, 100, 1) == 1.0);
    CHECK(lr_share(decay, 100, 51) == doctest::Approx(0.5));
    CHECK(lr_share(decay, 100, 100) > 0.0);
    CHECK(lr_share(decay, 100, 101) == 0.0);
    CHECK(lr_share(decay, 1, 1) == 1.0);
    for (int t = 1; t <= 100; ++t) CHECK(lr_share(decay, 100, t + 1) < lr_share(decay, 100, t));
  }
  CHECK(lr_share(LrDecay::cosine, 4, 2) == doctest::Approx(0.5 + std::sqrt(0.125)));
  CHECK(lr_share(LrDecay::linear, 4, 2) == 0.75);
  CHECK(lr_share(LrDecay::none, 0, 1e9) == 1.0);
}

}  // namespace
}  // namespace shoal::test
