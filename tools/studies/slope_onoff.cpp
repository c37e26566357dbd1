#include "tools/studies/slope_onoff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "analysis/summary.h"
#include "engine/removal.h"
#include "kernels/gate_integral.h"
#include "kernels/philox.h"

namespace shoal {
namespace {

constexpr double kSteps[] = {1e-3, 1e-2, 1e-1, 1.0};  // h of the difference quotients
constexpr std::int64_t kBatch = 128;
constexpr std::size_t kAtOnce = 128;  // networks: each has weights of its own in memory

/// The losses of many sub-networks of one network; each set of neurons is evaluated once, since one network
/// has one loss.
class Losses {
 public:
  Losses(const OnOffNetwork& n, const DataView& d, const OnOffTask& t) : network(n), data(d), task(t) {}

  void need(const std::vector<int>& on) { losses.emplace(on, std::nullopt); }
  /// False when stopped.
  bool evaluate() {
    std::vector<const std::vector<int>*> missing;
    for (const auto& [on, loss] : losses)
      if (!loss) missing.push_back(&on);
    for (std::size_t first = 0; first < missing.size(); first += kAtOnce) {
      const std::size_t count = std::min(kAtOnce, missing.size() - first);
      std::vector<Layers> models;
      for (std::size_t i = 0; i < count; ++i) models.push_back(with(*missing[first + i]));
      const auto scores = evaluate_models(models, data, task.task.scale, task.task.shift,
                                          LossKind::cross_entropy, task.machine, task.stop);
      if (scores.size() != count) return false;
      for (std::size_t i = 0; i < count; ++i) losses[*missing[first + i]] = scores[i].loss;
    }
    return true;
  }
  double of(const std::vector<int>& on) const { return *losses.at(on); }

 private:
  const OnOffNetwork& network;
  const DataView& data;
  const OnOffTask& task;
  std::map<std::vector<int>, std::optional<double>> losses;

  /// Without any neuron on one is left, with weights of 0 above it.
  Layers with(const std::vector<int>& on) const {
    if (!on.empty()) return keep_neurons(network.layers, on);
    const int first[] = {0};
    Layers silent = keep_neurons(network.layers, first);
    std::ranges::fill(silent.back().weight, 0.0f);
    return silent;
  }
};

Quotient quotient_of(const std::vector<double>& values, double h) {
  const Summary s = summarize(values);
  const auto zeros = std::ranges::count(values, 0.0);
  return {h, static_cast<double>(zeros) / static_cast<double>(values.size()), s.mean, s.standard_error};
}

/// sum_i d ln P(m_i) / dx0
double score_of(const std::vector<int>& on, double x0, double k, int neurons) {
  double sum = k * static_cast<double>(on.size());
  for (int i = 0; i < neurons; ++i) sum -= k * gate::logistic(k * (x0 - i));
  return sum;
}

/// The estimates (L - b) score of all draws; b: the mean loss of the other draws, so that it does not know
/// the draw's own mask and the estimate stays unbiased.
void add_scores(OnOffRow& row, const std::vector<double>& losses, const std::vector<double>& scores) {
  double sum = 0;
  for (const double loss : losses) sum += loss;
  const auto n = static_cast<double>(losses.size());
  std::vector<double> estimates, plain;
  for (std::size_t d = 0; d < losses.size(); ++d) {
    estimates.push_back((losses[d] - (sum - losses[d]) / (n - 1)) * scores[d]);
    plain.push_back(losses[d] * scores[d]);
  }
  const Summary s = summarize(estimates);
  row.score = s.mean, row.score_error = s.standard_error, row.score_sd = s.sd;
  row.plain_sd = summarize(plain).sd;
}

/// The gates in place of on and off: loss, gradient, and how the gradient varies over batches.
bool add_gates(OnOffRow& row, const OnOffNetwork& n, const DataView& data, const OnOffTask& t) {
  const auto gradient = [&](const DataView& part) {
    return gradients_by_x0({n.layers}, {row.x0}, t.k, part, t.task.scale, t.task.shift, t.machine, t.stop);
  };
  const auto whole = gradient(data);
  if (whole.empty()) return false;
  row.gate_gradient = whole.front();
  std::vector<double> batches;
  for (std::int64_t first = 0; first + kBatch <= std::min<std::int64_t>(t.task.train.count, 16 * kBatch);
       first += kBatch) {
    DataView batch = t.task.train;
    batch.count = kBatch;
    if (batch.bytes) batch.bytes += first * batch.features;
    if (batch.values) batch.values += first * batch.features;
    batch.labels += first;
    const auto of = gradient(batch);
    if (of.empty()) return false;
    batches.push_back(of.front());
  }
  row.batch_sd = summarize(batches).sd;
  const Layers folded = fold_size_gate(n.layers, row.x0, t.k);
  const auto score = evaluate_models({&folded, 1}, data, t.task.scale, t.task.shift, LossKind::cross_entropy,
                                     t.machine, t.stop);
  if (score.empty()) return false;
  row.gate_loss = score.front().loss;
  return true;
}

std::optional<OnOffRow> row_at(const OnOffNetwork& n, double x0, const OnOffTask& t) {
  OnOffRow row;
  row.seed = n.seed, row.trained = n.x0, row.x0 = x0, row.k = t.k;
  row.draws = t.draws, row.samples = std::min(t.samples, t.task.train.count);
  DataView data = t.task.train;
  data.count = row.samples;
  const int neurons = n.layers.front().outputs;
  Losses losses(n, data, t);
  const auto masks = [&](double at) {
    std::vector<std::vector<int>> found;
    for (std::int64_t d = 0; d < t.draws; ++d) found.push_back(on_neurons(at, t.k, neurons, n.seed, d));
    return found;
  };
  const auto here = masks(x0);
  for (const auto& on : here) losses.need(on);
  std::vector<std::pair<std::vector<std::vector<int>>, std::vector<std::vector<int>>>> beside;
  for (const double h : kSteps) {
    beside.emplace_back(masks(x0 - h), masks(x0 + h));
    for (const auto& on : beside.back().first) losses.need(on);
    for (const auto& on : beside.back().second) losses.need(on);
  }
  if (!losses.evaluate()) return std::nullopt;
  std::vector<double> values, scores;
  for (const auto& on : here)
    values.push_back(losses.of(on)), scores.push_back(score_of(on, x0, t.k, neurons));
  const Summary s = summarize(values);
  row.loss = s.mean, row.loss_sd = s.sd;
  for (std::size_t k = 0; k < std::size(kSteps); ++k) {
    std::vector<double> quotients;
    for (std::size_t d = 0; d < here.size(); ++d)
      quotients.push_back((losses.of(beside[k].second[d]) - losses.of(beside[k].first[d])) / (2 * kSteps[k]));
    row.quotients.push_back(quotient_of(quotients, kSteps[k]));
  }
  add_scores(row, values, scores);
  if (!add_gates(row, n, data, t)) return std::nullopt;
  return row;
}

}  // namespace

std::vector<int> on_neurons(double x0, double k, int neurons, std::uint64_t seed, std::int64_t draw) {
  std::vector<int> on;
  for (int i = 0; i < neurons; ++i) {
    const double u =
        (philox_word(seed, static_cast<std::uint64_t>(draw), static_cast<std::uint64_t>(i)) + 0.5) * 0x1p-32;
    if (u < gate::logistic(k * (x0 - i))) on.push_back(i);
  }
  return on;
}

std::vector<OnOffRow> on_off_rows(const std::vector<OnOffNetwork>& networks, const OnOffTask& t) {
  std::vector<OnOffRow> rows;
  for (const double share : {1.0, 0.5})
    for (const OnOffNetwork& n : networks) {
      std::optional<OnOffRow> row = row_at(n, share * n.x0, t);
      if (!row) return {};
      rows.push_back(std::move(*row));
    }
  return rows;
}

}  // namespace shoal
