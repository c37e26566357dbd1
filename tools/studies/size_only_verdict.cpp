// What the numbers say about training only the size.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/line.h"
#include "tools/studies/at_width.h"
#include "tools/studies/size_only_rows.h"

namespace shoal {
namespace {

using Rows = std::span<const SizeOnlyRow>;

std::string size_text(const Summary& s) {
  return std::isfinite(s.sd) ? fmt::format("{:.0f} ± {:.0f}", s.mean, s.sd) : fmt::format("{:.0f}", s.mean);
}
std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Whether the end depends on where x0 started.
std::string start_sentence(const SizeOnlySpec& s, Rows rows) {
  std::vector<double> start, size;
  std::vector<std::string> parts;
  for (const SizeOnlyRow* r : by_start(s, rows)) {
    parts.push_back(fmt::format("{} from {:g}", size_text(r->size), r->start));
    for (const double x : r->sizes) start.push_back(r->start), size.push_back(x);
  }
  if (parts.size() < 2) return {};
  const Line line = fit_line(start, size);
  return fmt::format(
      "Does the size that is found depend on the start (weights at rest, lambda {})? {}: x0 ends at {}; "
      "{:.2f} of "
      "a difference in the start is left in the end (R^2 {:.2f}).",
      s.start_penalty,
      std::abs(line.slope) < 0.1 ? "No"
      : line.slope > 0.5         ? "Yes"
                                 : "In part",
      joined(parts), line.slope, line.r2);
}

std::string late_sentence(const SizeOnlySpec& s, Rows rows) {
  int moving = 0, all = 0;
  double most = 0;
  for (const SizeOnlyRow* r : by_penalty(s, rows, SizeTraining::frozen)) {
    ++all;
    const bool rests = std::abs(r->late.mean) < 0.01 * r->width || (r->late.low <= 0 && r->late.high >= 0);
    moving += !rests;
    most = std::max(most, std::abs(r->late.mean));
  }
  if (all == 0) return {};
  return fmt::format(
      "Has x0 come to rest? With weights at rest {} of {} lambdas still move it by more than 1 % of the "
      "layer "
      "an epoch in the last quarter; the fastest by {:.1f} neurons.",
      moving == 0 ? "none" : std::to_string(moving), all, most);
}

/// Where the descents ended beside the lowest place of what they descend on.
std::string lowest_sentence(const SizeOnlySpec& s, Rows rows, const Landscape& l) {
  if (l.of.empty()) return {};
  std::vector<std::string> parts;
  for (const SizeOnlyRow* r : by_penalty(s, rows, SizeTraining::frozen)) {
    std::vector<double> lowest;
    for (const CutCurve& c : l.of[0]) lowest.push_back(basin_of(l.x0, c, r->penalty, s.neurons).lowest_at);
    parts.push_back(fmt::format("lambda {}: {}, lowest at {}", r->penalty, size_text(r->size),
                                size_text(summarize(lowest))));
  }
  if (parts.empty()) return {};
  return fmt::format(
      "Final x0 from the middle, and where the objective of the trained network is lowest (on a grid of {:g} "
      "neurons): {}.",
      l.x0[1] - l.x0[0], joined(parts));
}

std::string minima_sentence(const SizeOnlySpec& s, const Landscape& l) {
  if (l.of.empty() || s.penalties.empty()) return {};
  std::vector<double> minima[kNeuronOrders];
  for (int order = 0; order < kNeuronOrders; ++order)
    for (const double penalty : s.penalties)
      for (const CutCurve& c : l.of[static_cast<std::size_t>(order)])
        minima[order].push_back(basin_of(l.x0, c, penalty, s.neurons).minima);
  const Summary trained = summarize(minima[0]), greedy = summarize(minima[2]);
  return fmt::format(
      "Local minima of the objective along x0: {:.1f} on the average with the neurons as they are (up to "
      "{:.0f}), "
      "{:.1f} (up to {:.0f}) sorted by the rise of the loss taken anew.",
      trained.mean, trained.max, greedy.mean, greedy.max);
}

std::string sorted_sentence(const Landscape& l) {
  if (l.of.empty()) return {};
  constexpr double kPoints = 0.005;
  const auto mean_enough = [&](const std::vector<CutCurve>& curves) {
    std::vector<double> sizes;
    for (const CutCurve& c : curves) sizes.push_back(enough_for(l.x0, c, kPoints));
    return summarize(sizes);
  };
  const std::size_t half = l.x0.size() / 2;
  std::vector<std::string> kept, enough;
  for (std::size_t order = 0; order < l.of.size(); ++order) {
    const std::string_view words = words_of(static_cast<NeuronOrder>(order));
    kept.push_back(fmt::format("{} {}", percent(l.accuracy[order][half].mean), words));
    enough.push_back(size_text(mean_enough(l.of[order])));
  }
  const double trained = mean_enough(l.of[0]).mean, greedy = mean_enough(l.of[2]).mean;
  return fmt::format(
      "Test accuracy with half of the neurons: {}; with all {}. Half a point below that is kept from {} "
      "neurons on, "
      "in this order. {}",
      joined(kept), percent(l.accuracy[0].back().mean), joined(enough),
      greedy < 0.75 * trained
          ? "The gate cuts by place, and no neuron of a network that was trained without it knows its place."
          : "Sorting the neurons helps little.");
}

/// Plain accuracy at a size, between the widths that were trained.
double plain_accuracy(const std::vector<const SizeOnlyRow*>& plain, double size) {
  std::map<double, double> by_width;
  for (const SizeOnlyRow* r : plain) by_width[r->width] = r->test_accuracy.mean;
  return at_width(by_width, size);
}

std::string together_sentence(const SizeOnlySpec& s, Rows rows) {
  const auto frozen = by_penalty(s, rows, SizeTraining::frozen),
             together = by_penalty(s, rows, SizeTraining::together), plain = plain_rows(rows);
  std::vector<std::string> parts;
  for (const SizeOnlyRow* f : frozen)
    for (const SizeOnlyRow* t : together) {
      if (f->penalty != t->penalty) continue;
      const auto with_plain = [&](const SizeOnlyRow& r) {
        const double beside = plain_accuracy(plain, std::min(r.size.mean, 1.0 * r.width));
        return fmt::format("{} neurons, {}{}", size_text(r.size), percent(r.test_accuracy.mean),
                           std::isfinite(beside) ? fmt::format(" (plain {})", percent(beside)) : "");
      };
      parts.push_back(
          fmt::format("lambda {}: {} at rest; {} together", f->penalty, with_plain(*f), with_plain(*t)));
    }
  if (parts.empty()) return {};
  return fmt::format(
      "Size and test accuracy with the weights at rest, and with weights and size trained together (plain: "
      "networks "
      "of that size): {}.",
      fmt::join(parts, "; "));
}

/// The lambdas at which a network is worse than a plain one of its size by more than two standard errors.
struct Worse {
  int lambdas = 0, compared = 0;
};
Worse worse_than_plain(const SizeOnlySpec& s, Rows rows, SizeTraining training) {
  const auto plain = plain_rows(rows);
  Worse w;
  for (const SizeOnlyRow* r : by_penalty(s, rows, training)) {
    const double beside = plain_accuracy(plain, std::min(r->size.mean, 1.0 * r->width));
    if (!std::isfinite(beside)) continue;
    ++w.compared;
    w.lambdas += r->test_accuracy.mean + 2 * r->test_accuracy.standard_error < beside;
  }
  return w;
}

/// Sorted first, trained after that.
std::string sorted_training_sentence(const SizeOnlySpec& s, Rows rows, const Landscape& l) {
  std::vector<std::string> parts;
  for (const SizeOnlyRow* r : by_penalty(s, rows, SizeTraining::sorted)) {
    std::vector<double> lowest;
    for (const CutCurve& c : l.of[2]) lowest.push_back(basin_of(l.x0, c, r->penalty, s.neurons).lowest_at);
    parts.push_back(fmt::format("lambda {}: {} neurons, {} (lowest at {})", r->penalty, size_text(r->size),
                                percent(r->test_accuracy.mean), size_text(summarize(lowest))));
  }
  if (parts.empty()) return {};
  const Worse w = worse_than_plain(s, rows, SizeTraining::sorted);
  return fmt::format(
      "Sorted by the rise taken anew, and the size trained after that, weights at rest: {}. Worse than a "
      "plain "
      "network of that size at {} of {} lambdas.",
      joined(parts), w.lambdas, w.compared);
}

std::string answer(const SizeOnlySpec& s, Rows rows) {
  const Worse w = worse_than_plain(s, rows, SizeTraining::frozen);
  if (w.compared == 0) return {};
  return fmt::format(
      "Is it worth while to train only the size of a trained network? {}: at {} of {} lambdas it is worse "
      "than a "
      "plain network of the size that it finds, by more than two standard errors.",
      w.lambdas * 2 > w.compared ? "No"
      : w.lambdas == 0           ? "It does no harm"
                                 : "Sometimes",
      w.lambdas, w.compared);
}

}  // namespace

std::vector<std::string> size_only_verdict(const SizeOnlySpec& s, Rows rows, const Landscape& l) {
  std::vector<std::string> all{start_sentence(s, rows),     late_sentence(s, rows),
                               lowest_sentence(s, rows, l), minima_sentence(s, l),
                               sorted_sentence(l),          sorted_training_sentence(s, rows, l),
                               together_sentence(s, rows),  answer(s, rows)};
  std::erase(all, "");
  return all;
}

}  // namespace shoal
