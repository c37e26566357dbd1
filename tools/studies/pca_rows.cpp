#include "tools/studies/pca_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tools/signals.h"

namespace shoal {
namespace {

void say(const PcaTask& t, const std::string& what) {
  if (t.say) t.say(what);
}

PcaSide measure_side(const Calculator& calculator, const PcaTask& t, const Layers& layers, bool before_relu) {
  const std::vector<float> activations =
      outputs_of(std::span(layers).first(1), before_relu ? LastLayer::linear : LastLayer::relu, t.task.train,
                 t.task.scale, t.task.shift, t.machine);
  const int width = layers.front().outputs;
  const MatrixView<float> x{activations.data(), t.task.train.count, width, width};
  PcaSide side{before_relu, pca(calculator, x), {}};
  if (side.pca.samples >= width)
    side.journal = reconstruct(calculator, x, side.pca, PcaProcedure::journal_columns);
  return side;
}

KeptCurve measure_curve(const Calculator& calculator, const PcaTask& t, const Layers& layers, const Pca& p,
                        Kept kept) {
  KeptCurve curve{kept, {}};
  std::vector<Layers> models;
  for (const int k : kept_counts(layers.front().outputs)) {
    if (k > static_cast<int>(p.explained_variance.size())) break;
    curve.scores.push_back({k, {}, {}});
    models.push_back(keep_components(calculator, layers, p, k, kept));
  }
  const auto scores = [&](const DataView& data) {
    return evaluate_models(models, data, t.task.scale, t.task.shift, t.loss, t.machine, &stop_requested());
  };
  const std::vector<GivenScore> train = scores(t.task.train), test = scores(t.task.test);
  if (train.size() != models.size() || test.size() != models.size()) return {kept, {}};  // stopped
  for (std::size_t i = 0; i < models.size(); ++i)
    curve.scores[i].train = train[i], curve.scores[i].test = test[i];
  return curve;
}

}  // namespace

InputSpectrum measure_inputs(const Calculator& calculator, const PcaTask& t) {
  say(t, "PCA of the inputs");
  const DataView& data = t.task.train;
  const auto count = static_cast<std::size_t>(data.count) * static_cast<std::size_t>(data.features);
  std::vector<float> values;
  if (data.bytes) values.assign(data.bytes, data.bytes + count);
  const MatrixView<float> x{data.bytes ? values.data() : data.values, data.count, data.features,
                            data.features};
  return {data.features, pca(calculator, x, {.components = false, .reconstruction = false})};
}

PcaRow measure_row(const Calculator& calculator, const PcaTask& t, const Layers& layers) {
  PcaRow row;
  row.width = layers.front().outputs;
  for (const bool before : {true, false}) {
    if (stop_requested()) return row;
    say(t, fmt::format("width {}: PCA {} the ReLU", row.width, before ? "before" : "after"));
    PcaSide& side = before ? row.before : row.after;
    side = measure_side(calculator, t, layers, before);
    for (const Kept kept : {Kept::before_relu, Kept::before_relu_journal, Kept::after_relu}) {
      if (!t.accuracies || stop_requested() || (kept != Kept::after_relu) != before) continue;
      if (kept == Kept::before_relu_journal && side.journal.mse.empty()) continue;
      say(t, fmt::format("width {}: accuracy with k components kept, {}", row.width, name_of(kept)));
      row.curves.push_back(measure_curve(calculator, t, layers, side.pca, kept));
    }
    side.pca.components.clear();
    side.pca.components.shrink_to_fit();
  }
  return row;
}

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Operations of a PCA with reconstructions: the Gram matrix, its eigenvectors (about 9 n^3 in all at a third
/// of the rate), and scores for each reconstruction.
double pca_work(double samples, double width, int reconstructions) {
  return samples * width * width * (1 + 2 * reconstructions) + 27 * width * width * width;
}

/// Made-up numbers between -1 and 1.
std::vector<float> made_up(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] =
        static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(i) * 2654435761u)) * 0x1p-31f;
  return values;
}

}  // namespace

double estimate_seconds(const PcaTask& t, std::span<const int> widths) {
  constexpr int kRows = 4096, kWidth = 512;
  const DataView& train = t.task.train;
  const Calculator calculator(t.machine);
  const std::vector<float> values = made_up(std::size_t{kRows} * kWidth);
  const double pca_rate = pca_work(kRows, kWidth, 1) / seconds_of([&] {
                            pca(calculator, MatrixView<float>{values.data(), kRows, kWidth, kWidth});
                          });
  DataView part = train;
  part.count = std::min<std::int64_t>(train.count, kRows);
  const auto features = static_cast<std::size_t>(train.features),
             classes = static_cast<std::size_t>(t.task.shape.classes);
  const Layers layers = {{train.features, kWidth, made_up(features * kWidth), made_up(kWidth)},
                         {kWidth, t.task.shape.classes, made_up(classes * kWidth), made_up(classes)}};
  const std::vector<Layers> models(8, layers);
  const auto work_of = [&](double width, double samples) {
    return 2 * width * samples * static_cast<double>(features + classes);
  };
  const double rate =
      static_cast<double>(models.size()) * work_of(kWidth, static_cast<double>(part.count)) /
      seconds_of([&] { evaluate_models(models, part, t.task.scale, t.task.shift, t.loss, t.machine); });
  const auto samples = static_cast<double>(train.count);
  double seconds = pca_work(samples, train.features, 0) / pca_rate;
  for (const int width : widths) {
    seconds += 2 * pca_work(samples, width, 2) / pca_rate;
    if (t.accuracies)
      seconds += 3 * static_cast<double>(kept_counts(width).size()) *
                 work_of(width, samples + static_cast<double>(t.task.test.count)) / rate;
  }
  return seconds;
}

int components_for(const Pca& p, double share) {
  double sum = 0.0;
  for (std::size_t i = 0; i < p.explained_variance_ratio.size(); ++i) {
    sum += p.explained_variance_ratio[i];
    if (sum >= share) return static_cast<int>(i) + 1;
  }
  return static_cast<int>(p.explained_variance_ratio.size());
}

int kept_for(const KeptCurve& curve, double accuracy) {
  for (const KeptScore& s : curve.scores)
    if (s.test.accuracy >= accuracy) return s.k;
  return 0;
}

const KeptCurve* curve_of(const PcaRow& row, Kept kept) {
  for (const KeptCurve& c : row.curves)
    if (c.kept == kept && !c.scores.empty()) return &c;
  return nullptr;
}

}  // namespace shoal
