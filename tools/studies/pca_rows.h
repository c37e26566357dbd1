// The PCA study in numbers: spectra, reconstructions and accuracies of each layer, and what they say.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/pca.h"
#include "engine/given_models.h"
#include "engine/run.h"
#include "tools/studies/pca_models.h"

namespace shoal {

/// Activations of a layer over the training set, before or after the ReLU.
struct PcaSide {
  bool before_relu = true;
  Pca pca;                 // without its components
  Reconstruction journal;  // with the journal's directions
};

struct KeptScore {
  int k = 0;
  GivenScore train, test;
};
struct KeptCurve {
  Kept kept = Kept::before_relu;
  std::vector<KeptScore> scores;  // ascending in k
};

/// One network.
struct PcaRow {
  int width = 0;
  double train_accuracy = 0, test_accuracy = 0;
  PcaSide before, after;
  std::vector<KeptCurve> curves;
};

/// The training images (or whatever the inputs are) themselves.
struct InputSpectrum {
  int features = 0;
  Pca pca;  // variances only
};

struct PcaResults {
  InputSpectrum inputs;
  std::vector<PcaRow> rows;  // ascending in width
};

/// What a measurement needs of a run.
struct PcaTask {
  const Task& task;
  LossKind loss = LossKind::cross_entropy;
  MachineSpec machine;
  bool accuracies = true;                       // evaluate networks with k components kept
  std::function<void(const std::string&)> say;  // what is being done; may be null
};

InputSpectrum measure_inputs(const Calculator&, const PcaTask&);
/// `layers`: one hidden layer. Stops early (curves are missing) when the program is asked to stop.
PcaRow measure_row(const Calculator&, const PcaTask&, const Layers& layers);

/// Seconds that measuring takes, inputs and a row a width, from rates that are measured on made-up numbers.
double estimate_seconds(const PcaTask&, std::span<const int> widths);

/// The smallest number of components that hold `share` of the variance.
int components_for(const Pca&, double share);
/// The smallest k of a curve whose test accuracy is at least `accuracy`; 0 when there is none.
int kept_for(const KeptCurve&, double accuracy);
/// Null when the row has none.
const KeptCurve* curve_of(const PcaRow&, Kept);

/// Which of the journal's statements hold here, in sentences made from the numbers.
std::vector<std::string> verdict(const PcaResults&);

}  // namespace shoal
