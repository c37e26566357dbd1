// What the numbers of the sparsifier study say about the journal's statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tools/studies/sparsifier_rows.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using Family = SparsifierFamily;
using Rows = std::span<const SparsifierRow>;
using Found = std::vector<const SparsifierRow*>;

constexpr double kLevel = 0.95;

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }
std::string points(const MeanInterval& d) {
  return std::isfinite(d.low)
             ? fmt::format("{:+.2f} points ({:+.2f} to {:+.2f})", 100 * d.mean, 100 * d.low, 100 * d.high)
             : fmt::format("{:+.2f} points", 100 * d.mean);
}
std::string size_text(const Summary& s) {
  return std::isfinite(s.sd) ? fmt::format("{:.1f} ± {:.1f}", s.mean, s.sd) : fmt::format("{:.1f}", s.mean);
}

/// With a penalty.
Found penalised(Rows rows, Family family) {
  Found found = of_family(rows, family);
  std::erase_if(found, [](const SparsifierRow* r) { return r->lambda == 0.0; });
  std::sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->lambda > b->lambda; });
  return found;
}

const SparsifierRow* without_penalty(Rows rows) {
  for (const SparsifierRow* row : of_family(rows, Family::strict))
    if (row->lambda == 0.0) return row;
  return nullptr;
}

std::string sizes_sentence(Rows rows) {
  std::string text;
  for (const SparsifierRow* row : penalised(rows, Family::strict))
    text += fmt::format("{}{} neurons and {} at lambda {}", text.empty() ? "" : ", ", size_text(row->size),
                        percent(row->test_accuracy.mean), to_text(row->lambda));
  if (text.empty()) return {};
  const SparsifierRow* const none = without_penalty(rows);
  return fmt::format("What is left (mean ± sd over seeds), and its test accuracy: {}{}.", text,
                     none ? fmt::format("; without a penalty {} neurons and {}", size_text(none->size),
                                        percent(none->test_accuracy.mean))
                          : "");
}

/// (a) "the best two lambdas generalise better than no penalty".
std::string generalisation_sentence(Rows rows) {
  const SparsifierRow* const none = without_penalty(rows);
  Found found = penalised(rows, Family::strict);
  if (!none || found.size() < 2) return {};
  // As many comparisons as lambdas: each at a level that keeps all of them together at 95 %.
  const double level = 1.0 - (1.0 - kLevel) / static_cast<double>(found.size());
  std::sort(found.begin(), found.end(),
            [](auto* a, auto* b) { return a->test_accuracy.mean > b->test_accuracy.mean; });
  int better = 0;
  std::string text;
  for (std::size_t i = 0; i < 2; ++i) {
    const MeanInterval d = difference_interval(found[i]->test_accuracies, none->test_accuracies, level);
    better += d.low > 0.0;
    text += fmt::format("{}lambda {} by {}", i ? ", " : "", to_text(found[i]->lambda), points(d));
  }
  const char* const answer = better == 2   ? "yes"
                             : better == 1 ? "one of them does, beyond the spread of the seeds"
                                           : "not beyond the spread of the seeds";
  return fmt::format(
      "\"The best two lambdas generalise better than no penalty\": {}. The best two differ from it in test "
      "accuracy: "
      "{} (intervals of 95 % for all {} lambdas together).",
      answer, text, found.size());
}

/// (c) "the accuracy dip at epoch 2 is neurons dying": it is when Adam can reach 0.
std::string death_sentence(Rows rows) {
  Found found = penalised(rows, Family::rates);
  std::erase_if(found, [](const SparsifierRow* r) { return r->first_deaths.empty(); });
  if (found.empty()) return {};
  std::stable_sort(found.begin(), found.end(), [](auto* a, auto* b) {
    return std::pair(-a->lambda, a->gate_lr) < std::pair(-b->lambda, b->gate_lr);
  });
  std::string text;
  bool never_before = true, could_tell = false;
  double lambda = -1.0;
  for (const SparsifierRow* row : found) {
    const Summary epoch = summarize(row->first_deaths);
    text += text.empty() ? "" : "; ";
    if (row->lambda != lambda) text += fmt::format("lambda {}, ", to_text(lambda = row->lambda));
    text += fmt::format("rate {}: {:.2f} epochs, the first 1 % in epoch {:.1f}", to_text(row->gate_lr),
                        row->earliest_death, epoch.mean);
    // Adam's steps may exceed its rate a little while its second moment is young.
    never_before = never_before && epoch.min >= std::floor(0.9 * row->earliest_death);
    could_tell = could_tell || row->earliest_death >= 1.0;
  }
  return fmt::format(
      "When neurons die: a gate that starts at 1 and moves by at most about its learning rate a step needs 1 "
      "/ rate steps to reach 0 (neurons are counted at the ends of epochs). {}. {}",
      text,
      !never_before ? "Here some die earlier than that, so the step size alone does not set the epoch."
      : could_tell
          ? "No neuron dies before that, whatever lambda: the epoch of the collapse is set by the step "
            "size, not by the task."
          : "With rates so large that is within the first epoch, so that this run cannot tell.");
}

/// Change of the test accuracy in the epoch in which the size fell most, and that of networks without
/// penalty in the same epoch.
std::string dip_sentence(Rows rows) {
  const SparsifierRow* const none = without_penalty(rows);
  if (!none) return {};
  std::string text;
  int dips = 0, all = 0;
  for (const SparsifierRow* row : penalised(rows, Family::strict)) {
    std::size_t worst = 0;
    double fall = 0.0;
    for (std::size_t e = 1; e < row->epoch_size.size(); ++e)
      if (row->epoch_size[e - 1] - row->epoch_size[e] > fall)
        fall = row->epoch_size[e - 1] - row->epoch_size[e], worst = e;
    if (worst == 0 || fall < 0.1 * row->width || !(worst < none->epoch_accuracy.size())) continue;
    const double own = row->epoch_accuracy[worst] - row->epoch_accuracy[worst - 1],
                 other = none->epoch_accuracy[worst] - none->epoch_accuracy[worst - 1];
    ++all, dips += own < other && own < 0.0;
    text += fmt::format(
        "{}lambda {}: {:.0f} neurons go in epoch {}, accuracy {:+.2f} points (without penalty {:+.2f})",
        text.empty() ? "" : "; ", to_text(row->lambda), fall, worst + 1, 100 * own, 100 * other);
  }
  if (all == 0) return {};
  return fmt::format(
      "\"The dip in accuracy is neurons dying\": {} ({} of {} lambdas with a collapse dip in that very "
      "epoch). {}.",
      dips == all ? "yes"
      : dips == 0 ? "no"
                  : "in part",
      dips, all, text);
}

std::string settled_sentence(Rows rows, int epochs) {
  std::string text;
  int yes = 0, no = 0;
  for (const SparsifierRow* row : penalised(rows, Family::strict)) {
    const Settled s = settled(*row);
    yes += s == Settled::yes, no += s == Settled::no;
    if (s != Settled::no) continue;
    text += fmt::format("{}lambda {}: {:+.1f} % ({:+.1f} to {:+.1f})", text.empty() ? "" : ", ",
                        to_text(row->lambda), 100 * row->late_change.mean, 100 * row->late_change.low,
                        100 * row->late_change.high);
  }
  if (yes + no == 0) return {};
  if (no == 0)
    return fmt::format(
        "The sizes have settled after {} epochs: over the last quarter of them no mean size changes by "
        "more than 1 % (95 % intervals).",
        epochs);
  return fmt::format(
      "The sizes have not all settled after {} epochs. Over the last quarter of them they change by {}; "
      "{} of {} settings stay within 1 %.",
      epochs, text, yes, yes + no);
}

/// C3: does the starting size influence the final size?
std::string start_sentence(Rows rows) {
  std::vector<double> lambdas;
  for (const SparsifierRow* row : of_family(rows, Family::starts))
    if (std::find(lambdas.begin(), lambdas.end(), row->lambda) == lambdas.end())
      lambdas.push_back(row->lambda);
  std::string text;
  int depends = 0, asked = 0;
  for (const double lambda : lambdas) {
    const MeanInterval e = start_exponent(rows, lambda);
    if (!std::isfinite(e.low)) continue;
    Found found = of_family(rows, Family::starts);
    std::erase_if(found, [&](const SparsifierRow* r) { return r->lambda != lambda; });
    std::sort(found.begin(), found.end(), [](auto* a, auto* b) { return a->width < b->width; });
    const SparsifierRow &low = *found.front(), &high = *found.back();
    ++asked, depends += !(e.low <= 0.0 && e.high >= 0.0);
    text += fmt::format(
        "{}lambda {}: from {} to {} neurons at the start the final size goes from {} to {}, as start^{:.3f} "
        "({:.3f} to "
        "{:.3f}), and the test accuracy from {} to {}",
        text.empty() ? "" : "; ", to_text(lambda), low.width, high.width, size_text(low.size),
        size_text(high.size), e.mean, e.low, e.high, percent(low.test_accuracy.mean),
        percent(high.test_accuracy.mean));
  }
  if (asked == 0) return {};
  return fmt::format("\"Does the starting size influence the final size?\" {}. {}.",
                     depends == asked ? "Yes"
                     : depends == 0   ? "Not that these seeds could show"
                                      : "For some lambdas",
                     text);
}

/// Strict, switch, L2, Smallify, hard-concrete: at what size, how much better than a plain network of it.
std::string kinds_sentence(Rows rows) {
  std::string text;
  for (const Family family : {Family::strict, Family::strict_l2, Family::gate_switch, Family::switch_l2,
                              Family::smallify, Family::hard_concrete})
    for (const SparsifierRow* row : penalised(rows, family)) {
      if (family == Family::strict) {
        const Found rivals = of_family(rows, Family::gate_switch);
        if (std::none_of(rivals.begin(), rivals.end(), [&](auto* r) { return r->lambda == row->lambda; }))
          continue;
      }
      const double plain = accuracy_of_fixed(rows, row->size.mean);
      text += fmt::format("{}{} at lambda {}: {} neurons, {}{}", text.empty() ? "" : "; ", words_of(family),
                          to_text(row->lambda), size_text(row->size), percent(row->test_accuracy.mean),
                          std::isfinite(plain)
                              ? fmt::format(" ({:+.2f} points)", 100 * (row->test_accuracy.mean - plain))
                              : "");
    }
  if (text.empty()) return {};
  return fmt::format(
      "The kinds of gates, in brackets the difference to a plain network of the same size: {}.", text);
}

/// T7: the penalty has no minimum, the gates shrink and the weights behind them grow.
std::string scale_sentence(Rows rows) {
  const Found strict = penalised(rows, Family::strict), l2 = penalised(rows, Family::strict_l2);
  for (const SparsifierRow* a : strict)
    for (const SparsifierRow* b : l2) {
      if (a->lambda != b->lambda || !std::isfinite(a->open_gate) || !std::isfinite(b->open_gate)) continue;
      return fmt::format(
          "The penalty alone has no minimum (smaller gates, larger weights): at lambda {} the gates that are "
          "left have "
          "gone from 1 to {:.3f} without L2 and to {:.3f} with L2 {}.",
          to_text(a->lambda), a->open_gate, b->open_gate, to_text(b->l2));
    }
  return {};
}

}  // namespace

std::vector<std::string> sparsifier_verdict(Rows rows, int epochs) {
  std::vector<std::string> sentences;
  for (std::string sentence :
       {sizes_sentence(rows), generalisation_sentence(rows), death_sentence(rows), dip_sentence(rows),
        settled_sentence(rows, epochs), start_sentence(rows), kinds_sentence(rows), scale_sentence(rows)})
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  return sentences;
}

/// (b) "for a given lambda Fashion is always larger".
std::string size_comparison(const std::string& first, Rows a, const std::string& second, Rows b) {
  std::string text;
  int larger = 0, smaller = 0, all = 0;
  for (const SparsifierRow* row : penalised(a, Family::strict))
    for (const SparsifierRow* other : penalised(b, Family::strict)) {
      if (row->lambda != other->lambda) continue;
      const MeanInterval d = difference_interval(other->sizes, row->sizes);
      ++all, larger += d.low > 0.0, smaller += d.high < 0.0;
      text += fmt::format("{}lambda {}: {} and {}", text.empty() ? "" : "; ", to_text(row->lambda),
                          size_text(row->size), size_text(other->size));
    }
  if (all == 0) return {};
  return fmt::format(
      "\"For a given lambda {} needs more neurons than {}\": {}. It is larger beyond the spread of the seeds "
      "for {} of {} "
      "lambdas and smaller for {} ({} and {}: {}).",
      second, first,
      larger == all ? "yes, always"
      : smaller > 0 ? "no"
      : larger > 0  ? "not always"
                    : "not that these seeds could show",
      larger, all, smaller, first, second, text);
}

}  // namespace shoal
