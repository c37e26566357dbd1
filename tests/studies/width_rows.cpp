// The width study's rows and verdict, on results made by hand.
#include "tools/studies/width_rows.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tools/studies/width_figures.h"

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

}  // namespace
