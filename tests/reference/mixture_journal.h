// The journal's two mixtures, written down from its description: one start, plain EM, long double.
#pragma once

#include <array>
#include <vector>

namespace reference {

struct JournalFit {
  std::array<double, 5> fit;  // as MixtureFit of tests/reference/mixture.h
  int iterations;
  bool converged;
  bool vanished;  // a component did; fit[0] is then 0 or 1
};
JournalFit journal_exp_normal(const std::vector<double>& sample);
JournalFit journal_gamma_gamma(const std::vector<double>& sample);

}  // namespace reference
