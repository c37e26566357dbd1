#include "tools/studies/width_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "tools/studies/width_fits.h"

namespace shoal {
namespace {

using Rows = std::vector<WidthRow>;

/// The journal's line at which a mixture's weight was said to matter.
constexpr double kJournalLimit = 0.025;

std::string percent(const Summary& accuracy) {
  return fmt::format("{:.2f} % ± {:.2f}", 100 * accuracy.mean, 100 * accuracy.sd);
}

std::string accuracy_sentence(const std::vector<WidthRow>& rows) {
  const int enough = sufficient_width(rows);
  if (enough < 0)
    return "Too few models a width to tell a difference in accuracy from the spread of the seeds.";
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const WidthRow& r) { return r.width == enough; });
  if (row + 1 == rows.end()) {
    return fmt::format(
        "Test accuracy still improves up to the widest layer, {} neurons: {} (sd over {} seeds).", enough,
        percent(row->test_accuracy), row->models);
  }
  return fmt::format(
      "Test accuracy stops improving beyond the spread of the seeds at {} neurons: {} (sd over {} seeds); no "
      "wider layer beats it by more than two standard errors.",
      enough, percent(row->test_accuracy), row->models);
}

std::string dead_sentence(const std::vector<WidthRow>& rows) {
  const auto first =
      std::find_if(rows.begin(), rows.end(), [](const WidthRow& r) { return r.dead.mean > 0; });
  if (first == rows.end()) return "No neuron is dead (constant over the training set) at any width.";
  const WidthRow& widest = rows.back();
  return fmt::format(
      "Dead neurons (constant over the training set) appear at width {}; at {} they are {:.1f} % of the "
      "layer.",
      first->width, widest.width, 100 * widest.dead.mean / widest.width);
}

std::string sum_sentence(const std::vector<WidthRow>& rows) {
  const SumFits fits = fit_sum_of_sds(rows);
  if (!std::isfinite(fits.line.r2) || !std::isfinite(fits.power.r2)) return {};
  return fmt::format(
      "The sum of the neurons' sds grows from {:.1f} at width {} to {:.1f} at {}: as a + b ln n with "
      "R² = {:.3f}, as a + b n^(1/3) with R² = {:.3f}, as width^{:.2f} with R² = {:.3f}.",
      rows.front().sum_sd.mean, rows.front().width, rows.back().sum_sd.mean, rows.back().width, fits.line.r2,
      fits.cube_root.r2, fits.power.exponent, fits.power.r2);
}

/// "181 (95 %: 128 to 256)"
std::string text(const Peak& peak) {
  if (peak.low == peak.high) return std::to_string(peak.width);
  return fmt::format("{} (95 % of resampled seeds: {} to {})", peak.width, peak.low, peak.high);
}

std::string text(const Plateau& p) {
  return p.from == p.to ? std::to_string(p.from) : fmt::format("{} to {}", p.from, p.to);
}

ValuesByWidth one_each(const Rows& rows, double value(const SpreadShape&)) {
  ValuesByWidth values;
  for (const WidthRow& row : rows) values.push_back({value(row.pooled)});
  return values;
}
double w_of(const SpreadShape& s) { return s.w; }

/// Weights of the pooled samples, as the journal took them.
std::vector<double> weights(const Rows& rows, MixtureWeights SpreadShape::*mixture) {
  std::vector<double> values;
  for (const WidthRow& row : rows) values.push_back((row.pooled.*mixture).weight);
  return values;
}

Statement peak_of_w(const Rows& rows) {
  Statement s{"A2", "W of the neurons' sds has its maximum at a middle width", false, false, {}};
  const Peak single = peak_of(rows, values_of(rows, &LayerMetrics::w)),
             pooled = peak_of(rows, one_each(rows, w_of));
  if (single.width < 0 || pooled.width < 0 || rows.size() < 3) return s;
  s.known = true, s.holds = single.inside && pooled.inside;
  const auto at = [&](int width) {
    return std::find_if(rows.begin(), rows.end(), [&](const WidthRow& r) { return r.width == width; });
  };
  s.numbers = fmt::format(
      "W of a model is highest at width {}, with {:.3f}; W of all seeds in one sample, as the journal took "
      "it, at {}, "
      "with {:.3f} (the journal: 256 to 362 on MNIST).",
      text(single), summary_of(*at(single.width), &LayerMetrics::w).mean, text(pooled),
      at(pooled.width)->pooled.w);
  if (std::max(single.width, pooled.width) == rows.back().width)
    s.numbers += " That is the widest layer that was trained: the maximum may lie beyond it.";
  return s;
}

Statement sum_is_logarithm(const Rows& rows) {
  Statement s{"A4", "the sum of sds is a logarithm of the width", false, false, {}};
  const SumFits fits = fit_sum_of_sds(rows);
  if (rows.size() < 4 || !std::isfinite(fits.line.r2) || !std::isfinite(fits.power.r2)) return s;
  s.known = true;
  s.holds = fits.line.r2 >= 0.99 && fits.line.r2 >= std::max(fits.cube_root.r2, fits.power.r2);
  s.numbers =
      fmt::format("R² is {:.4f} for a + b ln n, {:.4f} for a + b n^(1/3) and {:.4f} for a power, n^{:.2f}.",
                  fits.line.r2, fits.cube_root.r2, fits.power.r2, fits.power.exponent);
  return s;
}

Statement dead_grow(const Rows& rows) {
  Statement s{"A5", "the wider the layer, the more neurons are exactly dead", false, false, {}};
  if (rows.size() < 3 || !std::isfinite(rows.back().dead.mean)) return s;
  std::vector<std::vector<double>> widths;
  for (const WidthRow& row : rows) widths.push_back({static_cast<double>(row.width)});
  const Correlation c = correlate(values_of(rows, &LayerMetrics::dead), widths);
  const WidthRow& last = rows.back();
  s.known = true, s.holds = c.spearman >= 0.9 && last.dead.mean > rows.front().dead.mean;
  s.numbers = fmt::format(
      "At width {} {:.1f} neurons are exactly dead ({:.1f} %), {:.1f} have an sd below 1 % of the layer's "
      "median, and "
      "{:.1f} fire on less than 0.1 % of the samples{}.",
      last.width, last.dead.mean, 100 * last.dead.mean / last.width,
      summary_of(last, &LayerMetrics::faint).mean, summary_of(last, &LayerMetrics::rarely).mean,
      std::isfinite(c.spearman) ? fmt::format("; rank correlation with the width {:.2f}", c.spearman) : "");
  return s;
}

Statement accuracy_beside_w(const Rows& rows) {
  Statement s{"A6", "accuracy and W are flat-topped at the same widths", false, false, {}};
  const ValuesByWidth w = values_of(rows, &LayerMetrics::w),
                      test = values_of(rows, &WidthRow::test_accuracies);
  const Plateau of_w = plateau_of(rows, w), of_test = plateau_of(rows, test);
  if (of_w.from < 0 || of_test.from < 0 || rows.size() < 3 || rows[0].models < 2) return s;
  const Correlation c = correlate(w, test);
  if (!std::isfinite(c.spearman) || !std::isfinite(c.pearson)) return s;
  s.known = true, s.holds = of_w.from <= of_test.to && of_test.from <= of_w.to;
  s.numbers = fmt::format(
      "Not told apart from the highest by two standard errors: W at {}, test accuracy at {}; over the widths "
      "their rank "
      "correlation is {:.2f}, Pearson's {:.2f}.",
      text(of_w), text(of_test), c.spearman, c.pearson);
  return s;
}

Statement exponential_overestimates(const Rows& rows) {
  Statement s{"A8",
              "the exponential's weight overestimates dead neurons, and jumps between optima",
              false,
              false,
              {}};
  int above = 0, known = 0;
  double jump = 0;
  const WidthRow* last = nullptr;
  for (const WidthRow& row : rows) {
    const MixtureWeights& fit = row.pooled.exp_normal;
    if (!std::isfinite(fit.weight)) continue;
    const auto living = static_cast<double>(row.pooled.living), count = static_cast<double>(row.pooled.count);
    double faint = 0;
    for (const LayerMetrics& layer : row.layers) faint += layer.faint;
    ++known, above += fit.weight * living + (count - living) > faint;
    jump = std::max(jump, std::abs(fit.weight - fit.journal));
    last = &row;
  }
  if (known < 3) return s;
  const auto models = static_cast<double>(last->models);
  s.known = true, s.holds = above * 2 > known;
  s.numbers = fmt::format(
      "At {} of {} widths the exponential's weight stands for more neurons than have an sd below 1 % of the "
      "median; at "
      "width {} for {:.0f} a model, of which {:.0f} are. From the journal's single start the weight differs "
      "from the best "
      "of many starts by up to {:.2f}.",
      above, known, last->width,
      last->pooled.exp_normal.weight * static_cast<double>(last->pooled.living) / models,
      summary_of(*last, &LayerMetrics::faint).mean - last->dead.mean, jump);
  return s;
}

Statement gammas_fit_better(const Rows& rows) {
  Statement s{
      "A9", "two gammas fit better than exponential and normal, but both can become hills", false, false, {}};
  int better = 0, hills = 0, known = 0;
  double jump = 0;
  for (const WidthRow& row : rows) {
    const MixtureWeights& gammas = row.pooled.gamma_gamma;
    if (!std::isfinite(gammas.bic) || !std::isfinite(row.pooled.exp_normal.bic)) continue;
    ++known, better += gammas.bic<row.pooled.exp_normal.bic, hills += gammas.shape> 1;
    jump = std::max(jump, std::abs(gammas.weight - gammas.journal));
  }
  if (known < 3) return s;
  s.known = true, s.holds = better * 2 > known && hills > 0;
  s.numbers = fmt::format(
      "By BIC the gammas fit better at {} of {} widths; at {} of them the component of lower shape is a hill "
      "(shape above "
      "1). The single start's weight differs from the best of many starts by up to {:.2f}.",
      better, known, hills, jump);
  return s;
}

Statement metrics_underestimate(const Rows& rows) {
  Statement s{"A10", "W and both mixtures moderately underestimate the size", false, false, {}};
  const int enough = sufficient_width(rows);
  const Peak w = peak_of(rows, values_of(rows, &LayerMetrics::w));
  const int exponential = crossing(rows, weights(rows, &SpreadShape::exp_normal), kJournalLimit),
            gamma = crossing(rows, weights(rows, &SpreadShape::gamma_gamma), kJournalLimit);
  if (enough < 0 || w.width < 0 || rows.size() < 3 || !std::isfinite(rows.back().pooled.exp_normal.weight) ||
      !std::isfinite(rows.back().pooled.gamma_gamma.weight))
    return s;
  s.known = true;
  s.holds = w.width < enough && exponential > 0 && exponential < enough && gamma > 0 && gamma < enough;
  const auto crosses = [](int width) {
    return width < 0 ? std::string("at no width") : fmt::format("from width {} on", width);
  };
  s.numbers = fmt::format(
      "Test accuracy stops improving at {}; W is highest at {}; with all seeds in one sample the "
      "exponential's "
      "weight stays above the journal's limit of 0.025 {}, the low-shape gamma's {}.",
      enough, text(w), crosses(exponential), crosses(gamma));
  return s;
}

/// What the choices of the journal would change: training accuracy, pooled samples.
Statement choices_matter(const Rows& rows) {
  Statement s{"T1",
              "training instead of test accuracy and pooled instead of single samples change the answer",
              false,
              false,
              {}};
  const int train = sufficient_width(rows, &WidthRow::train_accuracy), test = sufficient_width(rows);
  const Peak single = peak_of(rows, values_of(rows, &LayerMetrics::w)),
             pooled = peak_of(rows, one_each(rows, w_of));
  if (train < 0 || test < 0 || single.width < 0 || pooled.width < 0) return s;
  s.known = true, s.holds = train != test || pooled.width < single.low || pooled.width > single.high;
  s.numbers = fmt::format(
      "Training accuracy stops improving at {}, test accuracy at {}; the pooled W is highest at {}, that of "
      "a model at "
      "{}.",
      train, test, pooled.width, text(single));
  return s;
}

}  // namespace

std::vector<Statement> statements(const Rows& all) {
  Rows rows;
  std::copy_if(all.begin(), all.end(), std::back_inserter(rows),
               [](const WidthRow& r) { return r.models > 0; });
  if (rows.empty()) return {};
  return {peak_of_w(rows),
          sum_is_logarithm(rows),
          dead_grow(rows),
          accuracy_beside_w(rows),
          exponential_overestimates(rows),
          gammas_fit_better(rows),
          metrics_underestimate(rows),
          choices_matter(rows)};
}

Statement statement_on_shift(const DataRows& easier, const DataRows& harder) {
  Statement s{
      "A11", "the harder data need wider layers, and the metrics of spread do not say so", false, false, {}};
  const int a = sufficient_width(easier.rows), b = sufficient_width(harder.rows);
  const Peak wa = peak_of(easier.rows, values_of(easier.rows, &LayerMetrics::w)),
             wb = peak_of(harder.rows, values_of(harder.rows, &LayerMetrics::w));
  if (a < 0 || b < 0 || wa.width < 0 || wb.width < 0) return s;
  s.known = true, s.holds = b > a && wb.width <= wa.width;
  const auto crosses = [](const Rows& rows, MixtureWeights SpreadShape::*mixture) {
    const int width = crossing(rows, weights(rows, mixture), kJournalLimit);
    return width < 0 ? std::string("at no width") : fmt::format("from width {} on", width);
  };
  s.numbers = fmt::format(
      "Test accuracy stops improving at {} on {} and at {} on {}; W is highest at {} and at {}; with all "
      "seeds in "
      "one sample the exponential's weight stays above 0.025 {} and {}, the low-shape gamma's {} and {}.",
      a, easier.name, b, harder.name, text(wa), text(wb), crosses(easier.rows, &SpreadShape::exp_normal),
      crosses(harder.rows, &SpreadShape::exp_normal), crosses(easier.rows, &SpreadShape::gamma_gamma),
      crosses(harder.rows, &SpreadShape::gamma_gamma));
  return s;
}

std::string sentence(const Statement& s) {
  if (!s.known) return fmt::format("{} ({}): too little is known here to say.", s.number, s.claim);
  return fmt::format("{} {} ({}): {}", s.number, s.holds ? "holds" : "does not hold", s.claim, s.numbers);
}

std::vector<std::string> verdict(const Rows& rows) {
  Rows finished;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(finished),
               [](const WidthRow& r) { return r.models > 0; });
  if (finished.empty()) return {"Every model diverged."};
  std::vector<std::string> sentences;
  for (std::string text : {accuracy_sentence(finished), dead_sentence(finished), sum_sentence(finished)}) {
    if (!text.empty()) sentences.push_back(std::move(text));
  }
  for (const Statement& s : statements(finished)) sentences.push_back(sentence(s));
  return sentences;
}

}  // namespace shoal
