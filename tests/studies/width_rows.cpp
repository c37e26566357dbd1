// The width study's rows and verdict, on results made by hand.
#include "tools/studies/width_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tools/studies/width_beside.h"
#include "tools/studies/width_figures.h"
#include "tools/studies/width_fits.h"
#include "tools/studies/width_verdict.h"

namespace {

using namespace shoal;

struct Made {
  RunSpec spec;
  RunResult result;

  /// One model of `sds.size()` neurons with these sds over 4 samples.
  void add(double test_accuracy, const std::vector<double>& sds, ModelStatus status = ModelStatus::ok) {
    ModelSpec model;
    model.hidden = {static_cast<int>(sds.size())};
    spec.models.push_back(model);
    ModelResult r{};
    r.status = status;
    r.train_loss = r.test_loss = 0.1;
    r.train_accuracy = test_accuracy + 0.01;
    r.test_accuracy = test_accuracy;
    r.neurons.resize(1);
    for (const double sd : sds) r.neurons[0].push_back({4, 1, 4 * sd * sd, 0, 0, 2});
    result.models.push_back(r);
  }
  /// `accuracies` of models of one width, all neurons with the same sd.
  void add_width(int width, const std::vector<double>& accuracies, double sd = 1) {
    for (const double a : accuracies) add(a, std::vector<double>(static_cast<std::size_t>(width), sd));
  }
  std::vector<WidthRow> rows() const { return rows_by_width(spec, result); }
};

bool says(const std::vector<std::string>& sentences, const std::string& part) {
  for (const std::string& sentence : sentences) {
    if (sentence.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("models are gathered by width, in ascending order, whatever order they come in") {
  Made made;
  made.add(0.90, {1, 0, 3});
  made.add(0.80, {1, 2});
  made.add(0.94, {2, 0, 0});
  const std::vector<WidthRow> rows = made.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].width == 2);
  CHECK(rows[0].models == 1);
  CHECK(rows[0].sum_sd.mean == 3);
  CHECK(rows[0].mean_sd.mean == 1.5);
  CHECK(rows[1].width == 3);
  CHECK(rows[1].models == 2);
  CHECK(rows[1].test_accuracy.mean == doctest::Approx(0.92));
  CHECK(rows[1].train_accuracy.mean == doctest::Approx(0.93));
  CHECK(rows[1].test_accuracy.sd == doctest::Approx(0.04 / std::sqrt(2.0)));
  CHECK(rows[1].sum_sd.mean == 3);  // of 4 and 2
  CHECK(rows[1].dead.mean == 1.5);  // of 1 and 2
  CHECK(rows[1].living_sds == std::vector<double>{1, 3, 2});
}

TEST_CASE("diverged models are counted and otherwise left out") {
  Made made;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  made.add(0.9, {1, 1});
  made.add(nan, {nan, nan}, ModelStatus::diverged);
  made.add(nan, {nan}, ModelStatus::diverged);
  const std::vector<WidthRow> rows = made.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].models == 0);
  CHECK(rows[0].diverged == 1);
  CHECK(rows[1].models == 1);
  CHECK(rows[1].diverged == 1);
  CHECK(rows[1].test_accuracy.mean == 0.9);
  CHECK_FALSE(says(verdict(rows), "nan"));
  // figures of a width without models are drawn without it
  for (const Figure& figure : width_figures(rows, "test")) CHECK(!figure_script(figure).empty());
  Made all;
  all.add(nan, {nan}, ModelStatus::diverged);
  CHECK(verdict(all.rows()) == std::vector<std::string>{"Every model diverged."});
}

TEST_CASE("the sufficient width is the narrowest that no wider one beats beyond the seeds' spread") {
  Made made;  // standard errors of about 0.001
  made.add_width(4, {0.900, 0.902, 0.904});
  made.add_width(8, {0.950, 0.952, 0.954});
  made.add_width(16, {0.951, 0.953, 0.955});
  CHECK(sufficient_width(made.rows()) == 8);
  CHECK(says(verdict(made.rows()), "at 8 neurons: 95.20 % ± 0.20 (sd over 3 seeds)"));

  made.add_width(32, {0.970, 0.971, 0.972});
  CHECK(sufficient_width(made.rows()) == 32);
  CHECK(says(verdict(made.rows()), "still improves up to the widest layer, 32 neurons"));

  Made flat;  // a narrow layer that is as good as any
  flat.add_width(4, {0.90, 0.92, 0.94});
  flat.add_width(8, {0.91, 0.93, 0.95});
  CHECK(sufficient_width(flat.rows()) == 4);
}

TEST_CASE("one seed has no spread, so nothing is said about where accuracy stops improving") {
  Made made;
  made.add_width(4, {0.90});
  made.add_width(8, {0.95});
  CHECK(sufficient_width(made.rows()) == -1);
  CHECK(says(verdict(made.rows()), "Too few models"));
}

TEST_CASE("dead neurons and the sum of sds are reported as they are") {
  Made made;
  made.add_width(2, {0.90, 0.91}, 3);
  made.add_width(4, {0.90, 0.91}, 2);
  CHECK(says(verdict(made.rows()), "No neuron is dead"));
  // sums 6 and 8: a line through two points
  CHECK(fit_sum_of_sds(made.rows()).line.slope == doctest::Approx(2));
  CHECK(fit_sum_of_sds(made.rows()).power.exponent == doctest::Approx(std::log2(8.0 / 6.0)));
  CHECK(says(verdict(made.rows()), "sds grows from 6.0 at width 2 to 8.0 at 4"));
  CHECK(says(verdict(made.rows()), "as width^0.42 with R² = 1.000"));
  made.add(0.9, {1, 0, 0, 0, 1, 1, 1, 1});
  CHECK(says(verdict(made.rows()), "appear at width 8; at 8 they are 37.5 % of the layer"));
}

/// Shapes that are known beforehand: W of a sample is a function of its size, the rest of its mean.
std::vector<SpreadShape> made_shapes(std::span<const std::vector<double>> samples) {
  std::vector<SpreadShape> shapes;
  for (const std::vector<double>& sds : samples) {
    SpreadShape s = unknown_shape();
    s.count = static_cast<std::int64_t>(sds.size());
    s.living = s.count - std::count(sds.begin(), sds.end(), 0.0);
    s.w = 1 - std::abs(std::log2(static_cast<double>(sds.size())) - 4) / 10;  // highest at 16 sds
    s.exp_normal = {0.1, 0.3, 100, NAN};
    s.gamma_gamma = {0.02, 0.02, 90, 0.5};
    shapes.push_back(s);
  }
  return shapes;
}

/// Widths 4 to 64; accuracy stops at 32.
Made five_widths() {
  Made made;
  const double accuracy[] = {0.80, 0.85, 0.90, 0.95, 0.9501};
  for (int i = 0; i < 5; ++i) {
    const double a = accuracy[i];
    made.add_width(4 << i, {a - 0.001, a, a + 0.001}, 1.0 / (1 + i));
  }
  return made;
}

TEST_CASE("every model and every width has a shape, and they find their way into the columns") {
  const Made made = five_widths();
  const std::vector<WidthRow> rows = rows_by_width(made.spec, made.result, made_shapes);
  REQUIRE(rows.size() == 5);
  for (const WidthRow& row : rows) {
    REQUIRE(row.layers.size() == 3);
    CHECK(row.pooled.count == 3 * row.width);  // all seeds in one sample
    CHECK(row.layers[0].exp_normal == 0.1);
    CHECK(row.layers[2].gamma_gamma_journal == 0.02);
    CHECK(summary_of(row, &LayerMetrics::w).mean ==
          doctest::Approx(1 - std::abs(std::log2(row.width) - 4) / 10));
    double w = 0, w_sd = 1, pooled = 0, count = 0;
    for (const auto& [name, value] : width_columns(row)) {
      if (name == "w_mean") w = value;
      if (name == "w_sd") w_sd = value;
      if (name == "w_pooled") pooled = value;
      if (name == "neurons_pooled") count = value;
    }
    CHECK(w == summary_of(row, &LayerMetrics::w).mean);
    CHECK(w_sd < 1e-15);
    CHECK(pooled == row.pooled.w);
    CHECK(count == 3 * row.width);
  }
  // columns are the same whatever a row holds
  const auto names = [](const WidthRow& row) {
    std::vector<std::string> out;
    for (const auto& [name, value] : width_columns(row)) out.push_back(name);
    return out;
  };
  CHECK(names(rows[0]) == names(WidthRow{}));
}

TEST_CASE("dead neurons are counted with no tolerance and with stated ones") {
  std::vector<Moments> neurons;
  for (int i = 0; i < 10; ++i) neurons.push_back({10000, 1, 10000.0, 5000, 0, 2});  // sd 1
  neurons.push_back({10000, 0, 0, 10000, 0, 0});                                    // dead: never fires
  neurons.push_back({10000, 5, 0, 0, 5, 5});                                        // dead: always the same
  neurons.push_back({10000, 0, 10000 * 0.0005 * 0.0005, 9995, 0, 1});  // sd 0.0005, fires 5 times
  neurons.push_back({10000, 0, 10000 * 0.005 * 0.005, 9000, 0, 1});    // sd 0.005
  const LayerMetrics m = layer_metrics(neurons);
  CHECK(m.dead == 2);
  CHECK(m.nearly_dead == 3);
  CHECK(m.faint == 4);
  CHECK(m.rarely == 2);  // the first dead one and the one that fires 5 times
  CHECK(m.sum_sd == doctest::Approx(10.0055));
  CHECK(std::isnan(m.w));
}

TEST_CASE("the sum of sds is fitted by three laws") {
  Made made;
  for (const int width : {8, 27, 64, 125}) made.add_width(width, {0.9}, (2 + 3 * std::cbrt(width)) / width);
  const SumFits fits = fit_sum_of_sds(made.rows());
  CHECK(fits.cube_root.intercept == doctest::Approx(2));
  CHECK(fits.cube_root.slope == doctest::Approx(3));
  CHECK(fits.cube_root.r2 == doctest::Approx(1));
  CHECK(fits.line.r2 < 0.999);
  CHECK(says(verdict(made.rows()), "A4 does not hold"));
  Made log;
  for (const int width : {8, 16, 64, 512}) log.add_width(width, {0.9}, (2 + 3 * std::log(width)) / width);
  CHECK(says(verdict(log.rows()), "A4 holds"));
}

TEST_CASE("a peak has the error that its seeds give it") {
  Made made;
  made.add_width(4, {0.1, 0.1, 0.1});
  made.add_width(8, {0.5, 0.5, 0.5});
  made.add_width(16, {0.2, 0.2, 0.2});
  auto rows = made.rows();
  Peak p = peak_of(rows, values_of(rows, &WidthRow::test_accuracies));
  CHECK(p.width == 8);
  CHECK(p.low == 8);
  CHECK(p.high == 8);
  CHECK(p.inside);
  p = peak_of(rows, {{0.4, 0.4, 0.4}, {0.3, 0.4, 0.6}, {0.2, 0.2, 0.2}});
  CHECK(p.width == 8);
  CHECK(p.low == 4);  // all resamples of 0.3 and 0.4 alone are below 0.4
  CHECK(p.high == 8);
  CHECK(peak_of(rows, {{1}, {1}, {1}}).width == -1);  // a constant has none
  CHECK(peak_of(rows, {{NAN}, {}, {NAN}}).width == -1);
  CHECK(peak_of(rows, {{NAN}, {}, {2}}).width == -1);  // one alone is none either
  const Plateau plateau = plateau_of(rows, {{0.1, 0.1}, {0.9, 1.1}, {0.8, 1.0}});
  CHECK(plateau.from == 8);
  CHECK(plateau.to == 16);
}

TEST_CASE("correlations are over the means by width") {
  const ValuesByWidth up{{1, 3}, {3, 5}, {9}}, down{{3}, {2}, {-10}};
  CHECK(correlate(up, up).pearson == doctest::Approx(1));
  CHECK(correlate(up, down).spearman == doctest::Approx(-1));
  CHECK(correlate(up, down).pearson == doctest::Approx(-51 / std::sqrt(26 * 314.0 / 3)).epsilon(1e-9));
  CHECK(std::isnan(correlate({{1}, {2}}, {{1}, {2}}).spearman));
  CHECK(std::isnan(correlate({{1}, {1}, {1}}, down).pearson));
}

TEST_CASE("a limit is crossed where the values stay above it") {
  Made made;
  for (const int width : {2, 4, 8, 16}) made.add_width(width, {0.9});
  const auto rows = made.rows();
  CHECK(crossing(rows, {0.1, 0.01, 0.3, 0.4}, 0.025) == 8);
  CHECK(crossing(rows, {0.1, 0.1, 0.3, 0.4}, 0.025) == 2);
  CHECK(crossing(rows, {0.1, 0.1, 0.3, 0.01}, 0.025) == -1);
  CHECK(crossing(rows, {NAN, NAN, 0.3, 0.5}, 0.025) == 8);
}

TEST_CASE("the journal's statements are judged by the numbers") {
  const Made made = five_widths();
  const std::vector<WidthRow> rows = rows_by_width(made.spec, made.result, made_shapes);
  std::map<std::string, Statement> by;
  for (const Statement& s : statements(rows)) by[s.number] = s;
  for (const char* number : {"A2", "A4", "A5", "A6", "A8", "A9", "A10", "T1"}) {
    INFO(number);
    REQUIRE(by.count(number) == 1);
    CHECK(by[number].known);
    CHECK(!by[number].numbers.empty());
    CHECK(sentence(by[number]).find("nan") == std::string::npos);
  }
  CHECK_FALSE(by["A2"].holds);  // pooled samples are highest at 4 (12 sds), at the edge
  CHECK(by["A2"].numbers.find("highest at width 16") != std::string::npos);
  CHECK_FALSE(by["A5"].holds);  // nobody is dead
  CHECK_FALSE(by["A6"].holds);  // W at 16, accuracy at 32 to 64
  CHECK(by["A6"].numbers.find("W at 16, test accuracy at 32 to 64") != std::string::npos);
  CHECK(by["A8"].holds);  // a tenth of the neurons, and none is faint
  CHECK(by["A8"].numbers.find("up to 0.20") != std::string::npos);
  CHECK_FALSE(by["A9"].holds);  // better at all widths, but never a hill
  CHECK(by["A9"].numbers.find("better at 5 of 5 widths") != std::string::npos);
  CHECK(by["T1"].holds);  // pooling moves the peak
  // one that is too small to say anything
  Made two;
  two.add_width(4, {0.9});
  two.add_width(8, {0.9});
  for (const Statement& s : statements(rows_by_width(two.spec, two.result, made_shapes))) {
    CHECK_FALSE(s.known);
    CHECK(sentence(s).find("too little is known") != std::string::npos);
  }
}

TEST_CASE("a maximum at the edge of what was trained is said to be one") {
  Made made;
  for (const int width : {4, 8, 16}) made.add_width(width, {0.9, 0.91});
  const auto rows = rows_by_width(made.spec, made.result, made_shapes);
  const std::vector<Statement> all = statements(rows);
  CHECK(all[0].number == "A2");
  CHECK_FALSE(all[0].holds);
  CHECK(all[0].numbers.find("the maximum may lie beyond it") != std::string::npos);
}

TEST_CASE("the shift between data sets is judged by both") {
  Made easy, hard;
  for (const int width : {4, 8, 16, 32}) {
    const double e = width >= 8 ? 0.95 : 0.8, h = width >= 32 ? 0.9 : 0.5 + width / 100.0;
    easy.add_width(width, {e, e + 0.001}, 1);
    hard.add_width(width, {h, h + 0.001}, 1);
  }
  const auto a = rows_by_width(easy.spec, easy.result, made_shapes),
             b = rows_by_width(hard.spec, hard.result, made_shapes);
  const Statement s = statement_on_shift({"easy", a}, {"hard", b});
  CHECK(s.known);
  CHECK(s.holds);  // 8 and 32; W at 16 for both
  CHECK(s.numbers.find("stops improving at 8 on easy and at 32 on hard") != std::string::npos);
  CHECK_FALSE(statement_on_shift({"hard", b}, {"easy", a}).holds);
}

TEST_CASE("figures are drawn of whatever is known") {
  const Made made = five_widths();
  const auto with = rows_by_width(made.spec, made.result, made_shapes), without = made.rows();
  CHECK(width_figures(with, "test").size() == 9);
  CHECK(width_figures(without, "test").size() == 4);
  for (const Figure& figure : width_figures(with, "test")) {
    INFO(figure.name);
    CHECK(!figure_data(figure).empty());
    CHECK(figure_script(figure).find("plot ") != std::string::npos);
  }
  const auto both = beside_figures(std::vector<NamedFigureRows>{{"a", with}, {"b", with}});
  REQUIRE(both.size() == 1);
  CHECK(both[0].columns == 2);
  CHECK(both[0].panels.size() == 8);
  CHECK(both[0].panels[0].y.from == both[0].panels[1].y.from);  // one axis a row
  CHECK(both[0].panels[4].y.to == both[0].panels[5].y.to);
  CHECK(beside_figures(std::vector<NamedFigureRows>{{"a", with}, {"b", without}})[0].panels.size() == 4);
}

}  // namespace
