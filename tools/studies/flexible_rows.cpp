#include "tools/studies/flexible_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "kernels/gate_integral.h"
#include "tools/studies/at_width.h"
#include "tools/studies/columns.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

GateSpec size_gate(double start, double penalty, SizePenalty kind) {
  GateSpec gate;
  gate.kind = GateKind::size, gate.size_penalty = kind;
  gate.start = start, gate.penalty = penalty;
  gate.slope = 1.0, gate.lr = 1.0;
  return gate;
}

/// A row while its models are being gathered.
struct Draft {
  FlexibleRow row;
  std::vector<double> losses;
  Columns epoch_sizes, layer_sizes;
};

using Key = std::tuple<FlexibleRow::Kind, int, int, double, double, double>;

Key key_of(const ModelSpec& m) {
  const int width = m.hidden.front(), depth = static_cast<int>(m.hidden.size());
  if (m.gates.empty()) return {FlexibleRow::Kind::fixed, width, depth, kUnknown, kUnknown, m.optimizer.l2};
  const GateSpec& g = m.gates.front();
  const auto kind = depth > 1                              ? FlexibleRow::Kind::deep
                    : g.size_penalty == SizePenalty::start ? FlexibleRow::Kind::start_penalty
                                                           : FlexibleRow::Kind::gated;
  return {kind, width, depth, g.start, g.penalty, m.optimizer.l2};
}

/// NaN is not equal to itself, so keys of plain networks are compared without it.
bool same(const FlexibleRow& row, const Key& key) {
  const auto& [kind, width, depth, start, penalty, l2] = key;
  if (row.kind != kind || row.width != width || row.depth != depth || row.l2 != l2) return false;
  return kind == FlexibleRow::Kind::fixed || (row.start == start && row.penalty == penalty);
}

/// Whether the formulas as first written down give numbers at (x0, k), in float as the journal's code ran.
bool naive_works(double x0, double k, int n) {
  const auto s = naive_gate_integral(static_cast<float>(x0), static_cast<float>(k), static_cast<float>(n));
  return std::isfinite(s.value) && std::isfinite(s.by_x0) && std::isfinite(s.by_k);
}

void add_sizes(Draft& d, const ModelSpec& spec, std::span<const GateResult> gates) {
  std::vector<double> by_layer;
  std::vector<double> by_epoch(gates.front().epoch_size.size(), 0.0);

  for (std::size_t l = 0; l < gates.size(); ++l) {
    by_layer.push_back(gates[l].size);
    for (std::size_t e = 0; e < by_epoch.size(); ++e) by_epoch[e] += gates[l].epoch_size[e];
    std::vector<double> visited{spec.gates[l].start};
    visited.insert(visited.end(), gates[l].epoch_size.begin(), gates[l].epoch_size.end());
    for (const double x0 : visited) {
      ++d.row.naive_checks;
      d.row.naive_failures += !naive_works(x0, spec.gates[l].slope, spec.hidden[l]);
    }
  }
  d.row.sizes.push_back(std::accumulate(by_layer.begin(), by_layer.end(), 0.0));
  d.layer_sizes.add(by_layer), d.epoch_sizes.add(by_epoch);
}

FlexibleRow finished(Draft d) {
  FlexibleRow& r = d.row;
  r.models = static_cast<std::int64_t>(r.test_accuracies.size());
  r.size = summarize(r.sizes);
  r.train_accuracy = summarize(r.train_accuracies), r.test_accuracy = summarize(r.test_accuracies);
  r.train_loss = summarize(d.losses);
  r.epoch_size = d.epoch_sizes.summaries();
  if (r.kind == FlexibleRow::Kind::deep) r.layer_sizes = d.layer_sizes.summaries();
  return std::move(r);
}

template <class Belongs>
std::vector<FlexibleRow> gated_rows(const std::vector<FlexibleRow>& rows, double FlexibleRow::*order,
                                    Belongs belongs) {
  std::vector<FlexibleRow> found;
  for (const FlexibleRow& r : rows)
    if (r.kind == FlexibleRow::Kind::gated && r.models > 0 && belongs(r)) found.push_back(r);
  std::sort(found.begin(), found.end(),
            [order](const FlexibleRow& a, const FlexibleRow& b) { return a.*order < b.*order; });
  return found;
}

}  // namespace

std::vector<ModelSpec> flexible_models(const FlexibleSpec& s, const ModelSpec& pattern,
                                       const std::vector<std::uint64_t>& seeds) {
  std::vector<ModelSpec> models;
  const auto add = [&](int width, double l2, const GateSpec* gate, int depth = 1) {
    for (const std::uint64_t seed : seeds) {
      ModelSpec m = pattern;
      m.hidden.assign(static_cast<std::size_t>(depth), width), m.seed = seed, m.optimizer.l2 = l2;
      if (gate) m.gates.assign(static_cast<std::size_t>(depth), *gate);
      const auto equal = [&](const ModelSpec& other) {
        return other.hidden == m.hidden && other.seed == m.seed && other.optimizer.l2 == l2 &&
               other.gates == m.gates;
      };
      if (std::none_of(models.begin(), models.end(), equal)) models.push_back(m);
    }
  };
  for (const double l2 : {0.0, s.l2}) {
    std::vector<double> starts = s.starts;
    starts.push_back(kIgnoredStart);
    for (const double start : starts) {
      const GateSpec gate = size_gate(start, s.start_penalty, SizePenalty::integral);
      add(s.neurons, l2, &gate);
    }
    for (const double penalty : s.penalties) {
      const GateSpec gate = size_gate(s.neurons / 2.0, penalty, SizePenalty::integral);
      add(s.neurons, l2, &gate);
    }
    for (const int width : s.fixed) add(width, l2, nullptr);
    const GateSpec gate = size_gate(kDeepStart, s.start_penalty, SizePenalty::integral);
    for (const int depth : s.depths) add(s.neurons, l2, &gate, depth);
  }
  for (const double penalty : s.start_rates) {
    const GateSpec gate = size_gate(s.neurons / 2.0, penalty, SizePenalty::start);
    add(s.neurons, 0.0, &gate);
  }
  return models;
}

std::vector<FlexibleRow> flexible_rows(const RunSpec& spec, const RunResult& result) {
  std::vector<Draft> drafts;
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const ModelSpec& model = spec.models[m];
    const ModelResult& r = result.models[m];
    const Key key = key_of(model);
    auto d = std::find_if(drafts.begin(), drafts.end(), [&](const Draft& x) { return same(x.row, key); });
    if (d == drafts.end()) {
      d = drafts.emplace(drafts.end());
      std::tie(d->row.kind, d->row.width, d->row.depth, d->row.start, d->row.penalty, d->row.l2) = key;
    }
    if (r.status != ModelStatus::ok) {
      ++d->row.diverged;
      continue;
    }
    d->row.train_accuracies.push_back(r.train_accuracy), d->row.test_accuracies.push_back(r.test_accuracy);
    d->losses.push_back(r.train_loss);
    if (!model.gates.empty()) add_sizes(*d, model, r.gates);
  }
  std::vector<FlexibleRow> rows;
  for (Draft& d : drafts) rows.push_back(finished(std::move(d)));
  return rows;
}

double open_neurons(const FlexibleRow& r) { return std::min(r.size.mean, static_cast<double>(r.width)); }

double fixed_accuracy(const std::vector<FlexibleRow>& rows, double l2, double size,
                      Summary FlexibleRow::*accuracy) {
  std::map<double, double> by_width;
  for (const FlexibleRow& r : rows)
    if (r.kind == FlexibleRow::Kind::fixed && r.l2 == l2 && r.models > 0)
      by_width[r.width] = (r.*accuracy).mean;
  return at_width(by_width, size);
}

double best_fixed(const std::vector<FlexibleRow>& rows, double l2) {
  double best = kUnknown;
  for (const FlexibleRow& r : rows)
    if (r.kind == FlexibleRow::Kind::fixed && r.l2 == l2 && r.models > 0 && !(r.test_accuracy.mean <= best))
      best = r.test_accuracy.mean;
  return best;
}

std::vector<FlexibleRow> by_start(const std::vector<FlexibleRow>& rows, double penalty, double l2) {
  return gated_rows(rows, &FlexibleRow::start,
                    [=](const FlexibleRow& r) { return r.penalty == penalty && r.l2 == l2; });
}

std::vector<FlexibleRow> by_penalty(const std::vector<FlexibleRow>& rows, double start, double l2) {
  return gated_rows(rows, &FlexibleRow::penalty,
                    [=](const FlexibleRow& r) { return r.start == start && r.l2 == l2; });
}

std::vector<FlexibleRow> by_depth(const std::vector<FlexibleRow>& rows, double l2) {
  std::vector<FlexibleRow> found;
  for (const FlexibleRow& r : rows)
    if (r.kind == FlexibleRow::Kind::deep && r.models > 0 && r.l2 == l2) found.push_back(r);
  std::ranges::sort(found, {}, &FlexibleRow::depth);
  return found;
}

std::string_view name_of(FlexibleRow::Kind kind) {
  switch (kind) {
    case FlexibleRow::Kind::fixed: return "fixed";
    case FlexibleRow::Kind::gated: return "gated";
    case FlexibleRow::Kind::start_penalty: return "gated, penalty x0";
    case FlexibleRow::Kind::deep: return "gated, several layers";
  }
  return "?";
}

std::vector<std::pair<std::string, double>> flexible_columns(const FlexibleRow& r) {
  const bool gated = r.kind != FlexibleRow::Kind::fixed;
  const auto layer = [&](std::size_t l) {
    return l < r.layer_sizes.size() ? r.layer_sizes[l].mean : kUnknown;
  };
  return {{"width", r.width},
          {"layers", r.depth},
          {"start", r.start},
          {"penalty", r.penalty},
          {"l2", r.l2},
          {"models", static_cast<double>(r.models)},
          {"diverged", static_cast<double>(r.diverged)},
          {"size", gated ? r.size.mean : r.width},
          {"size_sd", gated ? r.size.sd : kUnknown},
          {"size_layer_1", layer(0)},
          {"size_layer_2", layer(1)},
          {"size_layer_3", layer(2)},
          {"size_layer_4", layer(3)},
          {"train_accuracy", r.train_accuracy.mean},
          {"train_accuracy_sd", r.train_accuracy.sd},
          {"test_accuracy", r.test_accuracy.mean},
          {"test_accuracy_sd", r.test_accuracy.sd},
          {"train_loss", r.train_loss.mean},
          {"naive_not_finite", gated ? static_cast<double>(r.naive_failures) : kUnknown},
          {"naive_checked", gated ? static_cast<double>(r.naive_checks) : kUnknown}};
}

}  // namespace shoal
