#include "tools/studies/gate_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/gate_integral.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct Means {
  std::vector<double> t, size;
};

Means means_of(std::span<const GateCurve> models, int before, int epochs) {
  Means m;
  for (int t = 1; t <= epochs; ++t)
    m.t.push_back(t), m.size.push_back(summary_at(models, &GateCurve::size, before + t).mean);
  return m;
}

/// The line through (shape(t), size).
template <class Shape>
Line fit(const Means& m, Shape shape) {
  std::vector<double> x;
  for (const double t : m.t) x.push_back(shape(t));
  return fit_line(x, m.size);
}

void fit_power(Growth& g, const Means& m) {
  g.power = g.log, g.exponent = 0;
  for (int i = -300; i <= 300; ++i) {
    const double c = 0.01 * i;
    if (i == 0) continue;
    const Line line = fit(m, [c](double t) { return std::pow(t, c); });
    if (line.r2 > g.power.r2) g.power = line, g.exponent = c;
  }
}

void fit_saturating(Growth& g, const Means& m) {
  g.saturating = {kUnknown, kUnknown, kUnknown}, g.tau = kUnknown;
  const double most = m.t.back();
  for (int i = 0; i <= 200; ++i) {  // from 0.1 epochs to ten times what there is
    const double tau = 0.1 * std::pow(100 * most, i / 200.0);
    const Line line = fit(m, [tau](double t) { return -std::expm1(-t / tau); });
    if (!(line.r2 <= g.saturating.r2)) g.saturating = line, g.tau = tau;
  }
}

void look_at_the_end(Growth& g, std::span<const GateCurve> models, int first, int last) {
  std::vector<double> slopes;
  double moves = 0;
  for (const GateCurve& m : models) {
    std::vector<double> t, size;
    for (int e = first; e <= last; ++e) {
      const auto at = static_cast<std::size_t>(e) - 1;
      t.push_back(e), size.push_back(m.size[at]);
      const double move = m.size[at] - m.size[at - 1];
      g.falls += move < 0, ++moves;
      g.largest_move = std::max(g.largest_move, std::abs(move));
    }
    slopes.push_back(fit_line(t, size).slope);
  }
  g.last = mean_interval(slopes);
  g.falls /= moves;
}

}  // namespace

GateCurve curve_of(const ModelSpec& spec, const ModelResult& r) {
  return {spec.seed, r.gates.empty() ? std::vector<double>{} : r.gates.front().epoch_size, r.epoch_train_loss,
          r.epoch_test_loss, r.epoch_test_accuracy};
}

std::vector<double> values_at(std::span<const GateCurve> models, GateValue value, int epoch) {
  std::vector<double> values;
  for (const GateCurve& m : models)
    if (epoch >= 1 && static_cast<std::size_t>(epoch) <= (m.*value).size())
      values.push_back((m.*value)[static_cast<std::size_t>(epoch) - 1]);
  return values;
}

Summary summary_at(std::span<const GateCurve> models, GateValue value, int epoch) {
  return summarize(values_at(models, value, epoch));
}

MeanInterval gap_at(std::span<const GateCurve> a, int epoch_a, std::span<const GateCurve> b, int epoch_b,
                    GateValue value, double scale) {
  const MeanInterval gap = difference_interval(values_at(a, value, epoch_a), values_at(b, value, epoch_b));
  return {scale * gap.mean, scale * gap.low, scale * gap.high};
}

Growth growth_of(std::span<const GateCurve> models, int before, int epochs) {
  const Line none{kUnknown, kUnknown, kUnknown};
  Growth g{none, none, none, kUnknown, none, kUnknown, {kUnknown, kUnknown, kUnknown}, kUnknown, kUnknown};
  if (epochs < 4 || models.empty()) return g;
  const Means m = means_of(models, before, epochs);
  g.log = fit(m, [](double t) { return std::log(t); });
  g.line = fit(m, [](double t) { return t; });
  fit_power(g, m), fit_saturating(g, m);
  g.falls = g.largest_move = 0;
  const int quarter = std::max(3, epochs / 4);
  look_at_the_end(g, models, before + epochs - quarter + 1, before + epochs);
  return g;
}

double at_log(const Growth& g, double t) { return g.log.intercept + g.log.slope * std::log(t); }
double at_power(const Growth& g, double t) {
  const double x = g.exponent == 0 ? std::log(t) : std::pow(t, g.exponent);
  return g.power.intercept + g.power.slope * x;
}
double at_saturating(const Growth& g, double t) {
  return g.saturating.intercept - g.saturating.slope * std::expm1(-t / g.tau);
}

Layers fold_size_gate(const Layers& layers, double x0, double k) {
  Layers folded = layers;
  LayerWeights& above = folded.back();
  for (int o = 0; o < above.outputs; ++o)
    for (int i = 0; i < above.inputs; ++i)
      above.weight[static_cast<std::size_t>(o) * static_cast<std::size_t>(above.inputs) +
                   static_cast<std::size_t>(i)] *= static_cast<float>(gate::logistic(k * (x0 - i)));
  return folded;
}

std::string with_interval(const MeanInterval& m, int decimals) {
  if (!std::isfinite(m.low)) return fmt::format("{:.{}f}", m.mean, decimals);
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", m.mean, decimals, m.low, decimals, m.high, decimals);
}

bool excludes_zero(const MeanInterval& m) { return m.low > 0 || m.high < 0; }

}  // namespace shoal
