// Populations of odd sizes, and random contents for them.
#pragma once

#include <string>
#include <vector>

#include "tests/kernels/rig.h"
#include "tests/reference/optimizer.h"

namespace shoal::test {

struct Case {
  std::string name;
  PopulationSpec spec;
};

/// Features, widths, classes and batches of 1, 7, 15, 16, 17, 63, 64, 65 and 130, every one of them in each
/// role; narrow models side by side, wide ones, deep ones; a crowd of 40 with a group that rests.
const std::vector<Case>& odd_cases();

/// Random models with random gates (some 0, some negative) or gates 1, one for each of the population.
std::vector<reference::Model> random_models(const Population&, std::uint64_t seed, bool gated);
/// Random batches, one for each group.
std::vector<reference::Samples> random_batches(const Population&, std::uint64_t seed);

/// Puts the models' parameters and gates on the machine.
void set_models(Rig&, const std::vector<reference::Model>&);
/// Puts the batches into workspace.inputs, and their labels where `first` of the groups points (one group
/// after the other, without an order). Rows behind a batch are NaN.
void set_batches(Rig&, const std::vector<reference::Samples>&);
/// The batch that a model sees.
const reference::Samples& batch_of_model(const Population&, const std::vector<reference::Samples>&,
                                         int model);

/// An array of the outputs' layout, filled by value(model, layer, row, column); NaN elsewhere, but 0 in
/// padding columns.
template <class Value>
std::vector<float> fill_outputs(const Population&, Value value);

/// Width of a layer of a model, and whether it is hidden.
int width_of(const Population&, int model, int layer);
bool is_hidden(const Population&, int model, int layer);

/// y = g r, what the next layer reads.
reference::Matrix times_gate(reference::Matrix values, const reference::Vector& gate);
/// x W + b without signs: the magnitude that rounding errors are proportional to.
reference::Matrix magnitude_of(const reference::Matrix& x, const reference::Layer&);

/// The rule and its settings in the reference's words.
reference::Optimizer in_reference(const UpdateSettings&);
reference::Loss in_reference(LossKind);

/// One parameter after step t of a rule, and how far a machine may be from it.
struct ExpectedStep {
  double w, a, b, c;
  double w_tolerance, a_tolerance, b_tolerance, c_tolerance;
};
/// The rule in double, and what it makes of an error `e` of the gradient `g`: by trying g - e and g + e
/// (times 2 for the curvature between them), and 16 roundings of everything that is added up on the way.
ExpectedStep expected_step(const reference::Optimizer&, double w, const reference::Slots&, double g, double e,
                           int t);

bool same_bits(const std::vector<float>&, const std::vector<float>&);

template <class Value>
std::vector<float> fill_outputs(const Population& p, Value value) {
  std::vector<float> array(static_cast<std::size_t>(p.outputs), std::nanf(""));
  for (int m = 0; m < static_cast<int>(p.places.size()); ++m)
    for (int l = 0; l < static_cast<int>(p.places[static_cast<std::size_t>(m)].size()); ++l) {
      const Place& place = p.places[static_cast<std::size_t>(m)][static_cast<std::size_t>(l)];
      const Slab& s = p.slabs[static_cast<std::size_t>(place.slab)];
      for (int b = 0; b < rows_of(p, m); ++b)
        for (int n = 0; n < (place.width + 15) / 16 * 16; ++n)
          array[output_index(s, b, place.column + n)] = value(m, l, b, n);
    }
  return array;
}

}  // namespace shoal::test
