// Mixtures: as good as the best of many random starts of a plain EM, the same however they are computed, and
// honest about what cannot be fitted.
#include "analysis/mixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "tests/analysis/calculators.h"
#include "tests/analysis/mixture_best.h"
#include "tests/reference/mixture.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

constexpr MixtureKind kKinds[] = {MixtureKind::exp_normal, MixtureKind::gamma_gamma,
                                  MixtureKind::normal_normal};
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

using Sample = std::vector<double>;
reference::Mixture in_reference(MixtureKind kind) { return static_cast<reference::Mixture>(kind); }

/// Samples one after the other, with their offsets.
struct Ragged {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};
  void add(const Sample& sample) {
    values.insert(values.end(), sample.begin(), sample.end());
    offsets.push_back(static_cast<std::int64_t>(values.size()));
  }
  Samples<double> view() const { return {values, offsets}; }
};
Ragged collection(MixtureKind kind, int first, int last) {
  Ragged all;
  for (int i = first; i < last; ++i) all.add(reference::mixture_sample(in_reference(kind), i));
  return all;
}
MixtureFit fit_one(MixtureKind kind, const Sample& sample, const MixtureSpec& spec = {},
                   const MachineSpec& machine = {.threads = 1}) {
  Ragged one;
  one.add(sample);
  return fit_mixtures(Calculator(machine), kind, one.view(), spec).front();
}

reference::MixtureFit in_reference(const MixtureFit& fit) {
  const auto& p = fit.parameters;
  if (fit.kind == MixtureKind::exp_normal) return {fit.weight, p[0], 1.0, p[1], p[2]};
  return {fit.weight, p[0], p[1], p[2], p[3]};
}

/// Log-likelihoods are sums of n logarithms, each good to a few roundings of the terms it is made of. Those
/// are as large as the largest log-density is far from 0; 1e4 covers the narrowest component that is allowed.
double likelihood_tolerance(std::int64_t n, double value) {
  return 1e-15 * (static_cast<double>(n) * 1e4 + std::abs(value));
}

bool same_bits(const MixtureFit& a, const MixtureFit& b) {
  const auto equal = [](double x, double y) { return std::memcmp(&x, &y, sizeof x) == 0; };
  bool same = a.status == b.status && a.iterations == b.iterations && equal(a.weight, b.weight) &&
              equal(a.log_likelihood, b.log_likelihood) && a.count == b.count && a.zeros == b.zeros;
  for (std::size_t i = 0; i < 4; ++i) same = same && equal(a.parameters[i], b.parameters[i]);
  return same;
}

TEST_CASE("mixtures: as likely as the best of 50 random starts on 200 samples of each kind") {
  const Calculator calculator({.threads = 2});
  for (const MixtureKind kind : kKinds) {
    CAPTURE(name_of(kind));
    const Ragged all = collection(kind, 0, kBestSamples);
    const std::vector<MixtureFit> fits = fit_mixtures(calculator, kind, all.view());
    REQUIRE(fits.size() == kBestSamples);
    int mixtures = 0;
    for (int i = 0; i < kBestSamples; ++i) {
      CAPTURE(i);
      const MixtureFit& fit = fits[static_cast<std::size_t>(i)];
      const double best = kBestOfRandomStarts[static_cast<int>(kind)][i];
      REQUIRE(std::isfinite(fit.log_likelihood));
      CHECK(fit.log_likelihood >= best - 1e-4);
      CHECK(fit.converged);
      const Sample sample = reference::mixture_sample(in_reference(kind), i);
      const double single = reference::single_log_likelihood(in_reference(kind), sample);
      CHECK(std::abs(fit.single_log_likelihood - single) <= likelihood_tolerance(fit.count, single));
      if (fit.status == MixtureStatus::one_component) {
        CHECK(fit.log_likelihood == fit.single_log_likelihood);
        continue;
      }
      ++mixtures;
      CHECK(fit.status == MixtureStatus::ok);
      CHECK(fit.log_likelihood > fit.single_log_likelihood);
      // What is said of the fit is true of it, and it is inside the bounds.
      const auto truth =
          static_cast<double>(reference::log_likelihood(in_reference(kind), in_reference(fit), sample));
      CHECK(std::abs(fit.log_likelihood - truth) <= likelihood_tolerance(fit.count, truth));
      const reference::MixtureLimits limits = reference::mixture_limits(in_reference(kind), sample);
      CHECK_FALSE(reference::at_limit(in_reference(kind), in_reference(fit), limits));
      // It is a maximum: a step of the reference's EM gains nothing.
      const reference::MixtureEm next =
          reference::em(in_reference(kind), sample, in_reference(fit), limits, 1, 0.0);
      CHECK(next.log_likelihood - truth <= 1e-8 + likelihood_tolerance(fit.count, truth));
      if (kind != MixtureKind::exp_normal) CHECK(fit.parameters[0] <= fit.parameters[2]);
    }
    CHECK(mixtures > kBestSamples / 2);
  }
}

TEST_CASE("mixtures: the committed best values are the reference's") {
  for (const MixtureKind kind : kKinds)
    for (const int i : {4, 7}) {
      const Sample sample = reference::mixture_sample(in_reference(kind), i);
      const double best =
          reference::best_of_random_starts(in_reference(kind), sample, 50, static_cast<std::uint64_t>(i));
      CHECK(std::abs(best - kBestOfRandomStarts[static_cast<int>(kind)][i]) <= 1e-5);
    }
}

TEST_CASE("mixtures: every machine finds the same maxima") {
  for (const MixtureKind kind : kKinds) {
    const Ragged all = collection(kind, 0, 8);
    const std::vector<MixtureFit> expected = fit_mixtures(Calculator({.threads = 1}), kind, all.view());
    for (const auto& calculator : calculators()) {
      // The emulation is slow: the shorter samples only.
      const bool is_slow = calculator->device() && calculator->device()->name == "emu";
      CAPTURE(calculator->name());
      Ragged few;
      std::vector<MixtureFit> wanted;
      for (int i = 0; i < 8; ++i) {
        const auto sample = all.view()[i];
        if (is_slow && (sample.size() > 300 || few.offsets.size() > 2)) continue;
        few.add({sample.begin(), sample.end()});
        wanted.push_back(expected[static_cast<std::size_t>(i)]);
      }
      const std::vector<MixtureFit> fits = fit_mixtures(*calculator, kind, few.view());
      REQUIRE(fits.size() == wanted.size());
      for (std::size_t i = 0; i < fits.size(); ++i) {
        if (!calculator->device()) CHECK(same_bits(fits[i], wanted[i]));
        CHECK(fits[i].status == wanted[i].status);
        CHECK(fits[i].count == wanted[i].count);
        // Two roads to one maximum end within the tolerance of it.
        CHECK(std::abs(fits[i].log_likelihood - wanted[i].log_likelihood) <= 1e-6);
        CHECK(std::abs(fits[i].weight - wanted[i].weight) <= 1e-3);
      }
    }
  }
}

TEST_CASE("mixtures: neither company nor order change a bit") {
  for (const MixtureKind kind : kKinds) {
    const Ragged all = collection(kind, 10, 16);
    const std::vector<MixtureFit> fits = fit_mixtures(Calculator({.threads = 2}), kind, all.view());
    for (int i = 0; i < 6; ++i) {
      Sample sample = reference::mixture_sample(in_reference(kind), 10 + i);
      CHECK(same_bits(fit_one(kind, sample), fits[static_cast<std::size_t>(i)]));
      std::reverse(sample.begin(), sample.end());
      CHECK(same_bits(fit_one(kind, sample), fits[static_cast<std::size_t>(i)]));
    }
  }
}

TEST_CASE("mixtures: units change the scale of the parameters and nothing else") {
  for (const MixtureKind kind : kKinds) {
    const Sample sample = reference::mixture_sample(in_reference(kind), 0);
    const MixtureFit fit = fit_one(kind, sample);
    const auto n = static_cast<double>(sample.size());
    for (const double unit : {0x1p-100, 0x1p60, 1e-6, 1e6, 1e-200, 1e200}) {
      CAPTURE(unit);
      Sample other = sample;
      for (double& x : other) x *= unit;
      const MixtureFit scaled = fit_one(kind, other);
      const bool exact = unit == 0x1p-100 || unit == 0x1p60;
      CHECK(scaled.status == fit.status);
      CHECK(std::abs(scaled.weight - fit.weight) <= (exact ? 0.0 : 1e-4));
      CHECK(std::abs(scaled.log_likelihood + n * std::log(unit) - fit.log_likelihood) <=
            1e-7 + 1e-13 * n * std::abs(std::log(unit)));
      for (const std::size_t i : {0u, 1u, 2u, 3u}) {
        if (kind == MixtureKind::exp_normal && i == 3) continue;
        const double factor = kind == MixtureKind::gamma_gamma && i % 2 == 0 ? 1.0 : unit;
        CHECK(std::abs(scaled.parameters[i] / factor - fit.parameters[i]) <=
              (exact ? 0.0 : 1e-4 * std::max(1.0, std::abs(fit.parameters[i]))));
      }
    }
  }
}

TEST_CASE("mixtures: well separated components are found") {
  reference::Draws draws(5);
  const auto normal = [&] {
    double sum = -6;  // twelve uniform numbers: sd 1
    for (int i = 0; i < 12; ++i) sum += draws.uniform(0, 1);
    return sum;
  };
  Sample sample;
  for (int i = 0; i < 3000; ++i) sample.push_back(i % 4 == 0 ? 40 + 0.5 * normal() : normal());
  const MixtureFit two = fit_one(MixtureKind::normal_normal, sample, {.responsibilities = true});
  CHECK(two.status == MixtureStatus::ok);
  CHECK(std::abs(two.weight - 0.75) <= 1e-9);
  CHECK(std::abs(two.parameters[0]) <= 5 / std::sqrt(2250.0));
  CHECK(std::abs(two.parameters[2] - 40) <= 5 * 0.5 / std::sqrt(750.0));
  CHECK(std::abs(two.parameters[1] - 1) <= 0.1);
  CHECK(std::abs(two.parameters[3] - 0.5) <= 0.05);
  CHECK(two.crossing > 4);
  CHECK(two.crossing < 38);
  const double a = component_density(two, 0, two.crossing), b = component_density(two, 1, two.crossing);
  CHECK(std::abs(a / b - 1) <= 1e-9);
  for (std::size_t i = 0; i < sample.size(); ++i) {
    CHECK(two.responsibilities[i] >= 0.0);
    CHECK(two.responsibilities[i] <= 1.0);
    CHECK((two.responsibilities[i] > 0.5) == (i % 4 != 0));
  }
  CHECK(two.aic == 10 - 2 * two.log_likelihood);
  CHECK(std::abs(two.bic - (5 * std::log(3000.0) - 2 * two.log_likelihood)) <= 1e-9);
  // A few values of a far cluster of three tenths are an exponential's as little as a gamma's.
  for (double& x : sample) x = x > 20 ? x : std::abs(x);
  const MixtureFit half = fit_one(MixtureKind::exp_normal, sample);
  CHECK(std::abs(half.weight - 0.75) <= 1e-9);
  CHECK(std::abs(half.parameters[1] - 40) <= 0.1);
}

TEST_CASE("mixtures: the density integrates to 1, and responsibilities are its shares") {
  for (const MixtureKind kind : kKinds) {
    const Sample sample = reference::mixture_sample(in_reference(kind), 0);
    const MixtureFit fit = fit_one(kind, sample, {.responsibilities = true});
    REQUIRE(fit.status == MixtureStatus::ok);
    const auto [low, high] = std::minmax_element(sample.begin(), sample.end());
    const bool positive = kind != MixtureKind::normal_normal;
    const double range = *high - *low, from = positive ? 0.0 : *low - range, to = *high + 3 * range;
    constexpr int kSteps = 200000;
    double sum = 0, below = 0;
    for (int i = 0; i < kSteps; ++i) {
      // Steps grow with the fourth power of v: a gamma of shape below 1 has a pole at 0.
      const double v = (i + 0.5) / kSteps, x = from + (to - from) * std::pow(v, 4);
      sum += mixture_density(fit, x) * 4 * std::pow(v, 3);
    }
    if (kind == MixtureKind::exp_normal)  // the normal is not cut at 0
      below = (1 - fit.weight) * 0.5 * std::erfc(fit.parameters[1] / fit.parameters[2] / std::sqrt(2.0));
    CHECK(std::abs(sum * (to - from) / kSteps + below - 1) <= 1e-3);
    for (std::size_t i = 0; i < sample.size(); ++i) {
      const auto d =
          static_cast<double>(reference::log_term(in_reference(kind), in_reference(fit), 1, sample[i]) -
                              reference::log_term(in_reference(kind), in_reference(fit), 0, sample[i]));
      CHECK(std::abs(fit.responsibilities[i] - 1 / (1 + std::exp(d))) <= 1e-11);
    }
  }
}

TEST_CASE("mixtures: what cannot be fitted is said, and the neighbours do not mind") {
  const Sample good = reference::mixture_sample(reference::Mixture::gamma_gamma, 0);
  const auto with = [&](double x) {
    Sample s = good;
    s[s.size() / 2] = x;
    return s;
  };
  for (const auto& calculator : calculators()) {
    if (calculator->device() && calculator->device()->name == "emu" && good.size() > 400) continue;
    Ragged all;
    all.add({});
    all.add(good);
    all.add(with(kNan));
    all.add(with(HUGE_VAL));
    all.add(with(-1e-300));
    all.add(with(0.0));
    all.add(Sample(100, 3.5));
    all.add({1, 2, 3, 4, 5, 6, 7});
    all.add(Sample(50, 0.0));
    const auto statuses = [&](MixtureKind kind, MixtureZeros zeros) {
      std::vector<MixtureStatus> s;
      for (const MixtureFit& fit : fit_mixtures(*calculator, kind, all.view(), {.zeros = zeros})) {
        s.push_back(fit.status);
        if (!has_fit(fit.status)) {
          CHECK(std::isnan(fit.log_likelihood));
          CHECK(std::isnan(fit.parameters[0]));
          CHECK(fit.count == 0);
        }
      }
      return s;
    };
    using S = MixtureStatus;
    CHECK(statuses(MixtureKind::gamma_gamma, MixtureZeros::drop) ==
          std::vector<S>{S::too_few, S::ok, S::not_finite, S::not_finite, S::negative, S::ok, S::no_range,
                         S::too_few, S::too_few});
    CHECK(statuses(MixtureKind::gamma_gamma, MixtureZeros::refuse)[5] == S::zeros);
    CHECK(statuses(MixtureKind::gamma_gamma, MixtureZeros::keep)[5] == S::zeros);
    CHECK(statuses(MixtureKind::exp_normal, MixtureZeros::keep)[8] == S::no_range);
    CHECK(statuses(MixtureKind::normal_normal, MixtureZeros::drop)[4] != S::negative);
    const MixtureFit one = fit_mixtures(*calculator, MixtureKind::gamma_gamma, all.view())[5];
    CHECK(one.zeros == 1);
    CHECK(one.count == static_cast<std::int64_t>(good.size()) - 1);
  }
  for (const auto status : {MixtureStatus::ok, MixtureStatus::zeros, MixtureStatus::too_few})
    CHECK(to_text(status).size() > 10);
  CHECK_THROWS_AS(fit_one(MixtureKind::gamma_gamma, good, {.max_iterations = 0}), std::invalid_argument);
  CHECK_THROWS_AS(fit_one(MixtureKind::gamma_gamma, good, {.tolerance = kNan}), std::invalid_argument);
  CHECK_THROWS_AS(fit_one(MixtureKind::normal_normal, good, {.procedure = MixtureProcedure::journal}),
                  std::invalid_argument);
}

TEST_CASE("mixtures: an iteration limit is respected and reported") {
  const Sample sample = reference::mixture_sample(reference::Mixture::gamma_gamma, 3);
  const MixtureFit full = fit_one(MixtureKind::gamma_gamma, sample);
  const MixtureFit cut = fit_one(MixtureKind::gamma_gamma, sample, {.max_iterations = 2});
  CHECK(cut.status == MixtureStatus::not_converged);
  CHECK_FALSE(cut.converged);
  CHECK(cut.log_likelihood < full.log_likelihood);
}

TEST_CASE("mixtures: ties and two values do not collapse a component") {
  Sample two_values;
  for (int i = 0; i < 60; ++i) two_values.push_back(i % 3 == 0 ? 1.0 : 2.0);
  Sample spike;  // a third of all values are the same
  reference::Draws draws(8);
  for (int i = 0; i < 300; ++i) spike.push_back(i % 3 == 0 ? 1.5 : draws.uniform(1, 3));
  for (const MixtureKind kind : kKinds)
    for (const Sample& sample : {two_values, spike}) {
      const MixtureFit fit = fit_one(kind, sample);
      REQUIRE(has_fit(fit.status));
      CHECK(std::isfinite(fit.log_likelihood));
      if (fit.status != MixtureStatus::ok) continue;
      CHECK_FALSE(reference::at_limit(in_reference(kind), in_reference(fit),
                                      reference::mixture_limits(in_reference(kind), sample)));
    }
  CHECK(fit_one(MixtureKind::normal_normal, two_values).status == MixtureStatus::one_component);
}

// The likelihood of a normal that shrinks onto the zeros is above all others: a fit on its way there is no
// measure for those that will end inside the bounds.
TEST_CASE("mixtures: a collapsing fit does not hide one that is inside the bounds") {
  reference::Draws draws(21);
  Sample sample;
  for (int i = 0; i < 1500; ++i) {
    const double low = -0.2 * std::log(draws.uniform(1e-9, 1.0));
    double high = 0;
    for (int j = 0; j < 12; ++j) high -= 0.1 * std::log(draws.uniform(1e-9, 1.0));
    const int kind = draws.below(100);
    sample.push_back(kind < 17 ? 0.0 : kind < 50 ? low : high);
  }
  for (const MixtureKind kind : {MixtureKind::normal_normal}) {
    const MixtureFit fit = fit_one(kind, sample);
    const double best = reference::best_of_random_starts(in_reference(kind), sample, 50, 1);
    CHECK(fit.log_likelihood >= best - 1e-4);
  }
}

}  // namespace
}  // namespace shoal::test
