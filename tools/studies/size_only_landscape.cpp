// The loss of a trained network as a function of x0: what a training of the size alone descends on.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/removal.h"
#include "kernels/gate_integral.h"
#include "tools/studies/gate_curves.h"
#include "tools/studies/ordering_rows.h"
#include "tools/studies/size_only_rows.h"

namespace shoal {
namespace {

DataView first_of(DataView view, std::int64_t samples) {
  view.count = std::min(view.count, samples);
  return view;
}

/// [order][network]; empty when stopped.
std::vector<std::vector<std::vector<int>>> orders_of(std::span<const Layers> networks, const CutTask& t) {
  std::vector<std::vector<std::vector<int>>> orders(kNeuronOrders);
  const auto removals =
      removals_of(networks, first_of(t.task.train, t.samples), t.task.scale, t.task.shift, t.machine, t.stop);
  if (removals.size() != networks.size()) return {};
  std::vector<OrderedModel> models(networks.size());
  for (std::size_t n = 0; n < networks.size(); ++n) {
    models[n].width = networks[n].back().inputs, models[n].layers = networks[n];
    std::vector<int> as_trained(removals[n].neurons.size());
    std::iota(as_trained.begin(), as_trained.end(), 0);
    std::vector<double> loss;
    for (const NeuronRemoval& r : removals[n].neurons) loss.push_back(r.loss);
    orders[0].push_back(std::move(as_trained));
    orders[1].push_back(descending(loss));
  }
  const PruningTask pruning{.train = t.task.train,
                            .test = t.task.test,
                            .scale = t.task.scale,
                            .shift = t.task.shift,
                            .machine = t.machine,
                            .say = {},
                            .stop = t.stop};
  orders[2] = greedy_orders(models, pruning);
  if (orders[2].size() != networks.size()) return {};
  return orders;
}

/// One network cut at every x0; empty when stopped.
CutCurve curve_of(const Layers& network, std::span<const double> x0, const CutTask& t) {
  std::vector<Layers> cut;
  for (const double at : x0) cut.push_back(fold_size_gate(network, at, 1.0));
  CutCurve curve;
  const auto scores = [&](const DataView& view) {
    return evaluate_models(cut, first_of(view, t.samples), t.task.scale, t.task.shift,
                           LossKind::cross_entropy, t.machine, t.stop);
  };
  const std::vector<GivenScore> train = scores(t.task.train), test = scores(t.task.test);
  if (train.size() != x0.size() || test.size() != x0.size()) return {};
  for (std::size_t i = 0; i < x0.size(); ++i) {
    curve.train_loss.push_back(train[i].loss);
    curve.test_accuracy.push_back(test[i].accuracy);
  }
  return curve;
}

std::vector<Summary> over_networks(const std::vector<CutCurve>& curves, std::vector<double> CutCurve::*of,
                                   std::size_t places) {
  std::vector<Summary> all;
  for (std::size_t i = 0; i < places; ++i) {
    std::vector<double> values;
    for (const CutCurve& c : curves) values.push_back((c.*of)[i]);
    all.push_back(summarize(values));
  }
  return all;
}

}  // namespace

std::string_view name_of(NeuronOrder o) {
  return o == NeuronOrder::trained ? "trained" : o == NeuronOrder::rise ? "rise" : "greedy";
}
std::string_view words_of(NeuronOrder o) {
  return o == NeuronOrder::trained ? "neurons as they are"
         : o == NeuronOrder::rise  ? "sorted by the rise of the loss"
                                   : "sorted by the rise, taken anew";
}

Landscape cut_everywhere(std::span<const Layers> networks, int steps, const CutTask& t) {
  Landscape l;
  if (networks.empty()) return l;
  const int neurons = networks.front().back().inputs;
  for (int i = 0; i <= steps; ++i) l.x0.push_back(static_cast<double>(i) * neurons / steps);
  l.orders = orders_of(networks, t);
  if (l.orders.empty()) return {};
  l.of.resize(kNeuronOrders);
  for (std::size_t order = 0; order < l.orders.size(); ++order)
    for (std::size_t n = 0; n < networks.size(); ++n) {
      CutCurve curve = curve_of(keep_neurons(networks[n], l.orders[order][n]), l.x0, t);
      if (curve.train_loss.empty()) return {};
      l.of[order].push_back(std::move(curve));
    }
  for (const std::vector<CutCurve>& curves : l.of) {
    l.loss.push_back(over_networks(curves, &CutCurve::train_loss, l.x0.size()));
    l.accuracy.push_back(over_networks(curves, &CutCurve::test_accuracy, l.x0.size()));
  }
  return l;
}

Basin basin_of(std::span<const double> x0, const CutCurve& curve, double penalty, int neurons) {
  std::vector<double> objective;
  for (std::size_t i = 0; i < x0.size(); ++i)
    objective.push_back(curve.train_loss[i] +
                        penalty * gate_integral(x0[i], 1.0, static_cast<double>(neurons)).value);
  Basin b;
  b.lowest_at = x0[static_cast<std::size_t>(std::ranges::min_element(objective) - objective.begin())];
  for (std::size_t i = 0; i < objective.size(); ++i) {
    const bool falls_before = i == 0 || objective[i - 1] > objective[i],
               rises_after = i + 1 == objective.size() || objective[i + 1] >= objective[i];
    b.minima += falls_before && rises_after;
  }
  return b;
}

double enough_for(std::span<const double> x0, const CutCurve& curve, double points) {
  std::size_t first = x0.size() - 1;
  while (first > 0 && curve.test_accuracy[first - 1] >= curve.test_accuracy.back() - points) --first;
  return x0[first];
}

std::vector<Record> landscape_records(const Landscape& l) {
  std::vector<Record> records;
  for (std::size_t order = 0; order < l.loss.size(); ++order)
    for (std::size_t i = 0; i < l.x0.size(); ++i)
      records.push_back({{"order", name_of(static_cast<NeuronOrder>(order))},
                         {"x0", l.x0[i]},
                         {"networks", l.of[order].size()},
                         {"train_loss", l.loss[order][i].mean},
                         {"train_loss_sd", l.loss[order][i].sd},
                         {"test_accuracy", l.accuracy[order][i].mean},
                         {"test_accuracy_sd", l.accuracy[order][i].sd}});
  return records;
}

}  // namespace shoal
