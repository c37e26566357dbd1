// Prints tests/analysis/mixture_best.h: what the reference reaches from 50 random starts on the samples of
// reference::mixture_sample. Some minutes; not part of the build or of the tests (target make_mixture_best).
#include <cstdio>

#include "tests/reference/mixture.h"

int main() {
  std::puts(
      "// Made by make_mixture_best: the largest log-likelihood that plain EM of tests/reference reaches "
      "from 50\n"
      "// random starts without ending at a bound, per kind (exp_normal, gamma_gamma, normal_normal) and "
      "index of\n"
      "// reference::mixture_sample.\n"
      "#pragma once\n\nnamespace shoal::test {\n\ninline constexpr int kBestSamples = 200;\n"
      "inline constexpr double kBestOfRandomStarts[3][kBestSamples] = {");
  for (int kind = 0; kind < 3; ++kind) {
    std::puts("    {");
    for (int i = 0; i < 200; ++i) {
      const auto k = static_cast<reference::Mixture>(kind);
      std::printf("        %.7f,\n", reference::best_of_random_starts(k, reference::mixture_sample(k, i), 50,
                                                                      static_cast<std::uint64_t>(i)));
    }
    std::puts("    },");
  }
  std::puts("};\n\n}  // namespace shoal::test");
}
