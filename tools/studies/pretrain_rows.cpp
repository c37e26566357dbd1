#include "tools/studies/pretrain_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "tools/studies/at_width.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

GateSpec late_gate(GateKind kind, int begin) {
  GateSpec gate;
  gate.kind = kind, gate.penalty = 0.0;
  gate.start = 0.0, gate.lr = 1.0, gate.begin = begin;
  if (kind == GateKind::random_size) gate.zone_low = 1.0, gate.zone_high = 20.0;
  else gate.slope = 1.0;
  return gate;
}

}  // namespace

int total_epochs(const PretrainSpec& s) {
  int most = 0;
  for (const auto* doses : {&s.doses, &s.random_doses})
    for (const int dose : *doses) most = std::max(most, dose);
  return most + s.gated_epochs;
}

std::vector<ModelSpec> pretrain_models(const PretrainSpec& s, const ModelSpec& pattern,
                                       const std::vector<std::uint64_t>& seeds) {
  std::vector<ModelSpec> models;
  const auto add_arms = [&](GateKind kind, const std::vector<int>& doses) {
    for (const int dose : std::set<int>(doses.begin(), doses.end()))
      for (const std::uint64_t seed : seeds) {
        ModelSpec m = pattern;
        m.hidden = {s.neurons}, m.seed = seed, m.gates = {late_gate(kind, dose)};
        models.push_back(m);
      }
  };
  add_arms(GateKind::size, s.doses), add_arms(GateKind::random_size, s.random_doses);
  for (const int width : std::set<int>(s.plain.begin(), s.plain.end()))
    for (const std::uint64_t seed : seeds) {
      ModelSpec m = pattern;
      m.hidden = {width}, m.seed = seed, m.gates.clear();
      models.push_back(m);
    }
  return models;
}

std::vector<PretrainRow> pretrain_rows(const RunSpec& spec, const RunResult& result) {
  std::map<std::tuple<GateKind, int, int>, PretrainRow> arms, plain;  // kind, dose, width
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const ModelSpec& model = spec.models[m];
    const bool has_gate = !model.gates.empty();
    const GateKind kind = has_gate ? model.gates.front().kind : GateKind::none;
    const int dose = has_gate ? model.gates.front().begin : 0, width = model.hidden.front();
    PretrainRow& row = (has_gate ? arms : plain)[{kind, dose, width}];
    row.kind = kind, row.dose = dose, row.width = width;
    if (result.models[m].status == ModelStatus::ok) row.models.push_back(curve_of(model, result.models[m]));
    else ++row.diverged;
  }
  std::vector<PretrainRow> rows;
  for (auto* group : {&arms, &plain})
    for (auto& [key, row] : *group) rows.push_back(std::move(row));
  return rows;
}

bool gated(const PretrainRow& row) { return row.kind != GateKind::none; }

std::vector<const PretrainRow*> arms_of(const std::vector<PretrainRow>& rows, GateKind kind) {
  std::vector<const PretrainRow*> arms;
  for (const PretrainRow& row : rows)
    if (row.kind == kind && !row.models.empty()) arms.push_back(&row);
  return arms;
}

AtSize at_size(const PretrainRow& row, double size) {
  AtSize found;
  for (const GateCurve& m : row.models)
    for (std::size_t e = static_cast<std::size_t>(row.dose); e < m.size.size(); ++e) {
      if (!(m.size[e] >= size)) continue;
      found.epochs.push_back(static_cast<double>(e) + 1 - row.dose);
      found.test_accuracy.push_back(m.test_accuracy[e]);
      found.test_loss.push_back(m.test_loss[e]);
      break;
    }
  return found;
}

double plain_accuracy(const std::vector<PretrainRow>& rows, double size, int epoch) {
  std::map<double, double> by_width;
  for (const PretrainRow& row : rows)
    if (!gated(row) && !row.models.empty())
      by_width[row.width] = summary_at(row.models, &GateCurve::test_accuracy, epoch).mean;
  return at_width(by_width, size);
}

std::vector<std::pair<std::string, double>> pretrain_columns(const PretrainSpec& s,
                                                             const std::vector<PretrainRow>& rows,
                                                             const PretrainRow& row) {
  using C = GateCurve;
  const int total = total_epochs(s), end = gated(row) ? row.dose + s.gated_epochs : total;
  const auto at = [&](GateValue value, int epoch) { return summary_at(row.models, value, epoch); };
  const MeanInterval size = mean_interval(values_at(row.models, &C::size, end));
  std::vector<std::pair<std::string, double>> columns{
      {"pretraining", gated(row) ? row.dose : kUnknown},
      {"width", row.width},
      {"models", static_cast<double>(row.models.size())},
      {"diverged", static_cast<double>(row.diverged)},
      {"end", end},
      {"size", gated(row) ? size.mean : row.width},
      {"size_sd", at(&C::size, end).sd},
      {"size_low", gated(row) ? size.low : kUnknown},
      {"size_high", gated(row) ? size.high : kUnknown},
      {"size_after_first", gated(row) ? at(&C::size, row.dose + 1).mean : kUnknown},
      {"size_at_total", gated(row) ? at(&C::size, total).mean : kUnknown},
      {"size_at_total_sd", at(&C::size, total).sd}};
  const std::pair<const char*, GateValue> values[] = {
      {"test_accuracy", &C::test_accuracy}, {"test_loss", &C::test_loss}, {"train_loss", &C::train_loss}};
  for (const auto& [name, value] : values) {
    const Summary here = at(value, end), last = at(value, total);
    columns.emplace_back(name, here.mean), columns.emplace_back(std::string(name) + "_sd", here.sd);
    columns.emplace_back(std::string(name) + "_at_total", last.mean);
    columns.emplace_back(std::string(name) + "_at_total_sd", last.sd);
  }
  const bool known = gated(row) && !row.models.empty();
  const Growth growth = growth_of(known ? row.models : std::vector<GateCurve>{}, row.dose, s.gated_epochs);
  columns.emplace_back("growth", growth.last.mean);
  columns.emplace_back("growth_low", growth.last.low);
  columns.emplace_back("growth_high", growth.last.high);
  columns.emplace_back("falls", growth.falls);
  columns.emplace_back("largest_move", growth.largest_move);
  columns.emplace_back("log_factor", growth.log.slope);
  columns.emplace_back("log_r2", growth.log.r2);
  columns.emplace_back("line_r2", growth.line.r2);
  columns.emplace_back(
      "plain_accuracy",
      known ? plain_accuracy(rows, std::min(size.mean, static_cast<double>(row.width)), end) : kUnknown);
  return columns;
}

}  // namespace shoal
