// What the numbers of the flexible layers say about the journal's statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/line.h"
#include "analysis/rank.h"
#include "tools/studies/flexible_rows.h"

namespace shoal {
namespace {

using Rows = std::vector<FlexibleRow>;

/// One point a model.
struct Points {
  std::vector<double> start, size, accuracy;
};

Points points_of(const Rows& rows, bool with_ignored) {
  Points p;
  for (const FlexibleRow& r : rows)
    for (std::size_t i = 0; i < r.sizes.size(); ++i) {
      if (!with_ignored && r.start == kIgnoredStart) continue;
      p.start.push_back(r.start), p.size.push_back(r.sizes[i]), p.accuracy.push_back(r.test_accuracies[i]);
    }
  return p;
}

std::string l2_words(double l2) { return l2 > 0 ? fmt::format("with L2 {}", l2) : "without L2"; }

std::string start_sentence(const FlexibleSpec& s, const Rows& rows, double l2) {
  const Points p = points_of(by_start(rows, s.start_penalty, l2), false);
  if (p.start.size() < 3) return {};
  const Line line = fit_line(p.start, p.size);
  const RankCorrelations accuracy = rank_correlations(p.start, p.accuracy);
  const bool follows = line.slope > 0.5 && line.r2 > 0.8;
  const bool goes_along = accuracy.spearman_p < 0.01;
  return fmt::format(
      "\"The same size from any start\", {}: {}. The final x0 is {:.0f} + {:.2f} times the start (R^2 "
      "{:.2f}) at "
      "lambda {}. \"No correlation between start and accuracy\": {} (Spearman's rho {:.2f}, p = {:.2g}, {} "
      "models).",
      l2_words(l2),
      follows             ? "no, it follows the start"
      : line.slope < 0.25 ? "nearly"
                          : "no, half of it follows",
      line.intercept, line.slope, line.r2, s.start_penalty, goes_along ? "there is one" : "none is seen",
      accuracy.spearman, accuracy.spearman_p, p.start.size());
}

/// Models of the bug: all starts are the same start.
std::string bug_sentence(const FlexibleSpec& s, const Rows& rows) {
  for (const FlexibleRow& r : by_start(rows, s.start_penalty, s.l2))
    if (r.start == kIgnoredStart)
      return fmt::format(
          "As the journal's code of October 2017 did it, with x0 = 1 whatever start was asked for, the final "
          "sizes "
          "are {:.0f} to {:.0f} over {} models: \"62 to 84 from any start\" was the spread over seeds of one "
          "start.",
          r.size.min, r.size.max, r.models);
  return {};
}

std::string penalty_sentence(const FlexibleSpec& s, const Rows& rows, double l2) {
  const Rows line = by_penalty(rows, s.neurons / 2.0, l2);
  if (line.size() < 2) return {};
  std::string sizes;
  for (const FlexibleRow& r : line)
    sizes += fmt::format("{}{:.0f} at {:.2g}", sizes.empty() ? "" : ", ", r.size.mean, r.penalty);
  const bool falls = line.front().size.mean > line.back().size.mean;
  return fmt::format("Lambda, {}: final x0 {} from x0 = {}. A larger penalty {} a smaller layer.",
                     l2_words(l2), sizes, s.neurons / 2.0, falls ? "gives" : "does not give");
}

std::string frontier_sentence(const FlexibleSpec& s, const Rows& rows, double l2) {
  double worst = 0, best = -1, sum = 0;
  int count = 0;
  for (const FlexibleRow& r : by_penalty(rows, s.neurons / 2.0, l2)) {
    const double plain = fixed_accuracy(rows, l2, open_neurons(r), &FlexibleRow::test_accuracy);
    if (!std::isfinite(plain)) continue;
    const double gap = 100 * (r.test_accuracy.mean - plain);
    worst = count == 0 ? gap : std::min(worst, gap), best = count == 0 ? gap : std::max(best, gap);
    sum += gap, ++count;
  }
  if (count == 0) return {};
  return fmt::format(
      "Against plain networks of the final size, both {}: {:+.2f} points of test accuracy on the average of "
      "{} "
      "lambdas ({:+.2f} to {:+.2f}); the best plain network has {:.2f} %.",
      l2_words(l2), sum / count, count, worst, best, 100 * best_fixed(rows, l2));
}

std::string l2_sentence(const FlexibleSpec& s, const Rows& rows) {
  const Rows without = by_penalty(rows, s.neurons / 2.0, 0.0), with = by_penalty(rows, s.neurons / 2.0, s.l2);
  double sum = 0;
  int count = 0;
  for (const FlexibleRow& a : without)
    for (const FlexibleRow& b : with)
      if (a.penalty == b.penalty && a.size.mean > 0 && b.size.mean > 0)
        sum += std::log(a.size.mean / b.size.mean), ++count;
  if (count == 0) return {};
  return fmt::format(
      "\"Without L2 sizes are about twice as large\": {:.2f} times here (geometric mean over {} lambdas, "
      "from the "
      "same start).",
      std::exp(sum / count), count);
}

std::string unbounded_sentence(const Rows& rows) {
  std::string found;
  std::int64_t below = 0, models = 0;
  for (const FlexibleRow& r : rows) {
    if (r.kind != FlexibleRow::Kind::start_penalty || r.models == 0) continue;
    found += fmt::format("{}{:.0f} at lambda {} (training accuracy {:.1f} %)", found.empty() ? "" : ", ",
                         r.size.mean, r.penalty, 100 * r.train_accuracy.mean);
    below += std::count_if(r.sizes.begin(), r.sizes.end(), [](double x) { return x < 0; });
    models += r.models;
  }
  if (models == 0) return {};
  return fmt::format(
      "With x0 itself as the penalty the objective has no lower bound. Its mean after the last epoch: {}; "
      "below 0 in "
      "{} of {} models{}.",
      found, below, models,
      below > 0 ? ", and still falling there, since nothing else pushes a closed layer" : "");
}

/// What the journal's last program of this kind would have shown.
std::string depth_sentence(const FlexibleSpec& s, const Rows& rows, double l2) {
  std::string text;
  bool first_largest = true;
  for (const FlexibleRow& r : by_depth(rows, l2)) {
    std::string sizes;
    for (const Summary& layer : r.layer_sizes) {
      sizes += fmt::format("{}{:.0f} ± {:.0f}", sizes.empty() ? "" : ", ", layer.mean, layer.sd);
      first_largest = first_largest && layer.mean <= r.layer_sizes.front().mean;
    }
    text += fmt::format("{}{} layers: {}, {:.2f} % test accuracy", text.empty() ? "" : "; ", r.depth, sizes,
                        100 * r.test_accuracy.mean);
  }
  if (text.empty()) return {};
  return fmt::format(
      "A gate in every layer, each from x0 = {:g} of {}, {}: final x0 by layer, {}. {} (the best plain "
      "network of one "
      "layer: {:.2f} %).",
      kDeepStart, s.neurons, l2_words(l2), text,
      first_largest ? "The first layer stays the largest" : "The first layer is not the largest",
      100 * best_fixed(rows, l2));
}

std::string naive_sentence(const Rows& rows) {
  std::int64_t failures = 0, checks = 0;
  double first = INFINITY;
  for (const FlexibleRow& r : rows) {
    if (r.kind != FlexibleRow::Kind::gated) continue;
    failures += r.naive_failures, checks += r.naive_checks;
    if (r.naive_failures == r.naive_checks && r.naive_checks > 0) first = std::min(first, r.start);
  }
  if (checks == 0) return {};
  std::string text = fmt::format(
      "The penalty's formulas as first written down are NaN or infinite in float32 at {} of the {} places "
      "(x0, k = 1) "
      "where these models stood at the beginning and after their epochs: e^(k x0) overflows from x0 = 89 on.",
      failures, checks);
  if (std::isfinite(first)) text += fmt::format(" A model that starts at {:.0f} never sees a number.", first);
  return text;
}

}  // namespace

std::vector<std::string> flexible_verdict(const FlexibleSpec& s, const Rows& rows) {
  std::vector<std::string> all{
      start_sentence(s, rows, s.l2),    start_sentence(s, rows, 0.0),    bug_sentence(s, rows),
      penalty_sentence(s, rows, s.l2),  penalty_sentence(s, rows, 0.0),  l2_sentence(s, rows),
      frontier_sentence(s, rows, s.l2), frontier_sentence(s, rows, 0.0), depth_sentence(s, rows, 0.0),
      depth_sentence(s, rows, s.l2),    unbounded_sentence(rows),        naive_sentence(rows)};
  std::erase(all, "");
  return all;
}

}  // namespace shoal
