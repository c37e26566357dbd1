// What the ordering study's numbers say.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/ordering_rows.h"

namespace shoal {
namespace {

std::vector<Agreement> at_width(const OrderingResults& r, int width) {
  std::vector<Agreement> some;
  for (const Agreement& a : r.agreements)
    if (a.width == width) some.push_back(a);
  return some;
}

const Agreement* find(std::span<const Agreement> some, Measure proxy) {
  const auto found = std::ranges::find_if(some, [&](const Agreement& a) { return a.proxy == proxy; });
  return found == some.end() ? nullptr : &*found;
}

std::string correlation_text(const Agreement& a) {
  const Interval i = std::isfinite(a.spearman.bca.low) ? a.spearman.bca : a.spearman.percentile;
  return fmt::format("{:.2f} (95 %: {:.2f} to {:.2f})", a.spearman.estimate, i.low, i.high);
}

/// "strong", ... for a rank correlation.
std::string_view strength(double rho) {
  return rho >= 0.9   ? "follows it closely"
         : rho >= 0.7 ? "follows it"
         : rho >= 0.4 ? "follows it roughly"
         : rho >= 0.2 ? "hardly follows it"
                      : "does not follow it";
}

std::string proxies_sentence(const OrderingResults& r, int width) {
  std::vector<Agreement> some = at_width(r, width);
  std::erase_if(some, [](const Agreement& a) { return !std::isfinite(a.spearman.estimate); });
  if (some.empty()) return {};
  std::ranges::sort(
      some, [](const Agreement& a, const Agreement& b) { return a.spearman.estimate > b.spearman.estimate; });
  const Agreement &best = some.front(), &worst = some.back();
  std::string text = fmt::format(
      "Against the exact rise of the training loss when a neuron is removed, at width {} ({} network{}): the "
      "best of {} proxies is \"{}\", Spearman {}, Kendall {:.2f}",
      width, best.models, best.models == 1 ? "" : "s", some.size(), words_of(best.proxy),
      correlation_text(best), best.kendall.estimate);
  // The best of those that look at the network alone, or at its activations without labels.
  const auto free =
      std::ranges::find_if(some, [](const Agreement& a) { return a.proxy < Measure::gate_gradient; });
  if (free != some.end() && free != some.begin())
    text += fmt::format("; the best without gradients is \"{}\", {}", words_of(free->proxy),
                        correlation_text(*free));
  return text + fmt::format("; the worst is \"{}\", {}.", words_of(worst.proxy), correlation_text(worst));
}

std::string sd_sentence(const OrderingResults& r, int width) {
  const std::vector<Agreement> some = at_width(r, width);
  const Agreement* sd = find(some, Measure::sd);
  if (!sd || !std::isfinite(sd->spearman.estimate)) return {};
  return fmt::format(
      "\"A neuron's standard deviation tells its importance\": it {}, Spearman {}; of the quarter of the "
      "neurons "
      "that matter most, {:.0f} % are in the quarter with the largest sd (25 % by chance).",
      strength(sd->spearman.estimate), correlation_text(*sd), 100 * sd->top_quarter);
}

std::string gradient_sentence(const OrderingResults& r, int width) {
  const std::vector<Agreement> some = at_width(r, width);
  const Agreement *g = find(some, Measure::gate_gradient), *one = find(some, Measure::taylor1),
                  *two = find(some, Measure::taylor2);
  if (!g || !one || !two || !std::isfinite(two->spearman.estimate)) return {};
  std::string text = fmt::format(
      "A gate's gradient {} the order at width {}: Spearman {:.2f} without its sign, {:.2f} as the first "
      "Taylor "
      "term; with the second term it is {:.2f}.",
      std::max(g->spearman.estimate, one->spearman.estimate) >= 0.7 ? "gives" : "does not give", width,
      g->spearman.estimate, one->spearman.estimate, two->spearman.estimate);
  const auto found =
      std::ranges::find_if(r.removability, [&](const Removability& s) { return s.width == width; });
  if (found == r.removability.end()) return text;
  return text + fmt::format(
                    " Of the second-order estimate {:.0f} % is in the slope, which would be 0 at a minimum: "
                    "{}; {:.0f} "
                    "% of the neurons lower the training loss when they are taken out.",
                    100 * found->first_order,
                    found->first_order >= 0.5
                        ? "the exact order is mostly that of a gradient that training has not driven to 0"
                    : found->first_order >= 0.2
                        ? "the exact order is part curvature, part a gradient that training "
                          "has not driven to 0"
                        : "the exact order is that of the curvature",
                    100 * found->helped);
}

const Movement* find(const OrderingResults& r, int width, Measure measure, int from, int to) {
  for (const Movement& m : r.movements)
    if (m.width == width && m.measure == measure && m.from == from && m.to == to) return &m;
  return nullptr;
}

std::string stability_sentence(const OrderingResults& r, int width) {
  if (r.epochs.size() < 2) return {};
  const int first = r.epochs.front(), before = r.epochs[r.epochs.size() - 2], last = r.epochs.back();
  const Movement *early = find(r, width, Measure::exact, first, last),
                 *late = find(r, width, Measure::exact, before, last);
  if (!early || !late) return {};
  std::string text = fmt::format(
      "The exact order at width {} {}: between epochs {} and {} a neuron moves by {:.1f} % of the width on "
      "average (33 "
      "% at random), and {:.0f} % of the most important quarter stay in it (25 % at random)",
      width,
      late->spearman.mean >= 0.9   ? "is settled"
      : late->spearman.mean >= 0.7 ? "still moves"
                                   : "is not settled",
      before, last, 100 * late->moved.mean, 100 * late->overlap.mean);
  if (first != before)
    text += fmt::format("; of the quarter at epoch {}, {:.0f} % are in the last one (Spearman {:.2f})", first,
                        100 * early->overlap.mean, early->spearman.mean);
  const Movement *sd = find(r, width, Measure::sd, before, last),
                 *out = find(r, width, Measure::l2_out, before, last);
  if (sd && out)
    text += fmt::format(
        ". Between the same epochs the order of the sds has Spearman {:.2f}, that of the outgoing "
        "norms {:.2f}, the exact one {:.2f}",
        sd->spearman.mean, out->spearman.mean, late->spearman.mean);
  return text + ".";
}

std::string pruning_sentence(const OrderingResults& r, std::size_t w) {
  if (r.pruned.empty()) return {};
  const int width = r.widths[w];
  const double goal = r.whole[w].mean - 0.01;
  const auto words = [&](Pruning by) {
    const int k = kept_for(r.pruned, width, by, goal);
    return k > 0 ? fmt::format("{}", k) : std::string("more than all");
  };
  Pruning best = Pruning::sd;
  int fewest = 0;
  for (int i = 1; i < kMeasures; ++i) {
    const int k = kept_for(r.pruned, width, static_cast<Pruning>(i), goal);
    if (k > 0 && (fewest == 0 || k < fewest)) fewest = k, best = static_cast<Pruning>(i);
  }
  const int exact = kept_for(r.pruned, width, Pruning::exact, goal),
            greedy = kept_for(r.pruned, width, Pruning::greedy, goal);
  return fmt::format(
      "Pruned without training afterwards, the networks of width {} (test accuracy {:.2f} %) stay within one "
      "point "
      "with {} neurons by the exact order, {} when the rise is taken anew after every removal, {} by the "
      "best proxy "
      "(\"{}\"), {} by sd, {} in random order, of the counts that were tried. {}",
      width, 100 * r.whole[w].mean, words(Pruning::exact), words(Pruning::greedy), words(best),
      words_of(static_cast<Measure>(best)), words(Pruning::sd), words(Pruning::random),
      fewest > 0 && exact > 0 && fewest < exact ? "The order of single removals is not the best order to "
                                                  "prune by: it does not see what neurons do together."
      : greedy > 0 && exact > 0 && greedy < exact
          ? "Removals are not independent: an order made once does not see what neurons do together."
          : "No proxy does better than the exact order.");
}

}  // namespace

std::vector<std::string> verdict(const OrderingResults& r) {
  std::vector<std::string> sentences;
  if (r.widths.empty()) return sentences;
  const int width = r.widths.back();
  for (std::string s : {proxies_sentence(r, width), sd_sentence(r, width), gradient_sentence(r, width),
                        stability_sentence(r, width), pruning_sentence(r, r.widths.size() - 1)})
    if (!s.empty()) sentences.push_back(std::move(s));
  return sentences;
}

}  // namespace shoal
