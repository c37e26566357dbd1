#include "tools/studies/slope_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/removal.h"
#include "kernels/gate_integral.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
const double kZone = 2 * std::log(99.0);

GateSpec gate_of(const SlopeSpec& s, const SlopeArm& arm) {
  GateSpec gate;
  gate.kind = arm.kind == SlopeKind::random ? GateKind::random_size : GateKind::size;
  gate.penalty = 0.0, gate.start = 0.0, gate.lr = 1.0;
  if (arm.kind == SlopeKind::random) gate.zone_low = s.zone_low, gate.zone_high = s.zone_high;
  else gate.slope = arm.slope;
  return gate;
}

/// The mean of 2 ln 99 / w over w uniform on the zones.
double mean_slope(const SlopeSpec& s) {
  if (s.zone_high <= s.zone_low) return slope_of_zone(s.zone_low);
  return kZone * std::log(s.zone_high / s.zone_low) / (s.zone_high - s.zone_low);
}

}  // namespace

double slope_of_zone(double zone) { return kZone / zone; }
double zone_of_slope(double slope) { return kZone / slope; }

std::vector<SlopeArm> slope_arms(const SlopeSpec& s) {
  const double mean_zone = 0.5 * (s.zone_low + s.zone_high), mean_k = mean_slope(s);
  std::vector<SlopeArm> arms{{SlopeKind::random, mean_zone, mean_k},
                             {SlopeKind::mean_zone, mean_zone, slope_of_zone(mean_zone)}};
  const auto add = [&](SlopeKind kind, double zone, double slope) {
    const auto same = [&](const SlopeArm& a) { return a.kind != SlopeKind::random && a.slope == slope; };
    if (std::ranges::none_of(arms, same)) arms.push_back({kind, zone, slope});
  };
  add(SlopeKind::mean_slope, zone_of_slope(mean_k), mean_k);
  add(SlopeKind::journal, zone_of_slope(s.journal_slope), s.journal_slope);
  for (const double zone : s.zones) add(SlopeKind::zone, zone, slope_of_zone(zone));
  return arms;
}

std::string name_of(SlopeKind kind) {
  switch (kind) {
    case SlopeKind::random: return "random";
    case SlopeKind::mean_zone: return "mean-zone";
    case SlopeKind::mean_slope: return "mean-slope";
    case SlopeKind::journal: return "journal";
    case SlopeKind::zone: return "zone";
  }
  return "?";
}

std::string words_of(const SlopeArm& arm) {
  const std::string zone = fmt::format("zone {:.3g}, k {:.3g}", arm.zone, arm.slope);
  switch (arm.kind) {
    case SlopeKind::random: return "random";
    case SlopeKind::mean_zone: return zone + " (mean zone)";
    case SlopeKind::mean_slope: return zone + " (mean k)";
    case SlopeKind::journal: return zone + " (the journal's)";
    case SlopeKind::zone: return zone;
  }
  return "?";
}

std::vector<ModelSpec> slope_models(const SlopeSpec& s, const ModelSpec& pattern,
                                    const std::vector<std::uint64_t>& seeds) {
  std::vector<ModelSpec> models;
  for (const SlopeArm& arm : slope_arms(s))
    for (const std::uint64_t seed : seeds) {
      ModelSpec m = pattern;
      m.hidden = {s.neurons}, m.seed = seed, m.gates = {gate_of(s, arm)};
      models.push_back(m);
    }
  return models;
}

std::vector<SlopeRow> slope_rows(const SlopeSpec& s, const RunSpec& spec, const RunResult& result) {
  std::vector<SlopeRow> rows;
  for (const SlopeArm& arm : slope_arms(s)) {
    SlopeRow& row = rows.emplace_back(SlopeRow{arm, 0, 0, {}});
    const GateSpec gate = gate_of(s, arm);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      if (spec.models[m].gates != std::vector<GateSpec>{gate}) continue;
      const ModelResult& r = result.models[m];
      if (r.status != ModelStatus::ok) ++row.diverged;
      else if (!(r.gates.front().epoch_size.back() >= kClosed)) ++row.closed;
      else row.models.push_back(curve_of(spec.models[m], r));
    }
  }
  return rows;
}

const SlopeRow* find_arm(const std::vector<SlopeRow>& rows, SlopeKind kind) {
  for (const SlopeRow& row : rows)
    if (row.arm.kind == kind && !row.models.empty()) return &row;
  return nullptr;
}

Forecast forecast_of(const SlopeRow& row, int epochs) {
  const Growth g = growth_of(row.models, 0, epochs / 2);
  const double end = epochs;
  return {summary_at(row.models, &GateCurve::size, epochs).mean, at_log(g, end), at_power(g, end),
          at_saturating(g, end)};
}

Changes changes_of(const SlopeRow& row) {
  Changes found;
  const std::size_t epochs = row.models.empty() ? 0 : row.models.front().size.size();
  for (std::size_t e = 0; e < epochs; ++e) {
    double sum = 0;
    std::int64_t falls = 0;
    for (const GateCurve& m : row.models) {
      const double change = m.size[e] - (e > 0 ? m.size[e - 1] : 0.0);
      sum += change, falls += change < 0;
    }
    found.mean.push_back(sum / static_cast<double>(row.models.size())), found.falls.push_back(falls);
    if (found.first_fall == 0 && sum < 0) found.first_fall = static_cast<int>(e) + 1;
  }
  return found;
}

double mixed_size(const SlopeSpec& s, const std::vector<SlopeRow>& rows, int epoch) {
  std::map<double, double> by_zone;
  for (const SlopeRow& row : rows)
    if (row.arm.kind != SlopeKind::random && !row.models.empty())
      by_zone[row.arm.zone] = summary_at(row.models, &GateCurve::size, epoch).mean;
  const auto at = [&](double zone) {
    const auto above = by_zone.lower_bound(zone * (1 - 1e-12));
    if (above == by_zone.end()) return kUnknown;
    if (above->first <= zone * (1 + 1e-12)) return above->second;
    if (above == by_zone.begin()) return kUnknown;
    const auto below = std::prev(above);
    const double share = (zone - below->first) / (above->first - below->first);
    return below->second + share * (above->second - below->second);
  };
  constexpr int kPlaces = 1000;  // of the midpoint rule
  double sum = 0;
  for (int i = 0; i < kPlaces; ++i)
    sum += at(s.zone_low + (i + 0.5) / kPlaces * (s.zone_high - s.zone_low)) / kPlaces;
  return sum;
}

std::vector<double> gradients_by_x0(const std::vector<Layers>& models, const std::vector<double>& x0,
                                    double k, const DataView& data, float scale, float shift,
                                    const MachineSpec& machine, const std::atomic<bool>* stop) {
  std::vector<Layers> folded;
  for (std::size_t m = 0; m < models.size(); ++m) folded.push_back(fold_size_gate(models[m], x0[m], k));
  std::vector<double> gradients;
  for (const ModelRemoval& found : removals_of(folded, data, scale, shift, machine, stop)) {
    // A factor on neuron i's gated output has the derivative g_i dL/dg_i, and dg_i/dx0 = k g_i (1 - g_i).
    double sum = 0;
    for (std::size_t i = 0; i < found.neurons.size(); ++i)
      sum += found.neurons[i].slope * k *
             (1 - gate::logistic(k * (x0[gradients.size()] - static_cast<double>(i))));
    gradients.push_back(sum);
  }
  return gradients;
}

std::vector<std::pair<std::string, double>> slope_columns(const SlopeSpec& s, const SlopeRow& row) {
  using C = GateCurve;
  const int half = s.epochs / 2;
  const auto at = [&](GateValue value, int epoch) { return summary_at(row.models, value, epoch); };
  const MeanInterval size = mean_interval(values_at(row.models, &C::size, s.epochs));
  const Growth g = growth_of(row.models, 0, s.epochs);
  const Forecast f = forecast_of(row, s.epochs);
  const Changes changes = changes_of(row);
  return {{"zone", row.arm.zone},
          {"slope", row.arm.slope},
          {"models", static_cast<double>(row.models.size())},
          {"diverged", static_cast<double>(row.diverged)},
          {"closed", static_cast<double>(row.closed)},
          {"size", size.mean},
          {"size_sd", at(&C::size, s.epochs).sd},
          {"size_low", size.low},
          {"size_high", size.high},
          {"size_half", at(&C::size, half).mean},
          {"size_half_sd", at(&C::size, half).sd},
          {"test_accuracy", at(&C::test_accuracy, s.epochs).mean},
          {"test_accuracy_sd", at(&C::test_accuracy, s.epochs).sd},
          {"test_loss", at(&C::test_loss, s.epochs).mean},
          {"test_loss_sd", at(&C::test_loss, s.epochs).sd},
          {"train_loss", at(&C::train_loss, s.epochs).mean},
          {"train_loss_sd", at(&C::train_loss, s.epochs).sd},
          {"growth", g.last.mean},
          {"growth_low", g.last.low},
          {"growth_high", g.last.high},
          {"log_factor", g.log.slope},
          {"log_r2", g.log.r2},
          {"line_r2", g.line.r2},
          {"power_exponent", g.exponent},
          {"power_r2", g.power.r2},
          {"saturating_tau", g.tau},
          {"saturating_limit", g.saturating.intercept + g.saturating.slope},
          {"saturating_r2", g.saturating.r2},
          {"forecast_log", f.log},
          {"forecast_power", f.power},
          {"forecast_saturating", f.saturating},
          {"first_fall", changes.first_fall > 0 ? changes.first_fall : kUnknown},
          {"falls", g.falls}};
}

}  // namespace shoal
