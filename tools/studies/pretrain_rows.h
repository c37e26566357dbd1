// The study of gates that begin late, in numbers: layers that train at their full width first and then learn
// their size from x0 = 0, beside layers that learn it from the first epoch on.
//
// Epochs count from 1. An arm with `dose` epochs of pretraining has its gate in the epochs after them; "t
// epochs with the gate" is its epoch dose + t, and its end is dose + gated_epochs. The run goes on to the
// last arm's end, so arms can be compared at equal epochs with the gate and at equal epochs in all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/summary.h"
#include "engine/given_models.h"
#include "engine/run.h"
#include "tools/studies/gate_curves.h"

namespace shoal {

/// What is varied. Gates: sigma(k (x0 - i)), k = 1, x0 from 0 with a learning rate of 1, no penalty; or with
/// a slope drawn anew in every step (GateKind::random_size, grey zone uniform on 1 to 20).
struct PretrainSpec {
  int neurons = 500;
  std::vector<int> doses;         // epochs before the gate
  std::vector<int> random_doses;  // the same of gates with a random slope
  int gated_epochs = 60;
  std::vector<int> plain;  // widths of networks without gates
};
int total_epochs(const PretrainSpec&);

/// Models of a template (its optimizer, batch, init), for these seeds.
std::vector<ModelSpec> pretrain_models(const PretrainSpec&, const ModelSpec& pattern,
                                       const std::vector<std::uint64_t>& seeds);

/// One arm, or plain networks of one width, over their seeds; models that diverged left out.
struct PretrainRow {
  GateKind kind = GateKind::none;  // size, random_size; none: plain
  int dose = 0;
  int width = 0;
  std::int64_t diverged = 0;
  std::vector<GateCurve> models;
};
/// Arms by dose, those with a random slope, then plain networks by width; an arm that has lost all its models
/// has none.
std::vector<PretrainRow> pretrain_rows(const RunSpec&, const RunResult&);
bool gated(const PretrainRow&);
/// The arms that have models, by dose.
std::vector<const PretrainRow*> arms_of(const std::vector<PretrainRow>&, GateKind = GateKind::size);

/// After how many epochs with the gate, and how accurate, each model was when x0 first reached `size` at the
/// end of an epoch; models that never do are left out.
struct AtSize {
  std::vector<double> epochs, test_accuracy, test_loss;
};
AtSize at_size(const PretrainRow&, double size);

/// The mean accuracy of plain networks after so many epochs, linear in the logarithm of the width between
/// their widths; NaN outside.
double plain_accuracy(const std::vector<PretrainRow>&, double size, int epoch);

/// An arm's networks (not of a random slope) at the moment when the gate begins: the weights have been
/// trained without a gate, and sigma(x0 - i) is put on their neurons.
struct Cut {
  int dose = 0;
  std::vector<double> x0 = {};                              // ascending; the last stands for all gates open
  std::vector<Summary> test_accuracy = {}, test_loss = {};  // [x0]
};
struct CutTask {
  DataView test;
  const RunSpec& spec;
  const Task& task;
  std::function<void(const std::string&)> say;
  const std::atomic<bool>* stop = nullptr;
};
/// Trains every arm's networks again up to that moment (a model has the same bits alone), and cuts them.
/// Empty when stopped.
std::vector<Cut> cuts_of(const PretrainSpec&, const CutTask&);

/// Columns of pretrain.csv; a number that is not there is NaN.
std::vector<std::pair<std::string, double>> pretrain_columns(const PretrainSpec&,
                                                             const std::vector<PretrainRow>&,
                                                             const PretrainRow&);

/// What the numbers say about the journal's statements.
std::vector<std::string> pretrain_verdict(const PretrainSpec&, const std::vector<PretrainRow>&,
                                          const std::vector<Cut>&);

}  // namespace shoal
