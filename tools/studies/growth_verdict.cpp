// What the growth study's numbers say.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/growth_rows.h"

namespace shoal {
namespace {

constexpr auto kAccuracy = static_cast<std::size_t>(Score::test_accuracy),
               kTrainLoss = static_cast<std::size_t>(Score::train_loss);

std::string points(const MeanInterval& d) {
  if (!std::isfinite(d.low)) return fmt::format("{:+.2f} points", 100 * d.mean);
  return fmt::format("{:+.2f} points ({:+.2f} to {:+.2f})", 100 * d.mean, 100 * d.low, 100 * d.high);
}

std::string losses(const MeanInterval& d) {
  if (!std::isfinite(d.low)) return fmt::format("{:+.4f}", d.mean);
  return fmt::format("{:+.4f} ({:+.4f} to {:+.4f})", d.mean, d.low, d.high);
}

std::vector<const GrowthRow*> rows_with(const GrowthResults& r, ArmKind kind) {
  std::vector<const GrowthRow*> some;
  for (const GrowthRow& row : r.rows)
    if (row.arm.kind == kind && row.models > 0) some.push_back(&row);
  return some;
}

const GrowthRow* find_row(const GrowthResults& r, std::string_view name) {
  const auto found =
      std::ranges::find_if(r.rows, [&](const GrowthRow& row) { return name_of(row.arm) == name; });
  return found == r.rows.end() || found->models == 0 ? nullptr : &*found;
}

/// How many of some arms are told apart from the final width.
struct Count {
  int better = 0, worse = 0;
};
Count count(const std::vector<const GrowthRow*>& rows, Score score) {
  Count c;
  for (const GrowthRow* row : rows) {
    const Sign sign = sign_of(row->against[static_cast<std::size_t>(score)], score);
    c.better += sign == Sign::better, c.worse += sign == Sign::worse;
  }
  return c;
}

std::string basis(const GrowthResults& r) {
  const GrowthRow& first = r.rows.front();
  const Summary& accuracy = first.scores[kAccuracy];
  return fmt::format(
      "Equal cost: {} neuron-epochs ({} neurons for {} epochs), {} seed{}; {} from the beginning: test "
      "accuracy "
      "{:.2f} % (sd {:.2f}), training loss {:.4f}. Differences from it are seed by seed, with 95 % "
      "intervals: one in twenty is told apart by chance.",
      budget_of(r.spec), r.spec.final, r.spec.epochs, first.models, first.models == 1 ? "" : "s",
      r.spec.final, 100 * accuracy.mean, 100 * accuracy.sd, first.scores[kTrainLoss].mean);
}

std::string extremes(std::vector<const GrowthRow*> rows) {
  std::ranges::sort(rows, [](const GrowthRow* a, const GrowthRow* b) {
    return a->against[kAccuracy].mean > b->against[kAccuracy].mean;
  });
  std::string text = fmt::format("the best is \"{}\" with {}", words_of(rows.front()->arm),
                                 points(rows.front()->against[kAccuracy]));
  if (rows.size() > 1)
    text += fmt::format(", the worst \"{}\" with {}", words_of(rows.back()->arm),
                        points(rows.back()->against[kAccuracy]));
  return text;
}

/// "Is growing (shrinking) ever better than the final width from the beginning?"
std::string ever_better(const GrowthResults& r, ArmKind kind, std::string_view what) {
  const std::vector<const GrowthRow*> rows = rows_with(r, kind);
  if (rows.empty() || !std::isfinite(rows.front()->against[kAccuracy].low)) return {};
  const Count accuracy = count(rows, Score::test_accuracy), test = count(rows, Score::test_loss),
              train = count(rows, Score::train_loss);
  const int all = static_cast<int>(rows.size());
  return fmt::format(
      "Is {} ever better than training {} neurons from the beginning, at equal cost? {} In test accuracy {} "
      "of {} "
      "arms are better and {} worse: {}; in test loss {} are better and {} worse, in training loss {} and "
      "{}.",
      what, r.spec.final,
      accuracy.better == all                       ? "Yes, in every way that was tried."
      : accuracy.better > 0 && accuracy.worse == 0 ? "Yes, in some ways."
      : accuracy.better > 0                        ? "Some ways are, others are worse."
      : accuracy.worse == all                      ? "No: it is worse in every way that was tried."
      : accuracy.worse > 0                         ? "No: it is worse, or not told apart."
                                                   : "Not told apart in test accuracy.",
      accuracy.better, all, accuracy.worse, extremes(rows), test.better, test.worse, train.better,
      train.worse);
}

/// "a: +0.1 points (...), loss ..." of arm a minus arm b.
std::string versus(const GrowthResults& r, const std::string& a, const std::string& b) {
  const ArmOutcomes *first = find_arm(r.arms, a), *second = find_arm(r.arms, b);
  if (!first || !second) return {};
  return fmt::format("{}, training loss {}", points(paired(*first, *second, Score::test_accuracy)),
                     losses(paired(*first, *second, Score::train_loss)));
}

std::string ways_sentence(const GrowthResults& r) {
  int better = 0, worse = 0;
  std::string text;
  for (const Schedule s : kSchedules) {
    const std::string split = fmt::format("grow-split-{}", name_of(s)),
                      silent = fmt::format("grow-silent-{}", name_of(s));
    const ArmOutcomes *a = find_arm(r.arms, split), *b = find_arm(r.arms, silent);
    if (!a || !b) continue;
    const Sign sign = sign_of(paired(*a, *b, Score::test_accuracy), Score::test_accuracy);
    better += sign == Sign::better, worse += sign == Sign::worse;
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name_of(s), versus(r, split, silent));
  }
  if (text.empty()) return {};
  text = fmt::format("Is splitting better than silent neurons? {} Split minus silent: {}",
                     better > 0 && worse == 0   ? "Yes."
                     : worse > 0 && better == 0 ? "No, it is worse."
                     : better + worse == 0      ? "Not told apart in test accuracy."
                                                : "It depends on the schedule.",
                     text);
  for (const auto& [name, words] :
       {std::pair("twin", "Twins (one ratio a neuron)"), {"fresh", "Fresh neurons"}})
    if (const std::string other = versus(r, fmt::format("grow-{}-even", name), "grow-split-even");
        !other.empty())
      text += fmt::format(". {} minus split, even: {}", words, other);
  return text + ".";
}

std::string restart_sentence(const GrowthResults& r) {
  std::string text;
  for (const Schedule s : kSchedules)
    if (const GrowthRow* row = find_row(r, fmt::format("restart-{}", name_of(s))))
      text += fmt::format("{}{} {}, training loss {}", text.empty() ? "" : "; ", name_of(s),
                          points(row->against[kAccuracy]), losses(row->against[kTrainLoss]));
  if (text.empty()) return {};
  return fmt::format("Growing begins the optimizer anew; that alone, at the final width: {}.", text);
}

std::string schedule_sentence(const GrowthResults& r) {
  std::string text;
  for (const char* how : {"silent", "split"}) {
    const ArmOutcomes *early = find_arm(r.arms, fmt::format("grow-{}-early", how)),
                      *late = find_arm(r.arms, fmt::format("grow-{}-late", how));
    if (!early || !late) continue;
    const MeanInterval d = paired(*late, *early, Score::test_accuracy),
                       l = paired(*late, *early, Score::train_loss);
    const Sign sign = sign_of(d, Score::test_accuracy);
    text += fmt::format("{}{}: late minus early {}, training loss {}: {}", text.empty() ? "" : "; ", how,
                        points(d), losses(l),
                        sign == Sign::worse    ? "early is better"
                        : sign == Sign::better ? "late is better"
                                               : "not told apart in test accuracy");
  }
  return text.empty() ? text : "When is the final width to be reached? " + text + ".";
}

std::string shrink_sentence(const GrowthResults& r) {
  std::string text;
  int better = 0, worse = 0;
  for (const Schedule s : kSchedules) {
    const std::string shrink = fmt::format("shrink-{}", name_of(s)),
                      silent = fmt::format("grow-silent-{}", name_of(s));
    const ArmOutcomes *a = find_arm(r.arms, shrink), *b = find_arm(r.arms, silent);
    if (!a || !b) continue;
    const Sign sign = sign_of(paired(*a, *b, Score::test_accuracy), Score::test_accuracy);
    better += sign == Sign::better, worse += sign == Sign::worse;
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name_of(s), versus(r, shrink, silent));
  }
  if (text.empty()) return {};
  return fmt::format(
      "Start large and shrink ({} to {}), or start small and grow ({} to {})? {} Shrinking minus growing by "
      "silent "
      "neurons, at equal cost: {}.",
      r.spec.widest, r.spec.final, r.spec.start, r.spec.final,
      better > 0 && worse == 0   ? "Shrinking is better."
      : worse > 0 && better == 0 ? "Growing is better."
      : better + worse == 0      ? "Not told apart in test accuracy."
                                 : "It depends on the schedule.",
      text);
}

std::string fixed_sentence(const GrowthResults& r) {
  std::string text;
  for (const int width : {r.spec.start, r.spec.widest})
    if (const GrowthRow* row = find_row(r, fmt::format("fixed-{}", width)))
      text +=
          fmt::format("{}{} neurons for {:.0f} epochs {}, training loss {}", text.empty() ? "" : "; ", width,
                      row->epochs.mean, points(row->against[kAccuracy]), losses(row->against[kTrainLoss]));
  return text.empty() ? text : "Other widths from the beginning, for the same cost: " + text + ".";
}

std::string gate_sentence(const GrowthResults& r) {
  std::string text;
  for (const GrowthRow* row : rows_with(r, ArmKind::gate))
    text += fmt::format(
        "{}x0 learning at a rate of {}, it has {:.1f} neurons (sd {:.1f}) when those that it had open have "
        "cost "
        "{:.0f} of the {} neuron-epochs, after {:.1f} epochs: {}, training loss {}",
        text.empty() ? "" : "; ", row->arm.rate, row->size.mean, row->size.sd, row->cost.mean,
        budget_of(r.spec), row->epochs.mean, points(row->against[kAccuracy]),
        losses(row->against[kTrainLoss]));
  if (text.empty()) return {};
  return fmt::format("A size gate that starts at {} of {} neurons and opens by itself (lambda 0): {}.",
                     r.spec.start, r.spec.final, text);
}

/// "1, 3" out of the epochs at which `holds`.
template <class Holds>
std::string epochs_where(const GrowthResults& r, int width, int horizon, Holds holds) {
  std::string epochs;
  for (const GainRow& g : r.gains)
    if (g.width == width && g.horizon == horizon && holds(g.train))
      epochs += fmt::format("{}{}", epochs.empty() ? "" : ", ", g.epoch);
  return epochs;
}

/// ", after 8 epochs, it pays in 12 of 12 cases and costs in 0", at the first and the last horizon.
std::string test_gains(const GrowthResults& r) {
  const std::vector<int> horizons = horizons_of(r.spec);
  std::string text;
  for (const int horizon : horizons) {
    if (horizon != horizons.front() && horizon != horizons.back()) continue;
    int pays = 0, costs = 0, cases = 0;
    for (const GainRow& g : r.gains)
      if (g.horizon == horizon) ++cases, pays += g.test.low > 0, costs += g.test.high < 0;
    text += fmt::format("{} after {} epoch{} it pays in {} of {} cases and costs in {}",
                        text.empty() ? "" : ",", horizon, horizon == 1 ? "" : "s", pays, cases, costs);
  }
  return text;
}

std::string gains_sentence(const GrowthResults& r) {
  if (r.gains.empty()) return {};
  const std::vector<int> horizons = horizons_of(r.spec);
  std::string text;
  for (const int horizon : {horizons.front(), horizons.back()}) {
    if (!text.empty() && horizons.size() == 1) break;
    std::string of_widths;
    for (const int width : growing_widths(r.spec)) {
      const std::string pays =
                            epochs_where(r, width, horizon, [](const MeanInterval&g) { return g.low > 0; }),
                        costs =
                            epochs_where(r, width, horizon, [](const MeanInterval&g) { return g.high < 0; });
      of_widths += fmt::format("{}at {} neurons it {}", of_widths.empty() ? "" : "; ", width,
                               pays.empty() && costs.empty() ? "does neither"
                               : costs.empty()               ? "pays after epochs " + pays
                               : pays.empty()                ? "costs after epochs " + costs
                                              : "pays after epochs " + pays + " and costs after " + costs);
    }
    text += fmt::format("{}looked at after {} epoch{}, {}", text.empty() ? "" : ". And ", horizon,
                        horizon == 1 ? "" : "s", of_widths);
  }
  std::string asked;
  for (const int epoch : r.spec.moments) asked += fmt::format("{}{}", asked.empty() ? "" : ", ", epoch);
  return fmt::format(
      "When to add: a layer doubled by silent neurons (after epochs {}), against it as it is for twice as "
      "many "
      "epochs, 95 % intervals of the gain in training loss: {}. In test loss{}.",
      asked, text, test_gains(r));
}

const Interval& interval_of(const Bootstrap& b) { return std::isfinite(b.bca.low) ? b.bca : b.percentile; }

std::string correlation_text(const Bootstrap& b) {
  return fmt::format("{:+.2f} ({:+.2f} to {:+.2f})", b.estimate, interval_of(b).low, interval_of(b).high);
}

const SignalRow* find_signal(const GrowthResults& r, Signal signal, int width) {
  const auto found = std::ranges::find_if(r.signals, [&](const SignalRow& s) {
    return s.signal == signal && s.width == width && s.horizon == r.spec.horizon;
  });
  return found == r.signals.end() || !std::isfinite(found->train.estimate) ? nullptr : &*found;
}

/// What a correlation within widths comes to.
std::string_view telling(const SignalRow* row) {
  if (!row) return "has no order";
  return interval_of(row->train).low > 0    ? "tells something"
         : interval_of(row->train).high < 0 ? "runs against it"
                                            : "is not told from chance";
}

/// Whether the gradients at the edge tell what adding is worth: judged within widths.
std::string signals_answer(const GrowthResults& r) {
  const SignalRow *silent = find_signal(r, Signal::silent, kWithinWidths),
                  *gate = find_signal(r, Signal::gate, kWithinWidths),
                  *loss = find_signal(r, Signal::loss, kWithinWidths);
  std::string answer =
      fmt::format("That of silent candidates {}, the gate's {}.", telling(silent), telling(gate));
  double best = 0;
  for (const SignalRow* row : {silent, gate})
    if (row) best = std::max(best, row->train.estimate);
  if (loss && interval_of(loss->train).low > 0 && loss->train.estimate >= best)
    answer += " The training loss itself says as much or more.";
  return answer;
}

std::string signals_sentence(const GrowthResults& r) {
  std::string within, all;
  int moments = 0, networks = 0;
  for (const Signal signal : kSignals) {
    if (const SignalRow* row = find_signal(r, signal, kWithinWidths)) {
      moments = row->moments, networks = row->networks;
      within +=
          fmt::format("{}{} {}", within.empty() ? "" : "; ", words_of(signal), correlation_text(row->train));
    }
    if (const SignalRow* row = find_signal(r, signal, kAllWidths))
      all += fmt::format("{}{} {}", all.empty() ? "" : "; ", words_of(signal), correlation_text(row->train));
  }
  if (within.empty()) return {};
  return fmt::format(
      "Does the gradient at the edge tell when to add? {} Spearman with the gain in training loss after {} "
      "epochs, "
      "{} moments of {} networks, mean of the correlations within each width: {}. Over all widths, which "
      "differ in "
      "both for other reasons: {}.",
      signals_answer(r), r.spec.horizon, moments, networks, within, all);
}

std::string sign_sentence(const GrowthResults& r) {
  int opens = 0, pays = 0, both = 0;
  for (const Moment& m : r.moments) {
    const bool gain = m.train_gain.back() > 0;
    opens += m.gate > 0, pays += gain, both += (m.gate > 0) == gain;
  }
  if (r.moments.empty()) return {};
  return fmt::format(
      "The sign of the gate's derivative: the gate would open in {} of {} moments, adding pays after {} "
      "epochs in "
      "{}, and the two agree in {} ({:.0f} %).",
      opens, r.moments.size(), r.spec.horizon, pays, both,
      100.0 * both / static_cast<double>(r.moments.size()));
}

}  // namespace

std::vector<std::string> growth_verdict(const GrowthResults& r) {
  std::vector<std::string> sentences;
  if (r.rows.empty() || r.rows.front().models == 0) {
    sentences.emplace_back(
        "No network of the final width came to the end of its training: there is nothing to compare with.");
    return sentences;
  }
  for (std::string s :
       {basis(r), ever_better(r, ArmKind::grow, "growing"), ever_better(r, ArmKind::shrink, "shrinking"),
        ways_sentence(r), restart_sentence(r), schedule_sentence(r), shrink_sentence(r), fixed_sentence(r),
        gate_sentence(r), gains_sentence(r), signals_sentence(r), sign_sentence(r)})
    if (!s.empty()) sentences.push_back(std::move(s));
  return sentences;
}

}  // namespace shoal
