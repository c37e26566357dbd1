#include "tools/studies/ordering_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "analysis/rank.h"

namespace shoal {
namespace {

std::size_t at(Measure m) { return static_cast<std::size_t>(m); }

/// Norm of order 1 or 2 of numbers at a distance.
double norm(const float* values, int count, int stride, int order) {
  double sum = 0.0;
  for (int i = 0; i < count; ++i) {
    const double v = std::abs(static_cast<double>(values[static_cast<std::ptrdiff_t>(i) * stride]));
    sum += order == 1 ? v : v * v;
  }
  return order == 1 ? sum : std::sqrt(sum);
}

int quarter(int width) { return std::max(1, width / 4); }

std::vector<const OrderedModel*> of_width(std::span<const OrderedModel> models, int width) {
  std::vector<const OrderedModel*> chosen;
  for (const OrderedModel& m : models)
    if (m.width == width) chosen.push_back(&m);
  return chosen;
}

/// A network's part of a resample of all networks' neurons.
RankCodes taken(const RankCodes& codes, std::span<const std::int32_t> chosen, std::int32_t first) {
  RankCodes some{{}, codes.levels, codes.ordered};
  if (!codes.ordered) return some;
  for (const std::int32_t i : chosen) some.code.push_back(codes.code[static_cast<std::size_t>(i - first)]);
  return some;
}

using Correlation = double (*)(const RankCodes&, const RankCodes&);

/// The mean over networks of the correlation within each; the neurons of all of them are resampled.
Bootstrap bootstrap_within(const Calculator& calculator, std::span<const OrderedModel* const> models,
                           Measure proxy, Correlation correlation, int width) {
  std::vector<RankCodes> x, y;
  for (const OrderedModel* m : models) {
    x.push_back(rank_codes(m->scores.back().of[at(proxy)]));
    y.push_back(rank_codes(m->scores.back().of[at(Measure::exact)]));
  }
  const auto mean = [&](std::span<const std::int32_t> chosen) {
    std::vector<std::vector<std::int32_t>> parts(models.size());
    for (const std::int32_t i : chosen) parts[static_cast<std::size_t>(i / width)].push_back(i);
    double sum = 0.0;
    for (std::size_t m = 0; m < models.size(); ++m) {
      const auto first = static_cast<std::int32_t>(m) * width;
      sum += correlation(taken(x[m], parts[m], first), taken(y[m], parts[m], first));
    }
    return sum / static_cast<double>(models.size());
  };
  return bootstrap(calculator, static_cast<std::int64_t>(models.size()) * width, mean, {.replicates = 1000});
}

Agreement agreement_of(const Calculator& calculator, std::span<const OrderedModel* const> models,
                       Measure proxy) {
  const int width = models.front()->width;
  Agreement a{width, static_cast<int>(models.size()), proxy, {}, {}, {}, {}, 0.0};
  std::vector<double> rho, tau;
  for (const OrderedModel* m : models) {
    const std::vector<std::vector<double>>& of = m->scores.back().of;
    rho.push_back(spearman(of[at(proxy)], of[at(Measure::exact)]));
    tau.push_back(kendall_tau_b(of[at(proxy)], of[at(Measure::exact)]));
    a.top_quarter += overlap(descending(of[at(Measure::exact)]), descending(of[at(proxy)]), quarter(width)) /
                     static_cast<double>(models.size());
  }
  a.spearman_seeds = summarize(rho), a.kendall_seeds = summarize(tau);
  a.spearman = bootstrap_within(calculator, models, proxy, &spearman, width);
  a.kendall = bootstrap_within(calculator, models, proxy, &kendall_tau_b, width);
  return a;
}

Movement movement_of(std::span<const OrderedModel* const> models, Measure measure, std::size_t from,
                     std::size_t to) {
  std::vector<double> moved, rho, same;
  for (const OrderedModel* m : models) {
    const std::vector<double>&a = m->scores[from].of[at(measure)], &b = m->scores[to].of[at(measure)];
    const std::vector<double> ranks_a = midranks(a), ranks_b = midranks(b);
    double sum = 0.0;
    for (std::size_t n = 0; n < a.size(); ++n) sum += std::abs(ranks_a[n] - ranks_b[n]);
    const auto width = static_cast<double>(a.size());
    moved.push_back(sum / (width * width));
    rho.push_back(spearman(a, b));
    same.push_back(overlap(descending(a), descending(b), quarter(m->width)));
  }
  return {models.front()->width, measure, 0, 0, summarize(moved), summarize(rho), summarize(same)};
}

std::set<int> widths_of(std::span<const OrderedModel> models) {
  std::set<int> widths;
  for (const OrderedModel& m : models) widths.insert(m.width);
  return widths;
}

}  // namespace

std::string_view name_of(Measure m) {
  constexpr std::string_view kNames[] = {"exact",    "sd",       "mean",   "l1-in",
                                         "l2-in",    "l1-out",   "l2-out", "gate-gradient",
                                         "taylor-1", "taylor-2", "fisher"};
  return kNames[at(m)];
}

std::string_view words_of(Measure m) {
  constexpr std::string_view kWords[] = {"exact rise of the loss",
                                         "sd of the output",
                                         "mean output",
                                         "L1 norm, incoming weights",
                                         "L2 norm, incoming weights",
                                         "L1 norm, outgoing weights",
                                         "L2 norm, outgoing weights",
                                         "gate gradient without sign",
                                         "Taylor, first order",
                                         "Taylor, second order",
                                         "empirical Fisher"};
  return kWords[at(m)];
}

NeuronScores scores_of(const Layers& layers, const ModelRemoval& removal) {
  NeuronScores scores{removal.loss, removal.accuracy, std::vector<std::vector<double>>(kMeasures), {}};
  const LayerWeights &hidden = layers[layers.size() - 2], &last = layers.back();
  const auto put = [&](Measure m, double value) { scores.of[at(m)].push_back(value); };
  for (int n = 0; n < hidden.outputs; ++n) {
    const NeuronRemoval& r = removal.neurons[static_cast<std::size_t>(n)];
    const float *in = hidden.weight.data() + static_cast<std::ptrdiff_t>(n) * hidden.inputs,
                *out = last.weight.data() + n;
    put(Measure::exact, r.loss - removal.loss);
    put(Measure::sd, std::sqrt(variance(r.activation)));
    put(Measure::mean, r.activation.mean);
    put(Measure::l1_in, norm(in, hidden.inputs, 1, 1));
    put(Measure::l2_in, norm(in, hidden.inputs, 1, 2));
    put(Measure::l1_out, norm(out, last.outputs, last.inputs, 1));
    put(Measure::l2_out, norm(out, last.outputs, last.inputs, 2));
    put(Measure::gate_gradient, std::abs(r.slope));
    put(Measure::taylor1, -r.slope);
    put(Measure::taylor2, -r.slope + 0.5 * r.curvature);
    put(Measure::fisher, r.fisher);
    scores.accuracy_without.push_back(r.accuracy);
  }
  return scores;
}

std::vector<int> descending(std::span<const double> values) {
  std::vector<int> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](int i) {
    const double v = values[static_cast<std::size_t>(i)];
    return std::isnan(v) ? -HUGE_VAL : v;
  };
  std::ranges::stable_sort(order, [&](int a, int b) { return key(a) > key(b); });
  return order;
}

double overlap(std::span<const int> a, std::span<const int> b, int k) {
  const auto count = static_cast<std::size_t>(k);
  const std::set<int> first(a.begin(), a.begin() + k);
  return static_cast<double>(
             std::ranges::count_if(b.first(count), [&](int n) { return first.contains(n); })) /
         static_cast<double>(k);
}

std::vector<Agreement> agreements_of(const Calculator& calculator, std::span<const OrderedModel> models) {
  std::vector<Agreement> agreements;
  for (const int width : widths_of(models))
    for (int proxy = 1; proxy < kMeasures; ++proxy)
      agreements.push_back(agreement_of(calculator, of_width(models, width), measure_of(proxy)));
  return agreements;
}

std::vector<Removability> removability_of(std::span<const OrderedModel> models) {
  std::vector<Removability> all;
  for (const int width : widths_of(models)) {
    double helped = 0.0, neurons = 0.0, slope = 0.0, bend = 0.0;
    for (const OrderedModel* m : of_width(models, width))
      for (std::size_t n = 0; n < static_cast<std::size_t>(width); ++n) {
        const std::vector<std::vector<double>>& of = m->scores.back().of;
        neurons += 1.0, helped += of[at(Measure::exact)][n] < 0.0;
        slope += of[at(Measure::gate_gradient)][n];
        bend += of[at(Measure::taylor2)][n] - of[at(Measure::taylor1)][n];
      }
    all.push_back({width, helped / neurons, slope + bend > 0.0 ? slope / (slope + bend) : 0.0});
  }
  return all;
}

std::vector<Movement> movements_of(std::span<const OrderedModel> models, std::span<const int> epochs) {
  std::vector<Movement> movements;
  const std::size_t last = epochs.size() - 1;
  for (const int width : widths_of(models))
    for (int measure = 0; measure < kMeasures; ++measure)
      for (std::size_t from = 0; from < last; ++from) {
        // To the next checkpoint, and to the last.
        for (const std::size_t to : std::set<std::size_t>{from + 1, last}) {
          movements.push_back(movement_of(of_width(models, width), measure_of(measure), from, to));
          movements.back().from = epochs[from], movements.back().to = epochs[to];
        }
      }
  return movements;
}

}  // namespace shoal
