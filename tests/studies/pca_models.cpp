// Networks that keep k components against projecting the activations by hand; the numbers of a row; the
// verdict on made-up results.
#include "tools/studies/pca_models.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "engine/initialize.h"
#include "kernels/lapack.h"
#include "tests/engine/small_task.h"
#include "tools/studies/pca_figures.h"
#include "tools/studies/pca_rows.h"

using namespace shoal;

namespace {

using Row = std::vector<double>;

bool without_lapack() {
  if (lapack::why_not().empty()) return false;
  MESSAGE("skipped: " << lapack::why_not());
  return true;
}

Row layer(const LayerWeights& l, const Row& x) {
  Row z;
  for (int n = 0; n < l.outputs; ++n) {
    double sum = l.bias[static_cast<std::size_t>(n)];
    for (int k = 0; k < l.inputs; ++k)
      sum += static_cast<double>(l.weight[static_cast<std::size_t>(n * l.inputs + k)]) *
             x[static_cast<std::size_t>(k)];
    z.push_back(sum);
  }
  return z;
}

Row relu(Row z) {
  for (double& v : z) v = std::max(v, 0.0);
  return z;
}

/// What k directions keep of a row, by the definition.
Row keep(const Row& x, const Pca& p, int k, bool columns, bool centre) {
  const std::size_t d = x.size();
  Row out(d);
  if (centre) out = p.mean;
  for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
    const auto v = [&](std::size_t j) { return columns ? p.components[j * d + i] : p.components[i * d + j]; };
    double score = 0;
    for (std::size_t j = 0; j < d; ++j) score += v(j) * (x[j] - (centre ? p.mean[j] : 0.0));
    for (std::size_t j = 0; j < d; ++j) out[j] += score * v(j);
  }
  return out;
}

/// Sizes of everything that is added up into an output: what rounding to float is proportional to.
Row magnitude(const Layers& layers, const Row& x) {
  Layers sizes = layers;
  for (LayerWeights& l : sizes) {
    for (float& w : l.weight) w = std::abs(w);
    for (float& b : l.bias) b = std::abs(b);
  }
  Row size = x;
  for (double& v : size) v = std::abs(v);
  return layer(sizes[1], layer(sizes[0], size));
}

TEST_CASE("a network that keeps k components is the one whose activations are projected by hand") {
  if (without_lapack()) return;
  const test::SmallTask small = test::small_task(200, 60, 20, 4);
  const Task& task = small.task;
  const Layers layers = initial_weights(test::model({17}), task.shape);
  const Calculator calculator({.threads = 1});
  for (const Kept kept : {Kept::before_relu, Kept::after_relu, Kept::before_relu_journal}) {
    const LastLayer side = kept == Kept::after_relu ? LastLayer::relu : LastLayer::linear;
    const std::vector<float> activations =
        outputs_of(std::span(layers).first(1), side, task.train, task.scale, task.shift);
    const Pca p = pca(calculator, MatrixView<float>{activations.data(), task.train.count, 17, 17});
    for (const int k : {0, 1, 5, 17}) {
      CAPTURE(std::string(name_of(kept)));
      CAPTURE(k);
      const Layers model = keep_components(calculator, layers, p, k, kept);
      const std::vector<float> found = logits(model, task.test, task.scale, task.shift);
      double worst = 0.0;
      std::int64_t correct = 0;
      for (std::int64_t s = 0; s < task.test.count; ++s) {
        Row x;
        for (int f = 0; f < 20; ++f)
          x.push_back(static_cast<double>(task.test.bytes[s * 20 + f]) * task.scale + task.shift);
        Row z = layer(layers[0], x);
        if (kept == Kept::after_relu) z = keep(relu(z), p, k, false, true);
        else z = relu(keep(z, p, k, kept == Kept::before_relu_journal, kept == Kept::before_relu));
        const Row y = layer(layers[1], z), size = magnitude(model, x);
        for (std::size_t c = 0; c < 4; ++c) {
          const double bound = (20 + 17 + 8) * 0x1p-24 * (size[c] + 1);
          const double off = std::abs(found[static_cast<std::size_t>(s) * 4 + c] - y[c]) / bound;
          if (!(off <= worst)) worst = off;
        }
        correct += std::max_element(y.begin(), y.end()) - y.begin() == task.test.labels[s];
      }
      CHECK(worst <= 1.0);
      const std::vector<Layers> models = {model};
      const auto score = evaluate_models(models, task.test, task.scale, task.shift, LossKind::cross_entropy);
      CHECK(score[0].accuracy == doctest::Approx(static_cast<double>(correct) / 60).epsilon(0.02));
    }
  }
}

TEST_CASE("all components before the ReLU leave the network as it was") {
  if (without_lapack()) return;
  const test::SmallTask small = test::small_task();
  const Layers layers = initial_weights(test::model({30}), small.task.shape);
  const Calculator calculator({.threads = 2});
  const PcaTask task{small.task, LossKind::cross_entropy, {.threads = 2}, true, {}};
  const PcaRow row = measure_row(calculator, task, layers);
  const std::vector<Layers> models = {layers};
  const double accuracy =
      evaluate_models(models, small.task.test, small.task.scale, small.task.shift, LossKind::cross_entropy)[0]
          .accuracy;
  REQUIRE(row.curves.size() == 3);
  for (const KeptCurve& curve : row.curves) {
    CHECK(curve.scores.back().k == 30);
    CHECK(curve.scores.back().test.accuracy == doctest::Approx(accuracy).epsilon(0.03));
  }
  CHECK(row.before.pca.rank <= 20);  // of 20 inputs
  CHECK(row.before.pca.components.empty());
  CHECK(row.before.journal.mse[0] == doctest::Approx(row.before.pca.reconstruction_mse[0]).epsilon(1e-12));
}

TEST_CASE("kept_counts ascends from 1 to the width, in half octaves and tenths") {
  CHECK(kept_counts(1) == std::vector<int>{1});
  CHECK(kept_counts(8) == std::vector<int>{1, 2, 4, 5, 8});
  for (const int width : {20, 64, 100, 2048}) {
    const std::vector<int> counts = kept_counts(width);
    CHECK(std::is_sorted(counts.begin(), counts.end()));
    CHECK(std::adjacent_find(counts.begin(), counts.end()) == counts.end());
    CHECK(counts.front() == 1);
    CHECK(counts.back() == width);
    CHECK(std::binary_search(counts.begin(), counts.end(), width / 2));
  }
}

/// A row of `width` with given shares of variance before the ReLU, and straight lines in the journal's way.
PcaRow made_up_row(int width, double decay, double journal_bend) {
  PcaRow row;
  row.width = width, row.test_accuracy = 0.97;
  double total = 0;
  for (int i = 0; i < width; ++i) total += std::pow(decay, i);
  for (PcaSide* side : {&row.before, &row.after}) {
    double left = 1.0;
    for (int i = 0; i <= width; ++i) {
      side->pca.reconstruction_mse.push_back(std::max(0.0, left));
      const double k = static_cast<double>(i) / width;
      side->journal.mse.push_back(1 - k + journal_bend * k * (1 - k));
      if (i == width) break;
      side->pca.explained_variance.push_back(std::pow(decay, i));
      side->pca.explained_variance_ratio.push_back(std::pow(decay, i) / total);
      left -= std::pow(decay, i) / total;
    }
  }
  for (const Kept kept : {Kept::before_relu, Kept::before_relu_journal, Kept::after_relu}) {
    KeptCurve curve{kept, {}};
    for (const int k : kept_counts(width))
      curve.scores.push_back({k, {}, {0.0, kept == Kept::before_relu_journal ? 0.97 * k / width : 0.97}});
    row.curves.push_back(curve);
  }
  return row;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST_CASE("the verdict follows the numbers") {
  PcaResults steep;
  steep.inputs.features = 100, steep.inputs.pca.rank = 60;
  steep.rows = {made_up_row(32, 0.5, 0.05), made_up_row(128, 0.5, 0.05)};
  const std::vector<std::string> said = verdict(steep);
  REQUIRE(said.size() == 5);
  CHECK(contains(said[0], "component 60"));
  CHECK(contains(said[1], "an artefact"));
  CHECK(contains(said[2], "equally important\": no"));
  CHECK(contains(said[3], "an artefact"));
  CHECK(contains(said[3], "takes 1 component before"));

  PcaResults flat = steep;
  flat.rows = {made_up_row(32, 0.999, 0.6), made_up_row(40, 0.999, 0.6)};
  flat.rows[1].curves[0].scores = flat.rows[1].curves[1].scores;
  const std::vector<std::string> other = verdict(flat);
  CHECK(contains(other[0], "No layer here is wider"));
  CHECK(contains(other[1], "not what is seen"));
  CHECK(contains(other[2], "nearly"));
  CHECK(contains(other[3], "not settled"));
  CHECK(verdict({}).size() == 1);
  CHECK(components_for(steep.rows[0].before.pca, 0.5) == 1);
  CHECK(components_for(steep.rows[0].before.pca, 0.8) == 3);
  CHECK(kept_for(steep.rows[1].curves[1], 0.5) == 76);
  CHECK(kept_for(steep.rows[1].curves[1], 0.99) == 0);
}

TEST_CASE("the PCA study's figures: one curve a width, the inputs' rank marked") {
  PcaResults r;
  r.inputs.features = 100, r.inputs.pca.rank = 60;
  r.rows = {made_up_row(32, 0.9, 0.05), made_up_row(128, 0.9, 0.05)};
  const std::vector<Figure> figures = pca_figures(r, "made up");
  REQUIRE(figures.size() == 4);
  CHECK(figures[0].name == "pca-spectrum");
  REQUIRE(figures[0].panels[0].series.size() == 3);
  CHECK(figures[0].panels[0].series[2].x == std::vector<double>{60, 60});
  CHECK(figures[0].panels[0].series[2].name == "rank of the inputs: 60");
  CHECK(figures[1].panels[1].series[1].y[64] == doctest::Approx(r.rows[1].before.journal.mse[64]));
  CHECK(figures[2].name == "pca-accuracy");
  for (PcaRow& row : r.rows) row.curves.clear();
  CHECK(pca_figures(r, "made up").size() == 3);
  CHECK(pca_figures({}, "").empty());
}

}  // namespace
