#include "tools/studies/plateau_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/initialize.h"
#include "tools/studies/columns.h"

namespace shoal {
namespace {

std::string_view word_of(Decay d) {
  return d == Decay::none ? "none" : d == Decay::coupled ? "coupled" : "decoupled";
}

/// A row while its models are being gathered.
struct Draft {
  PlateauRow row;
  std::vector<double> test_accuracies, train_accuracies, growths, inside, beyond, far;
  Columns epoch_sizes, outgoing, gates;
};

double mean_of(std::span<const double> values) { return summarize(values).mean; }

/// Neurons an epoch, from the epoch at three quarters to the last.
double late_growth(double start, std::span<const double> sizes) {
  const std::size_t last = sizes.size(), then = last - std::max<std::size_t>(1, last / 4);
  return (sizes[last - 1] - (then == 0 ? start : sizes[then - 1])) / static_cast<double>(last - then);
}

void add_zones(Draft& d, double x0, std::span<const double> outgoing) {
  std::vector<double> inside, beyond, far;
  for (std::size_t i = 0; i < outgoing.size(); ++i) {
    const double ahead = static_cast<double>(i) - x0;
    if (ahead <= -kEdge) inside.push_back(outgoing[i]);
    if (ahead >= kEdge && ahead < kFar) beyond.push_back(outgoing[i]);
    if (ahead >= kFar) far.push_back(outgoing[i]);
  }
  if (!inside.empty()) d.inside.push_back(mean_of(inside));
  if (!beyond.empty()) d.beyond.push_back(mean_of(beyond));
  if (!far.empty()) d.far.push_back(mean_of(far));
}

void add_model(Draft& d, const ModelSpec& spec, const ModelResult& r, TaskShape shape,
               std::vector<double> outgoing) {
  const GateResult& gate = r.gates.front();
  const double level = mean_of(outgoing_of(initial_weights(spec, shape)));
  for (double& w : outgoing) w /= level;
  d.row.sizes.push_back(gate.size),
      d.growths.push_back(late_growth(spec.gates.front().start, gate.epoch_size));
  d.test_accuracies.push_back(r.test_accuracy), d.train_accuracies.push_back(r.train_accuracy);
  d.epoch_sizes.add(gate.epoch_size), d.outgoing.add(outgoing), d.gates.add(gate.gates);
  add_zones(d, gate.size, outgoing);
}

PlateauRow finished(Draft d) {
  PlateauRow& r = d.row;
  r.models = static_cast<std::int64_t>(r.sizes.size());
  r.size = summarize(r.sizes), r.growth = mean_interval(d.growths);
  r.test_accuracy = summarize(d.test_accuracies), r.train_accuracy = summarize(d.train_accuracies);
  r.inside = summarize(d.inside), r.beyond = summarize(d.beyond), r.far = summarize(d.far);
  r.epoch_size = d.epoch_sizes.summaries(), r.outgoing = d.outgoing.summaries(), r.gate = d.gates.summaries();
  return std::move(r);
}

}  // namespace

std::vector<ModelSpec> plateau_models(const PlateauSpec& s, const ModelSpec& pattern,
                                      const std::vector<std::uint64_t>& seeds) {
  std::vector<ModelSpec> models;
  const auto add = [&](double l2, double weight_decay) {
    for (const double start : s.starts)
      for (const std::uint64_t seed : seeds) {
        ModelSpec m = pattern;
        m.hidden = {s.neurons}, m.seed = seed;
        m.optimizer.l2 = l2, m.optimizer.weight_decay = weight_decay;
        GateSpec gate;
        gate.kind = GateKind::size, gate.start = start, gate.slope = 1.0, gate.lr = 1.0;
        m.gates = {gate};
        models.push_back(m);
      }
  };
  add(0.0, 0.0);
  for (const double strength : s.coupled) add(strength, 0.0);
  for (const double strength : s.decoupled) add(0.0, strength);
  return models;
}

std::vector<double> outgoing_of(std::span<const LayerWeights> layers) {
  const LayerWeights& reader = layers.back();
  const auto neurons = static_cast<std::size_t>(reader.inputs);
  std::vector<double> sums(neurons, 0.0);
  for (std::size_t at = 0; at < reader.weight.size(); ++at)
    sums[at % neurons] += std::abs(static_cast<double>(reader.weight[at]));
  return sums;
}

std::vector<PlateauRow> plateau_rows(const RunSpec& spec, const RunResult& result, TaskShape shape,
                                     std::span<const std::vector<double>> outgoing) {
  std::vector<Draft> drafts;
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const ModelSpec& model = spec.models[m];
    const OptimizerSpec& o = model.optimizer;
    const Decay decay = o.l2 > 0 ? Decay::coupled : o.weight_decay > 0 ? Decay::decoupled : Decay::none;
    const double strength = o.l2 > 0 ? o.l2 : o.weight_decay, start = model.gates.front().start;
    auto d = std::ranges::find_if(drafts, [&](const Draft& x) {
      return x.row.decay == decay && x.row.strength == strength && x.row.start == start;
    });
    if (d == drafts.end()) {
      d = drafts.emplace(drafts.end());
      d->row.decay = decay, d->row.strength = strength, d->row.start = start;
    }
    if (result.models[m].status != ModelStatus::ok) ++d->row.diverged;
    else add_model(*d, model, result.models[m], shape, outgoing[m]);
  }
  std::vector<PlateauRow> rows;
  for (Draft& d : drafts) rows.push_back(finished(std::move(d)));
  return rows;
}

const PlateauRow* find_row(std::span<const PlateauRow> rows, Decay decay, double strength, double start) {
  for (const PlateauRow& r : rows)
    if (r.decay == decay && r.strength == strength && r.start == start && r.models > 0) return &r;
  return nullptr;
}

std::string name_of(const PlateauRow& r) {
  return r.decay == Decay::none ? "none" : fmt::format("{} {}", word_of(r.decay), r.strength);
}

std::vector<Record> plateau_records(std::span<const PlateauRow> rows) {
  std::vector<Record> records;
  for (const PlateauRow& r : rows)
    records.push_back({{"decay", word_of(r.decay)},
                       {"strength", r.strength},
                       {"start", r.start},
                       {"models", r.models},
                       {"diverged", r.diverged},
                       {"size", r.size.mean},
                       {"size_sd", r.size.sd},
                       {"late_growth", r.growth.mean},
                       {"late_growth_low", r.growth.low},
                       {"late_growth_high", r.growth.high},
                       {"outgoing_inside", r.inside.mean},
                       {"outgoing_inside_sd", r.inside.sd},
                       {"outgoing_beyond", r.beyond.mean},
                       {"outgoing_beyond_sd", r.beyond.sd},
                       {"outgoing_far", r.far.mean},
                       {"outgoing_far_sd", r.far.sd},
                       {"train_accuracy", r.train_accuracy.mean},
                       {"train_accuracy_sd", r.train_accuracy.sd},
                       {"test_accuracy", r.test_accuracy.mean},
                       {"test_accuracy_sd", r.test_accuracy.sd}});
  return records;
}

std::vector<Record> plateau_neuron_records(std::span<const PlateauRow> rows) {
  std::vector<Record> records;
  for (const PlateauRow& r : rows)
    for (std::size_t i = 0; i < r.outgoing.size(); ++i)
      records.push_back({{"decay", word_of(r.decay)},
                         {"strength", r.strength},
                         {"start", r.start},
                         {"neuron", i},
                         {"gate", r.gate[i].mean},
                         {"outgoing", r.outgoing[i].mean},
                         {"outgoing_sd", r.outgoing[i].sd}});
  return records;
}

}  // namespace shoal
