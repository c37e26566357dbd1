// What the numbers of gates that begin late say about the journal's statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/rank.h"
#include "tools/studies/pretrain_rows.h"

namespace shoal {
namespace {

using C = GateCurve;
using Arms = std::vector<const PretrainRow*>;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// Spearman's rho of pretraining and a value, one point a model.
RankCorrelations against_dose(const Arms& arms, const PretrainSpec& s, bool at_total) {
  std::vector<double> dose, size;
  for (const PretrainRow* row : arms)
    for (const double x :
         values_at(row->models, &C::size, at_total ? total_epochs(s) : row->dose + s.gated_epochs))
      dose.push_back(row->dose), size.push_back(x);
  return rank_correlations(dose, size);
}

std::string size_sentence(const PretrainSpec& s, const Arms& arms, bool at_total) {
  if (arms.size() < 2) return {};
  const auto epoch = [&](const PretrainRow& row) {
    return at_total ? total_epochs(s) : row.dose + s.gated_epochs;
  };
  const PretrainRow &none = *arms.front(), &most = *arms.back();
  const auto gap_of = [&](const PretrainRow& row) {
    return gap_at(row.models, epoch(row), none.models, epoch(none), &C::size);
  };
  std::vector<std::string> sizes, gaps;
  for (const PretrainRow* row : arms) {
    const MeanInterval size = mean_interval(values_at(row->models, &C::size, epoch(*row)));
    sizes.push_back(fmt::format("{} after {}", with_interval(size, 1), row->dose));
    if (row != &none) gaps.push_back(fmt::format("{} after {}", with_interval(gap_of(*row), 1), row->dose));
  }
  const RankCorrelations rank = against_dose(arms, s, at_total);
  const MeanInterval gap = gap_of(most);
  const bool trend = rank.spearman_p < 0.05;
  const bool falls = trend && rank.spearman < 0 && gap.high < 0;
  const bool rises = trend && rank.spearman > 0 && gap.low > 0;
  return fmt::format(
      "{}{}, x0 (95 % interval) by epochs of pretraining: {}. \"More pretraining, smaller final size\": {} "
      "(Spearman's rho {:.2f}, p = {:.2g}). Neurons more than after {}: {}.",
      none.kind == GateKind::random_size ? "With a random slope: " : "",
      at_total ? fmt::format("At equal epochs in all, after {}", total_epochs(s))
               : fmt::format("After {} epochs with the gate", s.gated_epochs),
      joined(sizes),
      falls   ? "it holds"
      : rises ? "no, larger"
              : "not seen",
      rank.spearman, rank.spearman_p, none.dose, joined(gaps));
}

std::string first_sentence(const PretrainSpec& s, const Arms& arms) {
  const PretrainRow &none = *arms.front(), &most = *arms.back();
  std::vector<std::string> gaps;
  for (const int t : std::set<int>{1, s.gated_epochs / 4, s.gated_epochs / 2, s.gated_epochs})
    if (t >= 1)
      gaps.push_back(fmt::format(
          "{} after {}",
          with_interval(gap_at(most.models, most.dose + t, none.models, none.dose + t, &C::size), 1), t));
  return fmt::format(
      "The difference of x0 between {} and {} epochs of pretraining, by epochs with the gate: {}.", most.dose,
      none.dose, joined(gaps));
}

/// "test loss -0.012 (-0.02 to -0.01), ..." and whether all intervals hold 0.
std::string meet_sentence(const PretrainSpec& s, const Arms& arms, bool at_total) {
  const PretrainRow& none = *arms.front();
  const int total = total_epochs(s);
  std::vector<std::string> parts;
  bool apart = false;
  for (const PretrainRow* row : arms) {
    if (row == &none) continue;
    const int mine = at_total ? total : row->dose + s.gated_epochs,
              theirs = at_total ? total : none.dose + s.gated_epochs;
    const auto gap = [&](GateValue value, double scale) {
      return gap_at(row->models, mine, none.models, theirs, value, scale);
    };
    const MeanInterval loss = gap(&C::test_loss, 1), accuracy = gap(&C::test_accuracy, 100);
    apart |= excludes_zero(loss) || excludes_zero(accuracy);
    parts.push_back(fmt::format("{}: loss {}, accuracy {} points, training loss {}", row->dose,
                                with_interval(loss, 4), with_interval(accuracy, 2),
                                with_interval(gap(&C::train_loss, 1), 5)));
  }
  return fmt::format(
      "\"The losses meet at the end\", {}: {}. Test loss and accuracy less those without pretraining: {}.",
      at_total ? fmt::format("at equal epochs in all ({})", total)
               : fmt::format("at equal epochs with the gate ({})", s.gated_epochs),
      apart ? "not all" : "no difference is seen", fmt::format("{}", fmt::join(parts, "; ")));
}

std::string settled_sentence(const PretrainSpec& s, const Arms& arms) {
  std::vector<std::string> parts, fits;
  std::size_t growing = 0;
  double falls = 0, move = 0;
  for (const PretrainRow* row : arms) {
    const Growth now = growth_of(row->models, row->dose, s.gated_epochs);
    if (!std::isfinite(now.last.mean)) return {};
    growing += now.last.low > 0;
    falls += now.falls / static_cast<double>(arms.size()), move = std::max(move, now.largest_move);
    parts.push_back(fmt::format("{} after {}", with_interval(now.last, 2), row->dose));
    fits.push_back(fmt::format("{:.0f} + {:.1f} ln t after {} (R^2 {:.3f}; of a line {:.3f})",
                               now.log.intercept, now.log.slope, row->dose, now.log.r2, now.line.r2));
  }
  return fmt::format(
      "Has x0 settled? {}. Over the last quarter it moves by {} neurons an epoch; it falls in {:.0f} % of "
      "these "
      "epochs, and moves by up to {:.1f} in a single one. Its mean, t epochs after the gate began: {}.",
      growing == arms.size() ? "No, it still grows in every arm"
      : growing > 0          ? fmt::format("It still grows in {} of {} arms", growing, arms.size())
                             : "Growth is not seen any more",
      joined(parts), 100 * falls, move, joined(fits));
}

std::string equal_size_sentence(const PretrainSpec& s, const Arms& arms) {
  double least = INFINITY;
  for (const PretrainRow* row : arms)
    for (const double x : values_at(row->models, &C::size, row->dose + s.gated_epochs))
      least = std::min(least, x);
  const double size = std::floor(0.98 * least);
  if (!(size >= 1)) return {};
  const AtSize none = at_size(*arms.front(), size);
  std::vector<std::string> parts;
  for (const PretrainRow* row : arms) {
    const AtSize here = at_size(*row, size);
    std::string text = fmt::format("{}: {:.2f} % after {:.1f} epochs with the gate", row->dose,
                                   100 * summarize(here.test_accuracy).mean, summarize(here.epochs).mean);
    if (row != arms.front()) {
      std::vector<double> a = here.test_accuracy, b = none.test_accuracy;
      for (auto* side : {&a, &b})
        for (double& x : *side) x *= 100;
      text += fmt::format(", {} points more", with_interval(difference_interval(a, b), 2));
    }
    parts.push_back(text);
  }
  return fmt::format("At equal size, when x0 first reaches {:.0f}, test accuracy by pretraining: {}.", size,
                     fmt::format("{}", fmt::join(parts, "; ")));
}

std::string plain_sentence(const PretrainSpec& s, const std::vector<PretrainRow>& rows, const Arms& arms) {
  std::vector<std::string> parts;
  for (const PretrainRow* row : arms) {
    const int end = row->dose + s.gated_epochs;
    const double size =
                     std::min(summary_at(row->models, &C::size, end).mean, static_cast<double>(row->width)),
                 plain = plain_accuracy(rows, size, end);
    if (std::isfinite(plain))
      parts.push_back(fmt::format("{:+.2f} for {} (x0 {:.0f})",
                                  100 * (summary_at(row->models, &C::test_accuracy, end).mean - plain),
                                  row->dose, size));
  }
  if (parts.empty()) return {};
  return fmt::format(
      "Against plain networks of that size after as many epochs in all, points of test accuracy by "
      "pretraining: "
      "{}.",
      joined(parts));
}

std::string cut_sentence(const PretrainSpec& s, const std::vector<PretrainRow>& rows,
                         const std::vector<Cut>& cuts) {
  if (cuts.empty()) return {};
  std::vector<std::string> parts;
  for (const Cut& cut : cuts)
    for (const PretrainRow& row : rows) {
      if (row.kind != GateKind::size || row.dose != cut.dose || row.models.empty()) continue;
      int back = 0;
      for (int t = 1; t <= s.gated_epochs && back == 0; ++t)
        if (summary_at(row.models, &C::test_accuracy, row.dose + t).mean >= cut.test_accuracy.back().mean)
          back = t;
      parts.push_back(fmt::format(
          "{}: {:.2f} % before, {:.1f} % at x0 = 0, {:.2f} % an epoch later with x0 at {:.0f}, {}", cut.dose,
          100 * cut.test_accuracy.back().mean, 100 * cut.test_accuracy.front().mean,
          100 * summary_at(row.models, &C::test_accuracy, row.dose + 1).mean,
          summary_at(row.models, &C::size, row.dose + 1).mean,
          back > 0 ? fmt::format("where it was after {}", back)
                   : fmt::format("not back within {}", s.gated_epochs)));
    }
  return fmt::format("The moment the gate begins, test accuracy by pretraining: {}.",
                     fmt::format("{}", fmt::join(parts, "; ")));
}

}  // namespace

std::vector<std::string> pretrain_verdict(const PretrainSpec& s, const std::vector<PretrainRow>& rows,
                                          const std::vector<Cut>& cuts) {
  const Arms arms = arms_of(rows);
  std::vector<std::string> all;
  if (arms.size() > 1) {
    all = {size_sentence(s, arms, false), size_sentence(s, arms, true),  first_sentence(s, arms),
           settled_sentence(s, arms),     meet_sentence(s, arms, false), meet_sentence(s, arms, true),
           equal_size_sentence(s, arms),  plain_sentence(s, rows, arms)};
  } else {
    all = {"Fewer than two arms are left: there is nothing to compare."};
  }
  all.push_back(size_sentence(s, arms_of(rows, GateKind::random_size), false));
  all.push_back(cut_sentence(s, rows, cuts));
  std::erase(all, "");
  return all;
}

}  // namespace shoal
