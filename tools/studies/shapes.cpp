// Shapes of samples of sds by the statistics of analysis/.
#include <algorithm>
#include <limits>

#include "analysis/calculator.h"
#include "analysis/mixture.h"
#include "analysis/samples.h"
#include "analysis/shapiro.h"
#include "tools/studies/layer_metrics.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Samples one after the other.
struct Flat {
  std::vector<double> values;
  std::vector<std::int64_t> offsets{0};

  explicit Flat(std::span<const std::vector<double>> samples) {
    for (const std::vector<double>& sample : samples) {
      values.insert(values.end(), sample.begin(), sample.end());
      offsets.push_back(static_cast<std::int64_t>(values.size()));
    }
  }
  Samples<double> view() const { return {values, offsets}; }
};

/// Exact zeros are left out, as in the journal.
void fit(const Calculator& calculator, MixtureKind kind, const Flat& flat, MixtureWeights SpreadShape::*part,
         std::vector<SpreadShape>& shapes) {
  MixtureSpec journal;
  journal.procedure = MixtureProcedure::journal;
  const auto best = fit_mixtures(calculator, kind, flat.view()),
             single = fit_mixtures(calculator, kind, flat.view(), journal);
  for (std::size_t s = 0; s < shapes.size(); ++s) {
    MixtureWeights& weights = shapes[s].*part;
    if (has_fit(best[s].status)) {
      weights.weight = best[s].weight;
      weights.bic = best[s].bic;
      if (kind == MixtureKind::gamma_gamma) weights.shape = best[s].parameters[best[s].weight > 0 ? 0 : 2];
    }
    if (has_fit(single[s].status)) weights.journal = single[s].weight;
  }
}

}  // namespace

ShapeOf shapes_on(const MachineSpec& machine) {
  return [machine](std::span<const std::vector<double>> samples) {
    const Calculator calculator(machine);
    const Flat flat(samples);
    std::vector<SpreadShape> shapes(samples.size(), unknown_shape());
    for (std::size_t s = 0; s < samples.size(); ++s) {
      shapes[s].count = static_cast<std::int64_t>(samples[s].size());
      shapes[s].living = shapes[s].count - std::count(samples[s].begin(), samples[s].end(), 0.0);
    }
    const std::vector<ShapiroWilk> tests = shapiro_wilk(calculator, flat.view());
    // Beyond 5000 values W is answered, too; its p is not looked at.
    for (std::size_t s = 0; s < samples.size(); ++s)
      if (tests[s].status == ShapiroStatus::ok || tests[s].status == ShapiroStatus::beyond_5000)
        shapes[s].w = tests[s].w;
    fit(calculator, MixtureKind::exp_normal, flat, &SpreadShape::exp_normal, shapes);
    fit(calculator, MixtureKind::gamma_gamma, flat, &SpreadShape::gamma_gamma, shapes);
    return shapes;
  };
}

}  // namespace shoal
