// The conjecture study in numbers: every metric of one layer on real data and on noise that the same network
// has labelled, and which of them differ.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/studies/layer_metrics.h"
#include "tools/studies/width_rows.h"

namespace shoal {

/// A metric's values: [data][model], the real data first.
struct ConjectureMetric {
  std::string name, words;
  bool of_weights = false;  // of the weights alone
  std::vector<std::vector<double>> values;
};

/// One data set, as the models of the chosen width saw it.
struct ConjectureData {
  std::string name, words;               // "real", "uniform", "pixels"
  std::vector<double> accuracy;          // [model]
  std::vector<double> classes, largest;  // [model] labels that occur, and the share of the most frequent one
  std::vector<double> sds;               // of all models' neurons, dead ones left out
};

struct Conjecture {
  int width = 0,
      suggested = 0;   // the network that is called undersized, and the width that the metric prefers
  std::string reason;  // in words
  double test_accuracy = 0, best_test_accuracy = 0;  // of this width, and of the best of all widths
  std::vector<ConjectureData> data;                  // the real one first
  std::vector<ConjectureMetric> metrics;
};

/// Which network is called undersized.
enum class Undersized {
  w,     // by W: narrower than the width of the highest W; taken is the widest of at most a quarter of it
  dead,  // by dead neurons: a layer with none to spare, less than one faint neuron on average; the widest
};
struct Choice {
  int width = -1, suggested = -1;  // -1: the metric calls none of the widths undersized
  std::string reason;
};
Choice choose_undersized(const std::vector<WidthRow>&, Undersized);

/// Can a metric tell data set `d` from the real one? Over the models, which are the same: the mean of the
/// differences is more than three of its standard errors, and all differences have one sign. Of metrics that
/// are not defined somewhere: no answer.
enum class Answer { tells, cannot, unknown };
struct Difference {
  double mean, standard_error;
  Answer answer = Answer::unknown;
};
Difference difference_of(const ConjectureMetric&, std::size_t d);

std::vector<std::string> verdict(const Conjecture&);

}  // namespace shoal
