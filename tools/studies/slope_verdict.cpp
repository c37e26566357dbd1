// What the numbers of random and fixed slopes, and of gates on or off by chance, say about the journal's
// statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/rank.h"
#include "tools/studies/slope_onoff.h"
#include "tools/studies/slope_rows.h"

namespace shoal {
namespace {

using C = GateCurve;
using Rows = std::vector<SlopeRow>;

std::string listed(const std::vector<std::string>& parts, const char* separator = "; ") {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string yes(const MeanInterval& gap) {
  if (!std::isfinite(gap.low)) return "not known";  // of one network each
  return gap.low > 0 ? "yes" : gap.high < 0 ? "no, less" : "no difference is seen";
}

MeanInterval between(const SlopeRow& a, const SlopeRow& b, GateValue value, int epoch, double scale = 1) {
  return gap_at(a.models, epoch, b.models, epoch, value, scale);
}

std::string size_sentence(const SlopeSpec& s, const Rows& rows) {
  std::vector<std::string> sizes;
  for (const SlopeRow& row : rows) {
    const std::string closed = row.closed > 0
                                   ? fmt::format(" ({} of {} have closed)", row.closed,
                                                 row.closed + static_cast<std::int64_t>(row.models.size()))
                                   : "";
    if (row.models.empty()) {
      if (row.closed > 0) sizes.push_back(words_of(row.arm) + ": none" + closed);
      continue;
    }
    const auto at = [&](int epoch) { return mean_interval(values_at(row.models, &C::size, epoch)); };
    sizes.push_back(fmt::format("{}: {} and {}{}", words_of(row.arm), with_interval(at(s.epochs / 2), 1),
                                with_interval(at(s.epochs), 1), closed));
  }
  return fmt::format("x0 (95 % interval) after {} and {} epochs: {}.", s.epochs / 2, s.epochs, listed(sizes));
}

/// How much of the difference is the zone, how much that the slope is random.
std::string parts_sentence(const SlopeSpec& s, const Rows& rows) {
  const SlopeRow *random = find_arm(rows, SlopeKind::random), *matched = find_arm(rows, SlopeKind::mean_zone),
                 *journal = find_arm(rows, SlopeKind::journal), *by_k = find_arm(rows, SlopeKind::mean_slope);
  if (!random || !matched) return {};
  std::vector<std::string> parts;
  const MeanInterval fair = between(*random, *matched, &C::size, s.epochs);
  std::string text =
      fmt::format("\"A random slope makes larger layers\": with the same mean zone, {}: {} neurons",
                  yes(fair), with_interval(fair, 1));
  if (by_k)
    text += fmt::format("; with the same mean k, {}",
                        with_interval(between(*random, *by_k, &C::size, s.epochs), 1));
  if (journal) {
    const MeanInterval all = between(*random, *journal, &C::size, s.epochs),
                       zone = between(*matched, *journal, &C::size, s.epochs);
    text += fmt::format(
        ". Against the journal's zone of {:.0f}, {}: {}; of these the zone alone makes {}, the randomness "
        "{:.1f}",
        journal->arm.zone, yes(all), with_interval(all, 1), with_interval(zone, 1), fair.mean);
  }
  const double mixed = mixed_size(s, rows, s.epochs);
  if (std::isfinite(mixed))
    text +=
        fmt::format(". Fixed zones averaged over the same {:g} to {:g} give {:.1f}, the random one {:.1f}",
                    s.zone_low, s.zone_high, mixed, summary_at(random->models, &C::size, s.epochs).mean);
  return text + ".";
}

std::string zone_sentence(const SlopeSpec& s, const Rows& rows) {
  std::vector<double> zone, size;
  for (const SlopeRow& row : rows) {
    if (row.arm.kind == SlopeKind::random) continue;
    for (const double x : values_at(row.models, &C::size, s.epochs))
      zone.push_back(row.arm.zone), size.push_back(x);
  }
  if (zone.size() < 4) return {};
  const RankCorrelations rank = rank_correlations(zone, size);
  return fmt::format(
      "What the zone alone does, over the fixed slopes whose networks have not closed: {} (Spearman's rho of "
      "zone and x0 {:.2f}, p = "
      "{:.2g}, {} models).",
      !(rank.spearman_p < 0.05) ? "no trend is seen"
      : rank.spearman > 0       ? "wider zones end larger"
                                : "wider zones end smaller",
      rank.spearman, rank.spearman_p, zone.size());
}

std::string loss_sentence(const SlopeSpec& s, const Rows& rows) {
  const SlopeRow* random = find_arm(rows, SlopeKind::random);
  std::vector<std::string> parts;
  for (const SlopeKind kind : {SlopeKind::mean_zone, SlopeKind::journal}) {
    const SlopeRow* other = find_arm(rows, kind);
    if (!random || !other) continue;
    const auto gap = [&](GateValue value, double scale) {
      return between(*random, *other, value, s.epochs, scale);
    };
    parts.push_back(fmt::format(
        "than {}: training loss {}: {}, test loss {}: {}, test accuracy {} points", words_of(other->arm),
        yes(gap(&C::train_loss, 1)), with_interval(gap(&C::train_loss, 1), 5), yes(gap(&C::test_loss, 1)),
        with_interval(gap(&C::test_loss, 1), 4), with_interval(gap(&C::test_accuracy, 100), 2)));
  }
  if (parts.empty()) return {};
  return fmt::format("\"A random slope has the higher loss\", {}.", listed(parts));
}

std::string growth_sentence(const SlopeSpec& s, const Rows& rows) {
  std::vector<std::string> parts;
  double log = 0, line = 0, log_error = 0, power_error = 0, saturating_error = 0;
  int count = 0;
  for (const SlopeRow& row : rows) {
    const Growth g = growth_of(row.models, 0, s.epochs);
    if (row.arm.kind == SlopeKind::zone || !std::isfinite(g.log.r2)) continue;
    const Forecast f = forecast_of(row, s.epochs);
    log += g.log.r2, line += g.line.r2, ++count;
    log_error += f.log - f.measured, power_error += f.power - f.measured,
        saturating_error += f.saturating - f.measured;
    if (row.arm.kind == SlopeKind::random || row.arm.kind == SlopeKind::mean_zone)
      parts.push_back(
          fmt::format("{}: {:.0f} + {:.1f} ln t, R^2 {:.4f}; a + b t^c best with c = {:.2f}, {:.4f}; "
                      "saturating at {:.0f}, {:.4f}",
                      words_of(row.arm), g.log.intercept, g.log.slope, g.log.r2, g.exponent, g.power.r2,
                      g.saturating.intercept + g.saturating.slope, g.saturating.r2));
  }
  if (count == 0) return {};
  std::string text = fmt::format(
      "\"Growth looks logarithmic\": {} (mean R^2 over {} arms {:.3f}, of a line {:.3f}). {}.",
      log > 0.95 * count && log > line ? "yes" : "not here", count, log / count, line / count, listed(parts));
  if (std::isfinite(log_error))
    text += fmt::format(
        " Fitted to the first {} epochs and asked for epoch {}, the means are off by {:+.1f} (ln t), {:+.1f} "
        "(t^c) and "
        "{:+.1f} (saturating) neurons.",
        s.epochs / 2, s.epochs, log_error / count, power_error / count, saturating_error / count);
  return text;
}

std::string change_sentence(const SlopeSpec& s, const Rows& rows) {
  std::vector<std::string> parts;
  for (const SlopeRow& row : rows) {
    if (row.models.empty() || (row.arm.kind != SlopeKind::random && row.arm.kind != SlopeKind::mean_zone))
      continue;
    const Changes c = changes_of(row);
    std::int64_t late = 0;
    const auto half = static_cast<std::size_t>(s.epochs / 2);
    for (std::size_t e = half; e < c.falls.size(); ++e) late += c.falls[e];
    const auto model_epochs = static_cast<double>((c.falls.size() - half) * row.models.size());
    parts.push_back(
        fmt::format("{}: {:.1f} neurons in the first epoch, {:.2f} an epoch over the last quarter; the mean "
                    "first falls in {}; of "
                    "the models' later epochs {:.0f} % are falls",
                    words_of(row.arm), c.mean.front(), growth_of(row.models, 0, s.epochs).last.mean,
                    c.first_fall > 0 ? fmt::format("epoch {}", c.first_fall) : "no epoch",
                    model_epochs > 0 ? 100 * static_cast<double>(late) / model_epochs : NAN));
  }
  if (parts.empty()) return {};
  return fmt::format("The change of x0, {}.", listed(parts));
}

std::string gradient_sentence(const std::vector<SizeGradient>& gradients) {
  std::vector<std::string> parts;
  for (const SlopeKind kind : {SlopeKind::random, SlopeKind::mean_zone}) {
    std::vector<std::string> values;
    for (const SizeGradient& g : gradients) {
      if (g.kind != kind) continue;
      const auto down = std::ranges::count_if(g.by_model, [](double x) { return x > 0; });
      values.push_back(
          fmt::format("{:.1e} after {}{}", summarize(g.by_model).mean, g.epoch,
                      down > 0 ? fmt::format(" (positive in {} of {})", down, g.by_model.size()) : ""));
    }
    if (!values.empty())
      parts.push_back(fmt::format("{}: {}", kind == SlopeKind::random ? "random" : "fixed, mean zone",
                                  listed(values, ", ")));
  }
  if (parts.empty()) return {};
  return fmt::format(
      "\"The gradient by x0 falls from 1e-5 to 1e-9 and changes its sign\": over the training data, mean "
      "over models, "
      "{}. Adam divides it by its own size, so that x0 goes on moving by it.",
      listed(parts));
}

/// Rows at one share of the x0 where networks ended.
std::vector<const OnOffRow*> at_share(const std::vector<OnOffRow>& rows, bool ended) {
  std::vector<const OnOffRow*> found;
  for (const OnOffRow& r : rows)
    if ((r.x0 == r.trained) == ended) found.push_back(&r);
  return found;
}

template <class Value>
double mean_of(const std::vector<const OnOffRow*>& rows, Value value) {
  double sum = 0;
  for (const OnOffRow* r : rows) sum += value(*r) / static_cast<double>(rows.size());
  return sum;
}

std::string zero_sentence(const std::vector<OnOffRow>& rows) {
  const auto here = at_share(rows, true);
  if (here.empty()) return {};
  std::vector<std::string> zeros;
  const auto& quotients = here.front()->quotients;
  for (std::size_t q = 0; q < quotients.size(); ++q)
    zeros.push_back(fmt::format("{:.2f} % at h = {}",
                                100 * mean_of(here, [q](const auto& r) { return r.quotients[q].zeros; }),
                                quotients[q].h));
  return fmt::format(
      "\"Random on/off: the gradient is always zero\": of a draw, yes. Central differences of the loss by x0 "
      "are exactly "
      "0 in {} ({} draws of u for each of {} trained networks): a neuron switches only where its u lies "
      "between two "
      "gates.",
      listed(zeros, ", "), here.front()->draws, here.size());
}

std::string estimate_sentence(const std::vector<OnOffRow>& rows, bool ended) {
  const auto here = at_share(rows, ended);
  if (here.empty()) return {};
  const std::size_t last = here.front()->quotients.size() - 1;
  std::vector<std::string> parts;
  std::size_t agree = 0;
  for (const OnOffRow* r : here) {
    const Quotient& q = r->quotients[last];
    const double error = std::hypot(q.standard_error, r->score_error);
    agree += std::abs(q.mean - r->score) <= 2 * error;
    parts.push_back(fmt::format("{:.1e} ± {:.0e}, {:.1e} ± {:.0e}, {:.1e}", q.mean, q.standard_error,
                                r->score, r->score_error, r->gate_gradient));
  }
  return fmt::format(
      "The expected loss does change with x0. {}, difference quotient of the means over draws (h = {:g}, "
      "common random "
      "numbers), score function, gradient of the gates themselves, by network: {}. The first two agree "
      "within two "
      "standard errors in {} of {}.",
      ended
          ? fmt::format("Where the networks have ended (x0 about {:.0f})",
                        mean_of(here, [](const auto& r) { return r.x0; }))
          : fmt::format("At half of it (x0 about {:.0f})", mean_of(here, [](const auto& r) { return r.x0; })),
      here.front()->quotients[last].h, listed(parts), agree, here.size());
}

std::string cost_sentence(const std::vector<OnOffRow>& rows) {
  const auto here = at_share(rows, false);
  if (here.empty()) return {};
  const std::size_t last = here.front()->quotients.size() - 1;
  const auto root = std::sqrt(static_cast<double>(here.front()->draws));
  const double size = mean_of(here, [=](const auto& r) { return std::abs(r.quotients[last].mean); });
  const double sd = mean_of(here, [](const auto& r) { return r.score_sd; });
  const double plain = mean_of(here, [](const auto& r) { return r.plain_sd; });
  const double batch = mean_of(here, [](const auto& r) { return r.batch_sd; });
  const double paired = mean_of(here, [=](const auto& r) { return r.quotients[last].standard_error * root; });
  const auto draws = [size](double of) { return std::pow(of / (0.1 * size), 2); };
  std::string text = fmt::format(
      "What it costs, at half of x0: one draw's score estimate has an sd of {:.1e} ({:.1e} without a "
      "baseline) for a "
      "derivative of {:.1e}: {:.0f} draws for a standard error of a tenth of it; difference quotients with "
      "common random "
      "numbers need {:.0f} of two evaluations each",
      sd, plain, size, std::ceil(draws(sd)), std::ceil(draws(paired)));
  if (std::isfinite(batch))
    text += fmt::format(", and the gates' own gradient varies by {:.1e} from batch to batch of 128", batch);
  return text + ". Hard-concrete gates (--gate hard-concrete) are random, too, but a draw has a derivative.";
}

}  // namespace

std::vector<std::string> slope_verdict(const SlopeSpec& s, const Rows& rows,
                                       const std::vector<SizeGradient>& gradients,
                                       const std::vector<OnOffRow>& on_off) {
  std::vector<std::string> all;
  if (std::ranges::all_of(rows, [](const SlopeRow& r) { return r.models.empty(); }))
    all.emplace_back("No network has come to its end with an open layer: there is nothing to compare.");
  else
    all = {size_sentence(s, rows),      parts_sentence(s, rows),  zone_sentence(s, rows),
           loss_sentence(s, rows),      growth_sentence(s, rows), change_sentence(s, rows),
           gradient_sentence(gradients)};
  for (const std::string& sentence : {zero_sentence(on_off), estimate_sentence(on_off, true),
                                      estimate_sentence(on_off, false), cost_sentence(on_off)})
    all.push_back(sentence);
  std::erase(all, "");
  return all;
}

}  // namespace shoal
