// What the numbers of the PCA study say about the journal's statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/pca_rows.h"

namespace shoal {
namespace {

/// The largest difference between the share of the squared error that is left after k of n components and
/// the straight line 1 - k / n.
double off_the_line(const std::vector<double>& mse) {
  double worst = 0.0;
  const auto n = static_cast<double>(mse.size() - 1);
  for (std::size_t k = 0; k < mse.size(); ++k)
    worst = std::max(worst, std::abs(mse[k] / mse[0] - (1.0 - static_cast<double>(k) / n)));
  return worst;
}

double share_of_first(const Pca& p, double part) {
  double sum = 0.0;
  const auto count = static_cast<std::size_t>(part * static_cast<double>(p.explained_variance_ratio.size()));
  for (std::size_t i = 0; i < count; ++i) sum += p.explained_variance_ratio[i];
  return sum;
}

/// With the digits that tell it from 0 and from 100 %.
std::string percent(double share) {
  return fmt::format("{:.{}f} %", 100 * share, share < 0.0995 ? 1 : share > 0.9945 ? 2 : 0);
}

std::string cliff_sentence(const PcaResults& r) {
  const int rank = r.inputs.pca.rank;
  std::string text = fmt::format(
      "The centred training inputs have rank {} (of {} features), and z = xW + b is affine in them: before "
      "the "
      "ReLU no layer, however wide, can spread in more directions.",
      rank, r.inputs.features);
  const PcaRow& widest = r.rows.back();
  const std::vector<double>& v = widest.before.pca.explained_variance;
  if (rank < 1 || static_cast<std::size_t>(rank) >= v.size())
    return text + fmt::format(" No layer here is wider than that, so no spectrum has a cliff.");
  return text + fmt::format(
                    " At width {} component {} has a variance of {:.2g} and component {} one of {:.2g}: the "
                    "journal's cliff is the rank of its inputs, not a property of the layer. After the ReLU, "
                    "which is not affine, it is gone: there component {} has {:.2g} and component {} {:.2g}.",
                    widest.width, rank, v[static_cast<std::size_t>(rank) - 1], rank + 1,
                    v[static_cast<std::size_t>(rank)], rank,
                    widest.after.pca.explained_variance[static_cast<std::size_t>(rank) - 1], rank + 1,
                    widest.after.pca.explained_variance[static_cast<std::size_t>(rank)]);
}

std::string line_sentence(const PcaResults& r) {
  double journal = 0.0, least = 1.0;
  for (const PcaRow& row : r.rows) {
    if (row.before.journal.mse.empty()) return {};
    journal = std::max(journal, off_the_line(row.before.journal.mse));
    least = std::min(least, off_the_line(row.before.pca.reconstruction_mse));
  }
  const bool straight = journal < 0.1 && least > 2 * journal;
  return fmt::format(
      "\"The reconstruction error falls in a straight line\": {}. As the journal did it, on the columns of "
      "the "
      "components' matrix, the share of the squared error that is left after k of n components is 1 - k/n to "
      "within {:.2f}; on the components themselves it is farther from that line at every width, by at least "
      "{:.2f} at its farthest.",
      straight ? "an artefact of the procedure" : "not what is seen here, in either procedure", journal,
      least);
}

std::string importance_sentence(const PcaResults& r) {
  const PcaRow& widest = r.rows.back();
  const Pca& p = widest.before.pca;
  const double first = share_of_first(p, 0.1);
  return fmt::format(
      "\"All components are equally important\": {}. At width {} the first tenth of the components holds {} "
      "of "
      "the variance; half of it is in the first {} of {} and 99 % in the first {}.",
      first > 0.2 ? "no" : "nearly", widest.width, percent(first), components_for(p, 0.5),
      p.explained_variance.size(), components_for(p, 0.99));
}

std::string accuracy_sentence(const PcaResults& r) {
  const PcaRow& widest = r.rows.back();
  const KeptCurve *right = curve_of(widest, Kept::before_relu),
                  *journal = curve_of(widest, Kept::before_relu_journal),
                  *after = curve_of(widest, Kept::after_relu);
  if (!right || !journal || !after) return {};
  const auto found = [](int k) {
    return k > 0 ? fmt::format("{} component{}", k, k == 1 ? "" : "s") : std::string("more than all");
  };
  const int k = kept_for(*right, 0.8), wrong = kept_for(*journal, 0.8);
  return fmt::format(
      "\"80 % accuracy takes more than 1000 of 2048 components\": {}. At width {} (test accuracy {:.2f} %) "
      "it "
      "takes {} before the ReLU and {} after it, of the k that were tried; as the journal did it, {} (for "
      "half "
      "of its width: {:.1f} %).",
      k > 0 && (wrong == 0 || k * 4 <= wrong) ? "an artefact of the procedure" : "not settled here",
      widest.width, 100 * widest.test_accuracy, found(k), found(kept_for(*after, 0.8)), found(wrong),
      100 * std::lower_bound(journal->scores.begin(), journal->scores.end(), widest.width / 2,
                             [](const KeptScore& s, int half) { return s.k < half; })
                ->test.accuracy);
}

std::string dimension_sentence(const PcaResults& r) {
  if (r.rows.size() < 2) return {};
  const PcaRow &a = r.rows.front(), &b = r.rows.back();
  return fmt::format(
      "From width {} to {} the participation ratio goes from {:.1f} to {:.1f} before the ReLU and from "
      "{:.1f} "
      "to {:.1f} after it, the effective rank from {:.1f} to {:.1f} and from {:.1f} to {:.1f}; the inputs "
      "themselves have {:.1f} and {:.1f}.",
      a.width, b.width, a.before.pca.participation_ratio, b.before.pca.participation_ratio,
      a.after.pca.participation_ratio, b.after.pca.participation_ratio, a.before.pca.effective_rank,
      b.before.pca.effective_rank, a.after.pca.effective_rank, b.after.pca.effective_rank,
      r.inputs.pca.participation_ratio, r.inputs.pca.effective_rank);
}

}  // namespace

std::vector<std::string> verdict(const PcaResults& r) {
  if (r.rows.empty()) return {"No network was measured: every model diverged, or the run was stopped."};
  std::vector<std::string> sentences;
  for (std::string sentence : {cliff_sentence(r), line_sentence(r), importance_sentence(r),
                               accuracy_sentence(r), dimension_sentence(r)})
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  return sentences;
}

}  // namespace shoal
