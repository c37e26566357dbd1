// The conjecture study's choice, noise, answers and verdict, on results made by hand.
#include "tools/studies/conjecture_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/conjecture_data.h"
#include "tools/studies/conjecture_figures.h"

namespace {

using namespace shoal;

std::vector<WidthRow> rows_with(const std::vector<double>& w, const std::vector<double>& faint) {
  std::vector<WidthRow> rows(w.size());
  for (std::size_t i = 0; i < w.size(); ++i) {
    rows[i].width = 8 << i;
    rows[i].models = 2;
    LayerMetrics m = layer_metrics({});
    m.w = w[i], m.faint = faint[i];
    rows[i].layers = {m, m};
  }
  return rows;
}

Conjecture made() {
  Conjecture c;
  c.width = 16, c.reason = "by W a layer of 16 is too narrow", c.test_accuracy = 0.9,
  c.best_test_accuracy = 0.97;
  c.data = {{"real", "digits", {0.91, 0.92}, {10, 10}, {0.1, 0.1}, {1, 2, 3}},
            {"uniform", std::string(in_words(Noise::uniform)), {1, 1}, {2, 4}, {0.5, 0.7}, {2, 3, 4}}};
  c.metrics = {{"a", "metric a", false, {{1, 2}, {3, 4}}},
               {"b", "metric b", false, {{1, 2}, {2, 1}}},
               {"c", "metric c", false, {{NAN, 1}, {1, 1}}},
               {"d", "metric d", true, {{5, 6}, {5, 6}}}};
  return c;
}

TEST_CASE("by W the network is much narrower than that of the highest W") {
  const auto rows = rows_with({0.7, 0.8, 0.9, 0.95, 0.9}, {0, 0, 1, 2, 3});
  const Choice choice = choose_undersized(rows, Undersized::w);
  CHECK(choice.width == 16);
  CHECK(choice.suggested == 64);
  CHECK(choose_undersized(rows_with({0.8, 0.9, 0.7}, {0, 0, 0}), Undersized::w).width ==
        8);  // none of a quarter
  CHECK(choose_undersized(rows_with({0.9, 0.8, 0.7}, {0, 0, 0}), Undersized::w).width ==
        -1);  // W has nothing against any
  CHECK(choose_undersized(rows_with({NAN, NAN}, {0, 0}), Undersized::w).width == -1);
}

TEST_CASE("by dead neurons it is the widest that has none to spare") {
  CHECK(choose_undersized(rows_with({1, 1, 1}, {0, 0.4, 3}), Undersized::dead).width == 16);
  CHECK(choose_undersized(rows_with({1, 1, 1}, {2, 2, 3}), Undersized::dead).width == -1);
}

TEST_CASE("a metric tells when all models differ one way by more than three standard errors") {
  const Conjecture c = made();
  CHECK(difference_of(c.metrics[0], 1).answer == Answer::tells);
  CHECK(difference_of(c.metrics[0], 1).mean == 2);
  CHECK(difference_of(c.metrics[1], 1).answer == Answer::cannot);  // one up, one down
  CHECK(difference_of(c.metrics[2], 1).answer == Answer::unknown);
  CHECK(difference_of(c.metrics[3], 1).answer == Answer::cannot);  // the same
  CHECK(difference_of({"", "", false, {{1, 1, 1}, {1.1, 2, 1.1}}}, 1).answer ==
        Answer::cannot);  // one sign, too noisy
}

TEST_CASE("the verdict names who tells and who cannot") {
  std::string text;
  for (const std::string& s : verdict(made())) text += s + "\n";
  CHECK(
      text.find(
          "By W a layer of 16 is too narrow; its test accuracy is 90.00 % (2 models), that of the best width "
          "97.00 %") != std::string::npos);
  CHECK(text.find("exactly 100 % for 2 of 2 models") != std::string::npos);
  CHECK(text.find("none of the 1 here can tell") != std::string::npos);
  CHECK(text.find("uniform noise is told apart by metric a; not by metric b.") != std::string::npos);
  CHECK(text.find("does not reach metrics that look at activations") != std::string::npos);
  Conjecture deaf = made();
  deaf.metrics.erase(deaf.metrics.begin());
  const auto sentences = verdict(deaf);
  CHECK(sentences.back().find("the conjecture stands") != std::string::npos);
  for (const Figure& figure : conjecture_figures(made(), "digits")) CHECK(!figure_script(figure).empty());
}

TEST_CASE("noise has the data's type, range and places") {
  const std::vector<std::uint8_t> bytes{10, 0, 7, 20, 0, 9, 30, 0, 8};
  const DataView data{3, 3, bytes.data(), nullptr, nullptr};
  const NoiseData uniform = draw_noise(Noise::uniform, data, 2000, 1);
  CHECK(uniform.bytes.size() == 6000);
  CHECK(*std::max_element(uniform.bytes.begin(), uniform.bytes.end()) == 30);
  CHECK(*std::min_element(uniform.bytes.begin(), uniform.bytes.end()) == 0);
  const NoiseData pixels = draw_noise(Noise::pixels, data, 2000, 1);
  double first = 0;
  for (std::size_t i = 0; i < 6000; i += 3) {
    CHECK((pixels.bytes[i] == 10 || pixels.bytes[i] == 20 || pixels.bytes[i] == 30));
    CHECK(pixels.bytes[i + 1] == 0);
    first += pixels.bytes[i] / 2000.0;
  }
  CHECK(std::abs(first - 20) < 5 * 8.17 / std::sqrt(2000.0));  // five standard errors
  CHECK(draw_noise(Noise::pixels, data, 2000, 1).bytes == pixels.bytes);
  CHECK(draw_noise(Noise::pixels, data, 2000, 2).bytes != pixels.bytes);
  const std::vector<float> values{-1, 5, 3, 2};
  const NoiseData floats = draw_noise(Noise::uniform, {2, 2, nullptr, values.data(), nullptr}, 500, 3);
  CHECK(floats.values.size() == 1000);
  for (const float v : floats.values) CHECK((v >= -1 && v < 5));
}

}  // namespace
