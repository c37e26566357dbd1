// gradients_of: the derivatives are those that a training step applies, on every machine.
#include "engine/gradients.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/initialize.h"
#include "tests/engine/gated_models.h"

namespace shoal::test {
namespace {

/// One sample, so that there is one order; learning rates that are powers of 2, so that w - lr g is rounded
/// once, fused or not.
RunSpec one_step(GateKind kind) {
  RunSpec spec;
  spec.epochs = 1;
  spec.models = {gated_model({20, 9}, kind, 3, UpdateRule::sgd)};
  if (kind == GateKind::none) spec.models[0].gates.clear();
  spec.models[0].optimizer.lr = 0x1p-6;
  spec.models[0].batch = 1;
  for (GateSpec& g : spec.models[0].gates) g.lr = 0x1p-5, g.slope_lr = 0x1p-7;
  return spec;
}

TEST_CASE("gradients: a step of plain gradient descent applies exactly them") {
  const auto data = small_task(1, 20);
  using enum GateKind;
  for (const MachineSpec::Kind machine : {MachineSpec::Kind::cpu, MachineSpec::Kind::emu})
    for (const GateKind kind : {none, mask, size, random_size, liveness_switch, hard_concrete}) {
      CAPTURE(static_cast<int>(kind));
      RunSpec spec = one_step(kind);
      spec.machine.kind = machine;
      const ModelGradients g = gradients_of(spec.models[0], spec.loss, data.task, spec.machine);
      const Trained t = train(spec, data.task);
      CHECK(same_bits(g.weights, initial_weights(spec.models[0], data.task.shape)));
      bool moved = false;
      for (std::size_t l = 0; l < g.weights.size(); ++l)
        for (std::size_t i = 0; i < g.weights[l].weight.size(); ++i) {
          const float w = g.weights[l].weight[i] - 0x1p-6f * g.gradients[l].weight[i];
          REQUIRE(t.unfolded[0][l].weight[i] == w);
          moved |= w != g.weights[l].weight[i];
        }
      CHECK(moved);
      CHECK(g.loss == t.result.models[0].epoch_train_loss[0]);
      REQUIRE(g.gates.size() == t.result.models[0].gates.size());
      for (std::size_t l = 0; l < g.gates.size(); ++l) {
        const GateGradients& gates = g.gates[l];
        CHECK(gates.kind == kind);
        CHECK(gates.gates.size() == static_cast<std::size_t>(spec.models[0].hidden[l]));
        CHECK(gates.uniform.size() == (kind == hard_concrete ? gates.gates.size() : 0));
        CHECK((gates.slope != 0) == (kind == random_size));
        for (std::size_t i = 0; i < gates.gradients.size(); ++i)
          REQUIRE(t.result.models[0].gates[l].parameters[i] ==
                  gates.parameters[i] - (has_size(kind) && i == 1 ? 0x1p-7f : 0x1p-5f) * gates.gradients[i]);
      }
    }
}

TEST_CASE("gradients: machines agree, and neither batch nor schedule matters") {
  const auto data = small_task(40, 20);
  for (const GateKind kind : {GateKind::size, GateKind::hard_concrete}) {
    ModelSpec model = gated_model({20, 9}, kind);
    const ModelGradients cpu = gradients_of(model, LossKind::cross_entropy, data.task, {});
    const ModelGradients emu =
        gradients_of(model, LossKind::cross_entropy, data.task, {.kind = MachineSpec::Kind::emu});
    CHECK(same_bits(cpu.weights, emu.weights));
    CHECK(std::abs(cpu.loss - emu.loss) <= 1e-6 * cpu.loss);
    for (std::size_t l = 0; l < cpu.gradients.size(); ++l) {
      float largest = 0;
      for (const float g : cpu.gradients[l].weight) largest = std::max(largest, std::abs(g));
      for (std::size_t i = 0; i < cpu.gradients[l].weight.size(); ++i)
        REQUIRE(std::abs(cpu.gradients[l].weight[i] - emu.gradients[l].weight[i]) <= 4e-6f * largest);
    }
    model.gates[0].begin = 7;
    ModelSpec same = model;
    same.weights_rest = 0;
    for (ModelSpec m : {model, same}) {
      m.id = model_id(gated_model({20, 9}, kind), data.task.shape);
      const ModelGradients again = gradients_of(m, LossKind::cross_entropy, data.task, {});
      CHECK(same_bits(cpu.gradients, again.gradients));
      CHECK(cpu.gates[0].gradients == again.gates[0].gradients);
    }
  }
}

}  // namespace
}  // namespace shoal::test
