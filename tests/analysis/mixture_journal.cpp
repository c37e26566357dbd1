// The journal's single-start procedures against their description in long double.
#include "tests/reference/mixture_journal.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "analysis/mixture.h"
#include "tests/reference/mixture.h"

namespace shoal::test {
namespace {

using Sample = std::vector<double>;

MixtureFit fit_journal(MixtureKind kind, const Sample& sample) {
  const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(sample.size())};
  return fit_mixtures(Calculator({.threads = 1}), kind, {sample, offsets},
                      {.procedure = MixtureProcedure::journal})
      .front();
}
/// Up to 100 steps of an iteration that does not spread errors, but may be long in places where it hardly
/// contracts them.
bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(b)); }

TEST_CASE("the journal's exponential and normal") {
  int converged = 0;
  for (int i = 0; i < 40; ++i) {
    CAPTURE(i);
    Sample sample = reference::mixture_sample(reference::Mixture::exp_normal, i);
    if (sample.size() > 1500) continue;
    const double top = *std::max_element(sample.begin(), sample.end());
    for (double& x : sample) x *= 4 / top;  // its start is meant for numbers near 1
    const reference::JournalFit wanted = reference::journal_exp_normal(sample);
    sample.insert(sample.begin() + 3, 0.0);  // exact zeros are left out
    const MixtureFit fit = fit_journal(MixtureKind::exp_normal, sample);
    CHECK(fit.zeros == 1);
    CHECK(fit.iterations == wanted.iterations);
    CHECK(fit.converged == wanted.converged);
    CHECK(near(fit.weight, wanted.fit[0]));
    converged += fit.converged;
    if (wanted.vanished) {
      CHECK(fit.status == MixtureStatus::one_component);
      continue;
    }
    CHECK(near(fit.parameters[0], wanted.fit[1]));
    CHECK(near(fit.parameters[1], wanted.fit[3]));
    CHECK(near(fit.parameters[2], wanted.fit[4]));
    sample.erase(sample.begin() + 3);
    const auto value =
        static_cast<double>(reference::log_likelihood(reference::Mixture::exp_normal, wanted.fit, sample));
    CHECK(near(fit.log_likelihood, value));
    CHECK(fit.log_likelihood <= fit_mixtures(Calculator({.threads = 1}), MixtureKind::exp_normal,
                                             {sample, std::vector<std::int64_t>{0, std::ssize(sample)}})
                                        .front()
                                        .log_likelihood +
                                    1e-4);
  }
  CHECK(converged > 3);
}

TEST_CASE("the journal's two gammas") {
  int converged = 0;
  for (int i = 0; i < 40; ++i) {
    CAPTURE(i);
    Sample sample = reference::mixture_sample(reference::Mixture::gamma_gamma, i);
    if (sample.size() > 1500) continue;
    const double top = *std::max_element(sample.begin(), sample.end());
    for (double& x : sample) x *= 4 / top;
    const reference::JournalFit wanted = reference::journal_gamma_gamma(sample);
    const MixtureFit fit = fit_journal(MixtureKind::gamma_gamma, sample);
    CHECK(fit.iterations == wanted.iterations);
    CHECK(fit.converged == wanted.converged);
    CHECK(near(fit.weight, wanted.fit[0]));
    for (std::size_t p = 0; p < 4; ++p) CHECK(near(fit.parameters[p], wanted.fit[p + 1]));
    converged += fit.converged;
  }
  CHECK(converged > 3);
}

}  // namespace
}  // namespace shoal::test
