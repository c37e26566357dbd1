// What the numbers of the plateau study say about the journal's statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/plateau_rows.h"

namespace shoal {
namespace {

using Rows = std::span<const PlateauRow>;

std::string size_text(const Summary& s) {
  return std::isfinite(s.sd) ? fmt::format("{:.0f} ± {:.0f}", s.mean, s.sd) : fmt::format("{:.0f}", s.mean);
}
std::string share_text(const Summary& s) {
  if (!std::isfinite(s.mean)) return "none there";
  return std::isfinite(s.sd) ? fmt::format("{:.3g} ± {:.2g} %", 100 * s.mean, 100 * s.sd)
                             : fmt::format("{:.3g} %", 100 * s.mean);
}
std::string growth_text(const MeanInterval& g) {
  return std::isfinite(g.low) ? fmt::format("{:+.2f} ({:+.2f} to {:+.2f})", g.mean, g.low, g.high)
                              : fmt::format("{:+.2f}", g.mean);
}

/// The journal's is 1e-3; the strongest that was trained stands for it.
double strongest(const std::vector<double>& strengths) {
  return strengths.empty() ? 0.0 : *std::ranges::max_element(strengths);
}

std::string weights_sentence(const PlateauRow& r, std::string_view claim, bool holds) {
  return fmt::format(
      "\"{}\": {}. From x0 = {:g}, decay {}, the sums of absolute outgoing weights, as shares of their mean "
      "before training: {} from {:g} neurons beyond x0 on, {} between the gate's edge and there, {} inside.",
      claim, holds ? "yes" : "no", r.start, name_of(r), share_text(r.far), kFar, share_text(r.beyond),
      share_text(r.inside));
}

/// Weights beyond the gate, with the journal's decay and without any.
void add_weights(std::vector<std::string>& all, Rows rows, const PlateauSpec& s) {
  const double l2 = strongest(s.coupled);
  for (const double start : s.starts) {
    if (const PlateauRow* r = find_row(rows, Decay::coupled, l2, start); l2 > 0 && r)
      all.push_back(
          weights_sentence(*r, "With L2 outgoing weights beyond the gate are zero", r->far.mean < 0.01));
    if (const PlateauRow* r = find_row(rows, Decay::none, 0.0, start))
      all.push_back(weights_sentence(*r, "Without L2 weights beyond the gate keep their initial level",
                                     std::abs(r->far.mean - 1) < 0.05));
  }
}

/// Whether x0 stops with L2 and goes on without.
std::string plateau_sentence(Rows rows, const PlateauSpec& s, double start) {
  const double l2 = strongest(s.coupled);
  const PlateauRow *with = find_row(rows, Decay::coupled, l2, start),
                   *without = find_row(rows, Decay::none, 0.0, start);
  if (!(l2 > 0) || !with || !without) return {};
  const MeanInterval d = difference_interval(with->sizes, without->sizes);
  const bool smaller = d.high < 0, stands = with->growth.mean < 0.25 * without->growth.mean;
  return fmt::format(
      "\"L2 causes the plateau\", from x0 = {:g}: {}. x0 ends at {} with L2 {} and at {} without ({:+.0f}, "
      "95 % "
      "{:+.0f} to {:+.0f}); over the last quarter of the epochs it moves by {} and by {} neurons an epoch.",
      start,
      smaller && stands ? "yes"
      : smaller         ? "it makes the layer smaller, but x0 has not come to rest"
                        : "not seen",
      size_text(with->size), l2, size_text(without->size), d.mean, d.low, d.high, growth_text(with->growth),
      growth_text(without->growth));
}

/// The same strength through Adam and beside it.
std::string adam_sentence(Rows rows, const PlateauSpec& s, double start) {
  std::string text;
  for (const double strength : s.coupled) {
    const PlateauRow *through = find_row(rows, Decay::coupled, strength, start),
                     *beside = find_row(rows, Decay::decoupled, strength, start);
    if (!through) continue;
    text += fmt::format("{}coupled {}: x0 {}, weights far beyond {}", text.empty() ? "" : "; ", strength,
                        size_text(through->size), share_text(through->far));
    if (beside)
      text += fmt::format(" (decoupled, of the same strength: {}, {})", size_text(beside->size),
                          share_text(beside->far));
  }
  for (const double strength : s.decoupled) {
    const PlateauRow* beside = find_row(rows, Decay::decoupled, strength, start);
    if (!beside || std::ranges::find(s.coupled, strength) != s.coupled.end()) continue;
    text +=
        fmt::format("; decoupled {}: x0 {}, {}", strength, size_text(beside->size), share_text(beside->far));
  }
  if (text.empty()) return {};
  return fmt::format(
      "Why, from x0 = {:g}: {}. Adam divides the gradient by its own size: where the loss asks for nothing, "
      "L2 "
      "of any strength well above eps takes lr off a weight in every step, and decay beside Adam takes lr "
      "times "
      "its strength.",
      start, text);
}

/// How much of what L2 takes off the layer other decays take off, too.
std::string share_sentence(Rows rows, const PlateauSpec& s, double start) {
  const double most = strongest(s.coupled);
  const PlateauRow *with = find_row(rows, Decay::coupled, most, start),
                   *without = find_row(rows, Decay::none, 0.0, start);
  if (!with || !without) return {};
  const double effect = without->size.mean - with->size.mean;
  if (!(effect > 1)) return {};
  std::string text;
  for (const PlateauRow& r : rows)
    if (r.start == start && r.models > 0 && &r != with && &r != without)
      text += fmt::format("{}{} takes {:.0f} %", text.empty() ? "" : ", ", name_of(r),
                          100 * (without->size.mean - r.size.mean) / effect);
  if (text.empty()) return {};
  return fmt::format("Of the {:.0f} neurons that {} takes off x0 from {:g}, {}.", effect, name_of(*with),
                     start, text);
}

std::string starts_sentence(Rows rows, const PlateauSpec& s) {
  if (s.starts.size() < 2) return {};
  std::string text;
  for (const PlateauRow& r : rows) {
    if (r.models == 0 || r.start != s.starts.front()) continue;
    const PlateauRow* other = find_row(rows, r.decay, r.strength, s.starts.back());
    if (!other) continue;
    text += fmt::format("{}{}: {} and {}", text.empty() ? "" : "; ", name_of(r), size_text(r.size),
                        size_text(other->size));
  }
  if (text.empty()) return {};
  return fmt::format("Final x0 from x0 = {:g} and from {:g}, by decay: {}.", s.starts.front(),
                     s.starts.back(), text);
}

}  // namespace

std::vector<std::string> plateau_verdict(const PlateauSpec& s, Rows rows) {
  std::vector<std::string> all;
  add_weights(all, rows, s);
  for (const double start : s.starts) all.push_back(plateau_sentence(rows, s, start));
  if (!s.starts.empty()) all.push_back(adam_sentence(rows, s, s.starts.front()));
  for (const double start : s.starts) all.push_back(share_sentence(rows, s, start));
  all.push_back(starts_sentence(rows, s));
  std::erase(all, "");
  return all;
}

}  // namespace shoal
