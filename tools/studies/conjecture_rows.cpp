#include "tools/studies/conjecture_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/summary.h"
#include "tools/studies/width_fits.h"

namespace shoal {
namespace {

constexpr double kStandardErrors = 3;

std::string joined(const std::vector<std::string>& words) {
  if (words.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return text;
}

std::string sentence_on_labels(const Conjecture& c, const ConjectureData& data) {
  const auto perfect = std::count(data.accuracy.begin(), data.accuracy.end(), 1.0);
  return fmt::format(
      "On {}, labelled by the network itself, its accuracy is {:.2f} % by evaluation, exactly 100 % for {} "
      "of {} models: by "
      "any measure of accuracy it is large enough for these data. It gives {:.1f} of the classes, the most "
      "frequent one to "
      "{:.0f} % of the samples.",
      data.words, 100 * summarize(data.accuracy).mean, perfect, c.data[0].accuracy.size(),
      summarize(data.classes).mean, 100 * summarize(data.largest).mean);
}

std::string sentence_on_metrics(const Conjecture& c, std::size_t d) {
  std::vector<std::string> tell, cannot;
  for (const ConjectureMetric& m : c.metrics) {
    if (m.of_weights) continue;
    const Answer answer = difference_of(m, d).answer;
    if (answer == Answer::tells) tell.push_back(m.words);
    if (answer == Answer::cannot) cannot.push_back(m.words);
  }
  return fmt::format("From the real data {} is told apart by {}; not by {}.",
                     c.data[d].name == "uniform" ? "uniform noise" : "noise of independent pixels",
                     joined(tell), joined(cannot));
}

bool any_tells(const Conjecture& c) {
  for (const ConjectureMetric& m : c.metrics)
    for (std::size_t d = 1; d < c.data.size(); ++d)
      if (!m.of_weights && difference_of(m, d).answer == Answer::tells) return true;
  return false;
}

}  // namespace

Choice choose_undersized(const std::vector<WidthRow>& rows, Undersized by) {
  Choice choice;
  if (by == Undersized::w) {
    const Peak peak = peak_of(rows, values_of(rows, &LayerMetrics::w));
    if (peak.width < 0) return choice;
    for (const WidthRow& row : rows)
      if (row.width * 4 <= peak.width || (choice.width < 0 && row.width < peak.width))
        choice.width = row.width;
    choice.suggested = peak.width;
    choice.reason =
        fmt::format("W of the neurons' sds is highest at width {}, so by W a layer of {} is too narrow",
                    peak.width, choice.width);
    return choice;
  }
  for (const WidthRow& row : rows) {
    const double faint = summary_of(row, &LayerMetrics::faint).mean;
    if (faint < 1) choice.width = row.width;
    else if (choice.suggested < 0) choice.suggested = row.width;
  }
  if (choice.width >= 0)
    choice.reason = fmt::format(
        "a layer of {} has no neuron to spare: less than one neuron of a model has an sd below 1 % of "
        "the median",
        choice.width);
  return choice;
}

Difference difference_of(const ConjectureMetric& m, std::size_t d) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < m.values[0].size(); ++i) differences.push_back(m.values[d][i] - m.values[0][i]);
  const Summary s = summarize(differences);
  Difference result{s.mean, s.standard_error, Answer::unknown};
  if (!std::isfinite(s.mean)) return result;
  if (s.min == 0 && s.max == 0) {
    result.answer = Answer::cannot;
    return result;
  }
  if (!std::isfinite(s.standard_error)) return result;
  const bool one_sign = s.min > 0 || s.max < 0;
  result.answer =
      one_sign && std::abs(s.mean) > kStandardErrors * s.standard_error ? Answer::tells : Answer::cannot;
  return result;
}

std::vector<std::string> verdict(const Conjecture& c) {
  const std::size_t models = c.data[0].accuracy.size();
  std::vector<std::string> sentences{
      fmt::format("{}; its test accuracy is {:.2f} % ({} models), that of the best width {:.2f} %.", c.reason,
                  100 * c.test_accuracy, models, 100 * c.best_test_accuracy)};
  sentences[0][0] = static_cast<char>(std::toupper(sentences[0][0]));
  for (std::size_t d = 1; d < c.data.size(); ++d) sentences.push_back(sentence_on_labels(c, c.data[d]));
  const auto weights =
      std::count_if(c.metrics.begin(), c.metrics.end(), [](const auto& m) { return m.of_weights; });
  sentences.push_back(
      fmt::format("Functions of the weights alone are the same numbers on all data, so none of the {} here "
                  "can tell: for them the "
                  "conjecture holds, and needs no experiment.",
                  weights));
  for (std::size_t d = 1; d < c.data.size(); ++d) sentences.push_back(sentence_on_metrics(c, d));
  if (models < 2) {
    sentences.push_back("With one model there is no spread to compare a difference with.");
  } else if (any_tells(c)) {
    sentences.push_back(
        "So the conjecture does not reach metrics that look at activations: with the same weights they "
        "differ between data "
        "for which the layer is too small and data for which it is not. That they differ does not say that "
        "they find the "
        "right size.");
  } else {
    sentences.push_back("So no metric here tells the two apart: on these data the conjecture stands.");
  }
  return sentences;
}

}  // namespace shoal
