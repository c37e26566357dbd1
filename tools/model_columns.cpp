#include "tools/model_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/population_spec.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using M = const ModelSpec&;

std::string momentum(M m) { return has_momentum(m.optimizer.rule) ? to_text(m.optimizer.momentum) : ""; }
std::string of_moments(M m, double value) { return has_betas(m.optimizer.rule) ? to_text(value) : ""; }

/// The first layer with gates: all layers with gates have the same, but for where they start.
const GateSpec* gate_of(M m) {
  const auto found =
      std::find_if(m.gates.begin(), m.gates.end(), [](const GateSpec& g) { return learns(g.kind); });
  return found == m.gates.end() ? nullptr : &*found;
}

/// A number of the gates, where `reads` says that they have it.
std::string of_gate(M m, bool (*reads)(const GateSpec&), double GateSpec::*value) {
  const GateSpec* const g = gate_of(m);
  return g && reads(*g) ? to_text(g->*value) : "";
}
bool any_gate(const GateSpec&) { return true; }
bool neuron_gate(const GateSpec& g) { return !has_size(g.kind); }
bool size_gate(const GateSpec& g) { return g.kind == GateKind::size; }
bool judged_gate(const GateSpec& g) { return g.kind == GateKind::liveness_switch && g.inertia >= 0.0; }

/// As --gate-layers: all, or the layers counted from 1 and joined by x.
std::string gate_layers(M m) {
  if (!gate_of(m)) return "";
  std::string text;
  bool all = true;
  for (std::size_t l = 0; l < m.gates.size(); ++l) {
    const bool gated = learns(m.gates[l].kind);
    all = all && gated;
    if (gated) text += fmt::format("{}{}", text.empty() ? "" : "x", l + 1);
  }
  return all ? "all" : text;
}

/// One number, or one a layer, joined by x, where they differ.
std::string gate_start(M m) {
  std::string text;
  bool differ = false;
  const GateSpec* const first = gate_of(m);
  for (const GateSpec& g : m.gates) {
    if (!learns(g.kind)) continue;
    text += (text.empty() ? "" : "x") + to_text(g.start);
    differ = differ || g.start != first->start;
  }
  return !first ? "" : differ ? text : to_text(first->start);
}

std::string gate_name(M m) {
  const GateSpec* const g = gate_of(m);
  return std::string(name_of(g ? g->kind : GateKind::none));
}

std::string size_penalty_name(M m) {
  const GateSpec* const g = gate_of(m);
  return g && has_size(g->kind) && g->penalty > 0.0 ? std::string(name_of(g->size_penalty)) : "";
}

std::string grey_zone(M m) {
  const GateSpec* const g = gate_of(m);
  return g && g->kind == GateKind::random_size ? to_text(g->zone_low) + ".." + to_text(g->zone_high) : "";
}

std::string gate_begin(M m) {
  const GateSpec* const g = gate_of(m);
  return g ? std::to_string(g->begin) : "";
}

std::string lr_decay(M m) { return std::string(name_of(m.optimizer.lr_decay)); }
std::string decay_epochs(M m) {
  return m.optimizer.lr_decay == LrDecay::none ? "" : std::to_string(m.optimizer.decay_epochs);
}

std::string weights_rest(M m) { return m.weights_rest < 0 ? "" : std::to_string(m.weights_rest); }

constexpr std::array<ModelColumn, 31> kColumns = {{
    {"hidden", [](M m) { return to_text(m.hidden); }},
    {"seed", [](M m) { return std::to_string(m.seed); }},
    {"init", [](M m) { return std::string(name_of(m.init)); }},
    {"batch", [](M m) { return std::to_string(m.batch); }},
    {"optimizer", [](M m) { return std::string(optimizer_name(m.optimizer)); }},
    {"lr", [](M m) { return to_text(m.optimizer.lr); }},
    {"momentum", momentum},
    {"beta1", [](M m) { return of_moments(m, m.optimizer.beta1); }},
    {"beta2", [](M m) { return of_moments(m, m.optimizer.beta2); }},
    {"eps", [](M m) { return of_moments(m, m.optimizer.eps); }},
    {"l1", [](M m) { return to_text(m.optimizer.l1); }},
    {"l2", [](M m) { return to_text(m.optimizer.l2); }},
    {"weight_decay", [](M m) { return to_text(m.optimizer.weight_decay); }},
    {"group_lasso", [](M m) { return to_text(m.optimizer.group_lasso); }, ModelColumn::Part::group_lasso},
    {"lr_decay", lr_decay, ModelColumn::Part::decay},
    {"decay_epochs", decay_epochs, ModelColumn::Part::decay},
    {"gate", gate_name, ModelColumn::Part::gates},
    {"gate_layers", gate_layers, ModelColumn::Part::gates},
    {"gate_penalty", [](M m) { return of_gate(m, any_gate, &GateSpec::penalty); }, ModelColumn::Part::gates},
    {"size_penalty", size_penalty_name, ModelColumn::Part::gates},
    {"gate_start", gate_start, ModelColumn::Part::gates},
    {"gate_spread", [](M m) { return of_gate(m, neuron_gate, &GateSpec::spread); }, ModelColumn::Part::gates},
    {"gate_slope", [](M m) { return of_gate(m, size_gate, &GateSpec::slope); }, ModelColumn::Part::gates},
    {"gate_slope_lr", [](M m) { return of_gate(m, size_gate, &GateSpec::slope_lr); },
     ModelColumn::Part::gates},
    {"gate_lr", [](M m) { return of_gate(m, any_gate, &GateSpec::lr); }, ModelColumn::Part::gates},
    {"grey_zone", grey_zone, ModelColumn::Part::gates},
    {"gate_inertia", [](M m) { return of_gate(m, judged_gate, &GateSpec::inertia); },
     ModelColumn::Part::gates},
    {"gate_threshold", [](M m) { return of_gate(m, judged_gate, &GateSpec::threshold); },
     ModelColumn::Part::gates},
    {"gate_begin", gate_begin, ModelColumn::Part::gates},
    {"remove_dead", [](M m) { return std::string(m.remove_dead ? "on" : ""); }, ModelColumn::Part::gates},
    {"weights_rest", weights_rest, ModelColumn::Part::gates},
}};

}  // namespace

bool has_gates(const ModelSpec& model) { return gate_of(model) != nullptr; }

std::vector<ModelColumn> model_columns(std::span<const ModelSpec> models) {
  const auto any = [&](auto&& has) { return std::any_of(models.begin(), models.end(), has); };
  using Part = ModelColumn::Part;
  // In the order of the enumeration.
  const bool there[] = {true, any([](M m) { return m.optimizer.group_lasso > 0.0; }),
                        any([](M m) { return m.optimizer.lr_decay != LrDecay::none; }),
                        any([](M m) { return has_gates(m) || m.weights_rest >= 0; })};
  static_assert(static_cast<int>(Part::gates) == 3);
  std::vector<ModelColumn> columns;
  for (const ModelColumn& column : kColumns)
    if (there[static_cast<std::size_t>(column.part)]) columns.push_back(column);
  return columns;
}

}  // namespace shoal
