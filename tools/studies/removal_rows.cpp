#include "tools/studies/removal_rows.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace shoal {
namespace {

using Net = RemovalNetwork;

/// How near to a normal distribution counts as near: nowhere more than this apart in probability.
constexpr double kNear = 0.05;
constexpr double kDip = 0.1, kPredicted = 0.25;

bool near_log_normal(const Net& n) { return n.log_loss[kMiddleKeep].fit.kolmogorov_smirnov <= kNear; }
bool nearer_than_loss(const Net& n) {
  return n.log_loss[kMiddleKeep].fit.kolmogorov_smirnov < n.loss[kMiddleKeep].fit.kolmogorov_smirnov;
}
bool has_trough(const Net& n) {
  return std::ranges::all_of(n.log_gradient, [](const RemovalSlopes& s) {
    return s.trough.depth >= kDip && std::abs(s.trough.place) <= 2 * kRemovalBandwidth;
  });
}
bool unrelated_after_six(const Net& n) { return n.correlation.size() > 6 && n.correlation[6] < kUnrelated; }

constexpr std::array<RemovalClaim, 13> kClaims{{
    {"log-normal", "log loss is close to normal (nowhere more than 5 % apart, at keep 1/2)", near_log_normal},
    {"nearer-than-loss", "log loss is closer to normal than loss, at keep 1/2", nearer_than_loss},
    {"negative-gradient", "the mean gradient is negative",
     [](const Net& n) { return n.gradient[kMiddleKeep].mean < 0; }},
    {"gradient-predicts", "the mean gradient predicts the change from keep 0.25 to 0.75 within 25 %",
     [](const Net& n) { return std::abs(prediction_ratio(n) - 1) <= kPredicted; }},
    {"heavy-tails", "gradients have heavier tails than a normal distribution (kurtosis above 0)",
     [](const Net& n) { return n.gradient[kMiddleKeep].kurtosis > 0; }},
    {"trough", "the log loss's gradient has a trough at 0 (at least 10 % deep, at each keep probability)",
     has_trough},
    {"six-flips", "after 6 flips log losses are unrelated (correlation below 0.1)", unrelated_after_six},
    {"complement", "a subset and its complement are positively correlated",
     [](const Net& n) { return n.correlation.back() > 0; }},
    {"complement-clear", "a subset and its complement are clearly correlated (above 0.1)",
     [](const Net& n) { return n.correlation.back() > kUnrelated; }},
    {"balanced", "among subsets of one size, those balanced around the circle are better",
     [](const Net& n) { return n.balance.within_sizes > 0; }},
    {"balance-explains", "balance explains at least half of the complements' correlation within sizes",
     [](const Net& n) {
       return n.balance.complement_within_sizes > 0 &&
              n.balance.complement_left <= 0.5 * n.balance.complement_within_sizes;
     }},
    {"ring", "more than half of the gradient is within 0.15 of the circle",
     [](const Net& n) { return n.ring.gradient > 0.5; }},
    {"bias-nodes", "some node works like a bias (on at 95 % of the points)",
     [](const Net& n) { return n.bias_nodes > 0; }},
}};

Record begin_of(const Net& n) {
  return {{"model", n.model}, {"hidden", n.hidden}, {"seed", static_cast<std::int64_t>(n.seed)}};
}
void add(Record& r, Record more) { r.insert(r.end(), more.begin(), more.end()); }

Record network_record(const Net& n) {
  Record r = begin_of(n);
  const RemovalSlopes &slope = n.gradient[kMiddleKeep], &log_slope = n.log_gradient[kMiddleKeep];
  add(r, {{"alive", n.alive},
          {"bias_nodes", n.bias_nodes},
          {"train_accuracy", n.train_accuracy},
          {"test_accuracy", n.test_accuracy},
          {"loss", n.full_loss},
          {"empty_loss", n.empty_loss},
          {"rank", n.full_rank.below + 1},
          {"mean_loss_25", n.loss[0].moments.mean},
          {"mean_loss_50", n.loss[1].moments.mean},
          {"mean_loss_75", n.loss[2].moments.mean},
          {"ks_loss", n.loss[kMiddleKeep].fit.kolmogorov_smirnov},
          {"ks_log_loss", n.log_loss[kMiddleKeep].fit.kolmogorov_smirnov},
          {"mean_gradient", slope.mean},
          {"sd_gradient", slope.sd},
          {"kurtosis_gradient", slope.kurtosis},
          {"change", n.change.after - n.change.before},
          {"change_by_gradient", n.gradient_change},
          {"change_by_derivative", n.change.straight},
          {"mean_log_gradient", log_slope.mean},
          {"sd_log_gradient", log_slope.sd},
          {"trough", log_slope.trough.depth},
          {"trough_at", log_slope.trough.place},
          {"flips", flips_until_unrelated(n.correlation)},
          {"complement", n.correlation.back()},
          {"complement_within_sizes", n.balance.complement_within_sizes},
          {"complement_left", n.balance.complement_left},
          {"balance", n.balance.within_sizes},
          {"best_length", n.balance.best_length},
          {"full_length", n.balance.full_length},
          {"order_1", n.orders.empty() ? NAN : n.orders[0]},
          {"order_2", n.orders.size() < 2 ? NAN : n.orders[1]},
          {"ring_points", n.ring.points},
          {"ring_loss", n.ring.loss},
          {"ring_gradient", n.ring.gradient}});
  return r;
}

}  // namespace

std::span<const RemovalClaim> removal_claims() { return kClaims; }

const RemovalClaim* find_claim(std::string_view name) {
  const auto found = std::ranges::find(kClaims, name, &RemovalClaim::name);
  return found == kClaims.end() ? nullptr : &*found;
}

double prediction_ratio(const RemovalNetwork& n) {
  return n.gradient_change / (n.change.after - n.change.before);
}

std::vector<std::string> hidden_kinds(std::span<const RemovalNetwork> networks) {
  std::vector<std::string> kinds;
  for (const RemovalNetwork& n : networks)
    if (std::ranges::find(kinds, n.hidden) == kinds.end()) kinds.push_back(n.hidden);
  return kinds;
}

std::vector<double> numbers_of(std::span<const RemovalNetwork> networks, std::string_view hidden, int layers,
                               double (*number)(const RemovalNetwork&)) {
  std::vector<double> numbers;
  for (const RemovalNetwork& n : networks)
    if ((hidden == "all" || n.hidden == hidden) && (layers == 0 || n.layers == layers))
      numbers.push_back(number(n));
  return numbers;
}

std::vector<RemovalShare> removal_shares(std::span<const RemovalNetwork> networks) {
  std::vector<RemovalShare> shares;
  std::vector<std::string> kinds{"all"};
  for (std::string& kind : hidden_kinds(networks)) kinds.push_back(std::move(kind));
  for (const RemovalClaim& claim : kClaims)
    for (const std::string& kind : kinds) {
      RemovalShare share{&claim, kind, 0, 0, {}};
      for (const RemovalNetwork& n : networks)
        if (kind == "all" || n.hidden == kind) ++share.networks, share.holds += claim.holds(n);
      share.share = share_interval(share.holds, share.networks);
      if (share.networks > 0) shares.push_back(std::move(share));
    }
  return shares;
}

std::vector<Record> removal_records(std::span<const RemovalNetwork> networks) {
  std::vector<Record> records;
  for (const RemovalNetwork& n : networks) records.push_back(network_record(n));
  return records;
}

std::vector<Record> removal_claim_records(std::span<const RemovalShare> shares) {
  std::vector<Record> records;
  for (const RemovalShare& s : shares)
    records.push_back({{"claim", s.claim->name},
                       {"hidden", s.hidden},
                       {"networks", s.networks},
                       {"holds", s.holds},
                       {"share", s.share.mean},
                       {"share_low", s.share.low},
                       {"share_high", s.share.high}});
  return records;
}

std::vector<Record> removal_spread_records(std::span<const RemovalNetwork> networks) {
  std::vector<Record> records;
  for (const RemovalNetwork& n : networks)
    for (const bool log : {false, true})
      for (std::size_t k = 0; k < kRemovalKeeps.size(); ++k) {
        const RemovalSpread& s = log ? n.log_loss[k] : n.loss[k];
        const RemovalSlopes& g = log ? n.log_gradient[k] : n.gradient[k];
        Record r = begin_of(n);
        add(r, {{"quantity", log ? "log_loss" : "loss"},
                {"keep", kRemovalKeeps[k]},
                {"mean", s.moments.mean},
                {"sd", s.moments.sd},
                {"skewness", s.moments.skewness},
                {"kurtosis", s.moments.kurtosis},
                {"q05", s.quantiles[0]},
                {"q25", s.quantiles[1]},
                {"median", s.quantiles[2]},
                {"q75", s.quantiles[3]},
                {"q95", s.quantiles[4]},
                {"kolmogorov_smirnov", s.fit.kolmogorov_smirnov},
                {"anderson_darling", s.fit.anderson_darling},
                {"mean_gradient", g.mean},
                {"sd_gradient", g.sd},
                {"kurtosis_gradient", g.kurtosis},
                {"trough", g.trough.depth},
                {"trough_at", g.trough.place}});
        records.push_back(std::move(r));
      }
  return records;
}

std::vector<Record> removal_path_records(std::span<const RemovalNetwork> networks) {
  std::vector<Record> records;
  for (const RemovalNetwork& n : networks)
    for (std::size_t d = 0; d < n.correlation.size(); ++d) {
      Record r = begin_of(n);
      add(r, {{"flips", d},
              {"correlation_log_loss", n.correlation[d]},
              {"correlation_loss", n.loss_correlation[d]},
              {"variance_of_order", d == 0 ? NAN : n.orders[d - 1]}});
      records.push_back(std::move(r));
    }
  return records;
}

std::vector<Record> removal_node_records(std::span<const RemovalNetwork> networks) {
  std::vector<Record> records;
  for (const RemovalNetwork& n : networks)
    for (std::size_t i = 0; i < n.node.size(); ++i) {
      const StudiedNode& node = n.node[i];
      Record r = begin_of(n);
      add(r, {{"node", i},
              {"active", node.active},
              {"shapley", node.shapley},
              {"banzhaf", node.banzhaf},
              {"mean_gradient", node.mean_gradient},
              {"sd_gradient", node.sd_gradient},
              {"mean_log_gradient", node.mean_log_gradient},
              {"sd_log_gradient", node.sd_log_gradient}});
      records.push_back(std::move(r));
    }
  return records;
}

std::vector<Record> removal_size_records(std::span<const RemovalNetwork> networks) {
  std::vector<Record> records;
  for (const RemovalNetwork& n : networks)
    for (const SizeRecord& s : n.sizes) {
      Record r = begin_of(n);
      add(r, {{"kept", s.size},
              {"mean_loss", s.mean},
              {"best_loss", s.lowest},
              {"best_subset", static_cast<std::int64_t>(s.lowest_subset)},
              {"worst_loss", s.highest},
              {"worst_subset", static_cast<std::int64_t>(s.highest_subset)}});
      records.push_back(std::move(r));
    }
  return records;
}

std::vector<const RemovalNetwork*> through_training(const RemovalResults& r, std::string_view hidden) {
  std::vector<const RemovalNetwork*> found;
  for (const RemovalNetwork& n : r.earlier)
    if (n.hidden == hidden) found.push_back(&n);
  if (found.empty()) return found;
  for (const RemovalNetwork& n : r.networks)
    if (n.hidden == hidden) found.push_back(&n);
  std::ranges::stable_sort(found, {}, &RemovalNetwork::epochs);
  return found;
}

std::vector<int> looked_at_epochs(const RemovalResults& r) {
  std::vector<int> epochs;
  for (const std::string& kind : hidden_kinds(r.networks))
    for (const RemovalNetwork* n : through_training(r, kind)) epochs.push_back(n->epochs);
  std::ranges::sort(epochs);
  epochs.erase(std::unique(epochs.begin(), epochs.end()), epochs.end());
  return epochs;
}

std::vector<Record> removal_epoch_records(const RemovalResults& r) {
  std::vector<Record> records;
  for (const std::string& kind : hidden_kinds(r.networks))
    for (const RemovalNetwork* n : through_training(r, kind)) {
      Record row = begin_of(*n);
      add(row, {{"epochs", n->epochs},
                {"loss", n->full_loss},
                {"mean_loss_25", n->loss[0].moments.mean},
                {"mean_loss_50", n->loss[1].moments.mean},
                {"mean_loss_75", n->loss[2].moments.mean},
                {"ks_loss", n->loss[kMiddleKeep].fit.kolmogorov_smirnov},
                {"ks_log_loss", n->log_loss[kMiddleKeep].fit.kolmogorov_smirnov},
                {"mean_gradient", n->gradient[kMiddleKeep].mean},
                {"prediction", prediction_ratio(*n)},
                {"trough", n->log_gradient[kMiddleKeep].trough.depth},
                {"flips", flips_until_unrelated(n->correlation)},
                {"complement", n->correlation.back()},
                {"balance", n->balance.within_sizes},
                {"order_1", n->orders.empty() ? NAN : n->orders[0]},
                {"order_2", n->orders.size() < 2 ? NAN : n->orders[1]}});
      records.push_back(std::move(row));
    }
  return records;
}

}  // namespace shoal
