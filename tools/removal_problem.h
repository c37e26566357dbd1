// What `shoal remove` is asked about: a model, nodes of its hidden layers, and points.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/subset_sampling.h"
#include "analysis/subsets.h"
#include "datasets/dataset.h"
#include "engine/given_models.h"
#include "tools/settings.h"

namespace shoal {

/// A node in question; both counted from 0.
struct NodePlace {
  int layer = 0, neuron = 0;
};

struct RemovalRequest {
  std::string weights, model;
  std::string layer = "last";  // "last", "all", or a hidden layer's number from 1
  std::string nodes;           // numbers and ranges within that layer, or from the first layer on; empty: all
  std::string part = "auto";   // "train", "test", "all"; auto: the test part, or all of a file without one
  std::string normalize;       // as a training run takes it; empty: as the weights' file says, else none
};

struct RemovalProblem {
  std::string model;  // its id, or ""
  Layers layers;
  std::vector<NodePlace> nodes;  // bit i of a subset is nodes[i]
  std::string data, part;        // for people
  Split points;
  int classes = 0;
  float scale = 1.0f, shift = 0.0f;

  DataView view() const;
  /// The nodes stand in the last hidden layer, which only the logits read.
  bool in_last_layer() const;
};

/// Reads weights and data. UsageError, WeightsError, DataError.
RemovalProblem make_problem(const RemovalRequest&, const Settings& data);

/// The network as the enumeration takes it, in double precision from the inputs on; views of its own arrays.
struct EnumeratedNetwork {
  std::vector<double> outputs, weights, base;
  SubsetNetwork network;
};
/// For nodes of the last hidden layer. `labels` of the problem must stay.
EnumeratedNetwork enumerated_network(const RemovalProblem&, int threads);

/// The model without the nodes whose mask is 0: their outgoing weights are 0.
Layers masked(const RemovalProblem&, const NodeMask&);

}  // namespace shoal
