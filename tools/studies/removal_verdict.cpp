// What the numbers of the removal study say about the publication's statements.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/removal_rows.h"

namespace shoal {
namespace {

using Net = RemovalNetwork;
using Networks = std::span<const RemovalNetwork>;

/// "12 of 24 networks (50 %, 95 % interval 31 to 69; 20: 3 of 6, 20x20: 1 of 6)"
std::string share_text(std::span<const RemovalShare> shares, std::string_view claim) {
  std::string all, kinds;
  for (const RemovalShare& s : shares) {
    if (s.claim->name != claim) continue;
    if (s.hidden == "all")
      all = fmt::format("{} of {} networks ({:.0f} %, 95 % interval {:.0f} to {:.0f}", s.holds, s.networks,
                        100 * s.share.mean, 100 * s.share.low, 100 * s.share.high);
    else kinds += fmt::format("{}{}: {} of {}", kinds.empty() ? "; " : ", ", s.hidden, s.holds, s.networks);
  }
  return all + kinds + ")";
}

/// "0.031 (0.012 to 0.074)": median and range.
std::string range_text(Networks networks, double (*number)(const Net&), int digits = 3) {
  std::vector<double> x = numbers_of(networks, "all", 0, number);
  std::erase_if(x, [](double v) { return !std::isfinite(v); });
  if (x.empty()) return "nothing";
  std::ranges::sort(x);
  return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", quantile(x, 0.5), digits, x.front(), digits, x.back(),
                     digits);
}

std::string how_many(const RemovalShare& s) {
  return s.holds == s.networks      ? "for all"
         : s.holds == 0             ? "for none"
         : 2 * s.holds > s.networks ? "for most"
                                    : "for some";
}

std::string claim_sentence(std::span<const RemovalShare> shares, std::string_view name,
                           const std::string& detail) {
  const RemovalClaim* claim = find_claim(name);
  const auto all = std::ranges::find_if(
      shares, [&](const RemovalShare& s) { return s.claim == claim && s.hidden == "all"; });
  return fmt::format("\"{}\": {}, {}.{}", claim->words, how_many(*all), share_text(shares, name),
                     detail.empty() ? "" : " " + detail);
}

std::string subject_sentence(const RemovalResults& r) {
  const Net& n = r.networks[r.subject];
  return fmt::format(
      "One network ({} hidden, seed {}, radius {:.3f}, test accuracy {:.1f} %): mean loss {:.3f} when nodes "
      "are kept with "
      "probability 0.75 and {:.3f} with 0.25 (published of another network: 0.584 and 1.028); the whole "
      "network has {:.3f}, "
      "and {} of its {} subsets are better.",
      n.hidden, n.seed, r.radius, 100 * n.test_accuracy, n.loss[2].moments.mean, n.loss[0].moments.mean,
      n.full_loss, n.full_rank.below, std::int64_t{1} << n.nodes);
}

/// Two hidden layers against one: the commenter's suspicion.
std::string layers_sentence(Networks networks) {
  const auto complement = [](const Net& n) { return n.correlation.back(); };
  const std::vector<double> one = numbers_of(networks, "all", 1, complement),
                            two = numbers_of(networks, "all", 2, complement);
  if (one.size() < 2 || two.size() < 2) return {};
  const MeanInterval a = mean_interval(one), b = mean_interval(two), d = difference_interval(two, one);
  return fmt::format(
      "\"Complements are correlated only because there is a single hidden layer\": {}. Mean correlation "
      "{:+.3f} ({:+.3f} to "
      "{:+.3f}) with one hidden layer, {:+.3f} ({:+.3f} to {:+.3f}) with two, whose last one is removed "
      "from; difference {:+.3f} "
      "({:+.3f} to {:+.3f}).",
      b.high < 0.05             ? "with two layers nothing is left of it"
      : d.high < 0 && b.low > 0 ? "no, but with two layers it is weaker"
      : b.low > 0               ? "no"
                                : "not decided",
      a.mean, a.low, a.high, b.mean, b.low, b.high, d.mean, d.low, d.high);
}

/// How two numbers move while networks train, by kind of hidden layers.
std::string training_sentence(const RemovalResults& r) {
  std::string text;
  for (const std::string& kind : hidden_kinds(r.networks)) {
    const std::vector<const Net*> all = through_training(r, kind);
    if (all.empty()) continue;
    text += fmt::format("{}{} hidden:", text.empty() ? "" : "; ", kind);
    for (const int epochs : looked_at_epochs(r)) {
      std::vector<double> complement, distance;
      for (const Net* n : all)
        if (n->epochs == epochs)
          complement.push_back(n->correlation.back()),
              distance.push_back(n->log_loss[kMiddleKeep].fit.kolmogorov_smirnov);
      if (!complement.empty())
        text += fmt::format(" {:+.2f} and {:.3f} after {},", summarize(complement).mean,
                            summarize(distance).mean, epochs);
    }
    text.pop_back();
  }
  if (text.empty()) return {};
  return "While they train (mean correlation of complements, and mean distance of log loss from the nearest "
         "normal distribution, "
         "after so many epochs): " +
         text + ".";
}

std::string orders_text(Networks networks) {
  return fmt::format("Of the variance of log loss single nodes explain {}, pairs {}.",
                     range_text(
                         networks, [](const Net& n) { return n.orders.empty() ? NAN : n.orders[0]; }, 2),
                     range_text(
                         networks, [](const Net& n) { return n.orders.size() < 2 ? NAN : n.orders[1]; }, 2));
}

}  // namespace

std::vector<std::string> removal_verdict(const RemovalResults& r) {
  if (r.networks.empty()) return {};
  const Networks nets = r.networks;
  const std::vector<RemovalShare> shares = removal_shares(nets);
  std::vector<std::string> all{subject_sentence(r)};
  const auto say = [&](std::string_view name, const std::string& detail = {}) {
    all.push_back(claim_sentence(shares, name, detail));
  };
  say("log-normal",
      fmt::format("Largest distance to the nearest normal distribution with nodes kept with 0.25, 0.5 and "
                  "0.75: {}, {} and {}; of "
                  "the loss itself {} at 0.5.",
                  range_text(nets, [](const Net& n) { return n.log_loss[0].fit.kolmogorov_smirnov; }),
                  range_text(nets, [](const Net& n) { return n.log_loss[1].fit.kolmogorov_smirnov; }),
                  range_text(nets, [](const Net& n) { return n.log_loss[2].fit.kolmogorov_smirnov; }),
                  range_text(nets, [](const Net& n) { return n.loss[1].fit.kolmogorov_smirnov; })));
  say("nearer-than-loss");
  say("negative-gradient");
  say("gradient-predicts",
      fmt::format(
          "Predicted over exact change: {} (published: 1.07); with the derivative of the expected loss in "
          "its place: {}.",
          range_text(nets, prediction_ratio, 2),
          range_text(
              nets, [](const Net& n) { return n.change.straight / (n.change.after - n.change.before); }, 2)));
  say("heavy-tails");
  say("trough", fmt::format("Its depth at keep 1/2: {}.",
                            range_text(
                                nets, [](const Net& n) { return n.log_gradient[1].trough.depth; }, 2)));
  say("six-flips",
      fmt::format(
          "Correlation after 5 and 6 flips: {} and {}; flips until it is below 0.1: {}, as a share of the "
          "nodes {}. {}",
          range_text(
              nets, [](const Net& n) { return n.correlation.size() > 5 ? n.correlation[5] : NAN; }, 2),
          range_text(
              nets, [](const Net& n) { return n.correlation.size() > 6 ? n.correlation[6] : NAN; }, 2),
          range_text(
              nets, [](const Net& n) { return flips_until_unrelated(n.correlation); }, 1),
          range_text(
              nets, [](const Net& n) { return flips_until_unrelated(n.correlation) / n.nodes; }, 2),
          orders_text(nets)));
  say("complement",
      fmt::format("The correlation: {}.", range_text(
                                              nets, [](const Net& n) { return n.correlation.back(); }, 2)));
  say("complement-clear");
  all.push_back(layers_sentence(nets));
  all.push_back(training_sentence(r));
  say("balanced",
      fmt::format(
          "Correlation of log loss with the length of the resultant, within sizes: {}; the best 1 % of the "
          "subsets of half of the nodes have {} of the mean length.",
          range_text(
              nets, [](const Net& n) { return n.balance.within_sizes; }, 2),
          range_text(
              nets, [](const Net& n) { return n.balance.best_length; }, 2)));
  say("balance-explains",
      fmt::format("Correlation of complements within sizes: {}; without what squared length explains: {}.",
                  range_text(
                      nets, [](const Net& n) { return n.balance.complement_within_sizes; }, 2),
                  range_text(
                      nets, [](const Net& n) { return n.balance.complement_left; }, 2)));
  say("ring",
      fmt::format("Within 0.15 of the circle are {} of the points, {} of the loss and {} of the gradient.",
                  range_text(
                      nets, [](const Net& n) { return n.ring.points; }, 2),
                  range_text(
                      nets, [](const Net& n) { return n.ring.loss; }, 2),
                  range_text(
                      nets, [](const Net& n) { return n.ring.gradient; }, 2)));
  say("bias-nodes");
  std::erase(all, "");
  return all;
}

}  // namespace shoal
