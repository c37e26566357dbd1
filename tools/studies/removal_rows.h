// The removal study in numbers: which of the publication's statements hold for how many networks.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/interval.h"
#include "analysis/summary.h"
#include "tools/studies/findings.h"
#include "tools/studies/removal_network.h"

namespace shoal {

/// All networks of one data set, and the one that is looked at closely.
struct RemovalResults {
  std::string data;  // "circle"
  double radius = 0;
  std::vector<RemovalNetwork> networks;
  std::vector<RemovalNetwork> earlier;  // the same after fewer epochs, those that are quick to enumerate
  std::size_t subject = 0;              // index into networks
  RemovalCurves curves;                 // its own
};

/// A statement of the publication, as a condition on one network's numbers.
struct RemovalClaim {
  std::string_view name;   // "negative-gradient"
  std::string_view words;  // "the mean gradient is negative"
  bool (*holds)(const RemovalNetwork&);
};
std::span<const RemovalClaim> removal_claims();
/// Nullptr when there is none of this name.
const RemovalClaim* find_claim(std::string_view name);

/// Of all networks, or of those with one kind of hidden layers.
struct RemovalShare {
  const RemovalClaim* claim = nullptr;
  std::string hidden;  // "all"
  std::int64_t holds = 0, networks = 0;
  MeanInterval share;  // Wilson's
};
/// By claim, and in it all networks first, then every kind of hidden layers in the order of their coming.
std::vector<RemovalShare> removal_shares(std::span<const RemovalNetwork>);

/// Kinds of hidden layers, in the order of their coming.
std::vector<std::string> hidden_kinds(std::span<const RemovalNetwork>);
/// A number of every network of a kind ("all": of every kind) with so many hidden layers (0: any).
std::vector<double> numbers_of(std::span<const RemovalNetwork>, std::string_view hidden, int layers,
                               double (*number)(const RemovalNetwork&));
/// What the publication's gradient predicts over what happens: 1 where the loss's mean is a straight line.
double prediction_ratio(const RemovalNetwork&);

std::vector<Record> removal_records(std::span<const RemovalNetwork>);         // removal.csv
std::vector<Record> removal_claim_records(std::span<const RemovalShare>);     // removal-claims.csv
std::vector<Record> removal_spread_records(std::span<const RemovalNetwork>);  // removal-moments.csv
std::vector<Record> removal_path_records(std::span<const RemovalNetwork>);    // removal-flips.csv
std::vector<Record> removal_node_records(std::span<const RemovalNetwork>);    // removal-nodes.csv
std::vector<Record> removal_size_records(std::span<const RemovalNetwork>);    // removal-sizes.csv

/// removal-epochs.csv: networks that have been looked at earlier, too, at all these times.
std::vector<Record> removal_epoch_records(const RemovalResults&);
/// Those networks of one kind, ordered by epochs; and the epochs, ascending.
std::vector<const RemovalNetwork*> through_training(const RemovalResults&, std::string_view hidden);
std::vector<int> looked_at_epochs(const RemovalResults&);

std::vector<std::string> removal_verdict(const RemovalResults&);

}  // namespace shoal
