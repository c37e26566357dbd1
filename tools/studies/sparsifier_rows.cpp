#include "tools/studies/sparsifier_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "engine/spec.h"
#include "tools/sizes.h"
#include "tools/studies/at_width.h"

namespace shoal {
namespace {

using Family = SparsifierFamily;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kFirstDeaths = 0.01;  // share of the neurons
constexpr double kSettled = 0.01;      // of the size
constexpr double kOpenLogAlpha = 2.0;  // hard-concrete gates start open with a probability of 97 %

struct FamilyName {
  std::string_view name, words;
};
// In the order of the enumeration.
constexpr std::array<FamilyName, 9> kNames{{{"strict", "strict gates"},
                                            {"starts", "strict gates, other starts"},
                                            {"rates", "strict gates, other gate rates"},
                                            {"strict-l2", "strict gates, L2"},
                                            {"switch", "switches"},
                                            {"switch-l2", "switches, L2"},
                                            {"smallify", "Smallify"},
                                            {"hard-concrete", "hard-concrete"},
                                            {"fixed", "no gates"}}};

/// A model with such a gate.
ModelSpec gated(ModelSpec model, GateKind kind, double lambda, double rate) {
  GateSpec g;
  g.kind = kind, g.penalty = lambda, g.lr = rate;
  g.start = kind == GateKind::hard_concrete ? kOpenLogAlpha : 1.0;
  model.gates = {g};
  model.remove_dead = kind == GateKind::liveness;
  return model;
}

/// Every arm, without its models.
std::vector<SparsifierArm> arms_of(const ModelSpec& base, const SparsifierSpec& s) {
  std::vector<SparsifierArm> arms;
  const auto with = [&](GateKind kind, double lambda) { return gated(base, kind, lambda, s.gate_lr); };
  const auto add = [&](Family family, ModelSpec model) { arms.push_back({family, std::move(model), {}}); };
  for (const double lambda : s.penalties) add(Family::strict, with(GateKind::liveness, lambda));
  for (const double lambda : s.start_penalties)
    for (const int width : s.starts) {
      ModelSpec model = with(GateKind::liveness, lambda);
      model.hidden = {width};
      add(Family::starts, std::move(model));
    }
  for (const double lambda : s.start_penalties)
    for (const double rate : s.rates) {
      ModelSpec model = with(GateKind::liveness, lambda);
      model.gates[0].lr = rate;
      add(Family::rates, std::move(model));
    }
  for (const double lambda : s.rival_penalties) {
    ModelSpec strict = with(GateKind::liveness, lambda), free = with(GateKind::liveness_switch, lambda),
              judged = free;
    judged.gates[0].inertia = s.inertia, judged.remove_dead = true;
    add(Family::gate_switch, free);
    add(Family::smallify, judged);
    strict.optimizer.l2 = free.optimizer.l2 = s.l2;
    add(Family::strict_l2, strict);
    add(Family::switch_l2, free);
    add(Family::hard_concrete, with(GateKind::hard_concrete, lambda));
  }
  for (const int width : s.fixed) {
    ModelSpec model = base;
    model.hidden = {width};
    add(Family::fixed, std::move(model));
  }
  return arms;
}

double size_after(const ModelResult& model, std::size_t epochs) {
  return model.gates.empty() ? kNone : model.gates.front().epoch_size.at(epochs - 1);
}

/// Mean magnitude of the gates that are not 0.
double open_gate(const ModelResult& model) {
  double sum = 0.0, open = 0.0;
  for (const float g : model.gates.front().gates)
    if (g != 0.0f) sum += std::abs(static_cast<double>(g)), ++open;
  return sum / open;
}

/// Epoch, counted from 1, after which the first of the neurons have died; 0: never.
int first_deaths(const std::vector<double>& sizes, int width) {
  for (std::size_t e = 0; e < sizes.size(); ++e)
    if (sizes[e] <= (1.0 - kFirstDeaths) * width) return static_cast<int>(e) + 1;
  return 0;
}

void add_model(SparsifierRow& row, const ModelResult& model) {
  const std::size_t epochs = model.epoch_train_loss.size();
  row.test_accuracies.push_back(model.test_accuracy);
  row.train_accuracies.push_back(model.train_accuracy);
  if (model.gates.empty()) {
    row.sizes.push_back(row.width);
    return;
  }
  row.sizes.push_back(size_of(model));
  const std::size_t before = epochs - std::max<std::size_t>(1, epochs / 4);
  if (before > 0) {
    const double then = size_after(model, before);
    row.late_changes.push_back(then > 0.0 ? (row.sizes.back() - then) / then : 0.0);
  }
  if (const int epoch = first_deaths(model.gates.front().epoch_size, row.width))
    row.first_deaths.push_back(epoch);
}

/// Means and sds over the models by epoch.
void add_curves(SparsifierRow& row, std::span<const ModelResult* const> models) {
  if (models.empty()) return;
  for (std::size_t e = 0; e < models.front()->epoch_test_accuracy.size(); ++e) {
    std::vector<double> sizes, accuracies;
    for (const ModelResult* m : models) {
      sizes.push_back(m->gates.empty() ? row.width : size_after(*m, e + 1));
      accuracies.push_back(m->epoch_test_accuracy[e]);
    }
    const Summary size = summarize(sizes), accuracy = summarize(accuracies);
    row.epoch_size.push_back(size.mean), row.epoch_size_sd.push_back(size.sd);
    row.epoch_accuracy.push_back(accuracy.mean), row.epoch_accuracy_sd.push_back(accuracy.sd);
  }
}

SparsifierRow row_of(const SparsifierArm& arm, const RunResult& result, std::int64_t samples) {
  SparsifierRow row;
  row.family = arm.family, row.width = arm.model.hidden.front();
  row.l2 = arm.model.optimizer.l2;
  const GateSpec* const gate = arm.gate();
  row.lambda = gate ? gate->penalty : 0.0, row.gate_lr = gate ? gate->lr : 0.0;
  const double steps = std::ceil(static_cast<double>(samples) / arm.model.batch);
  const bool from_one = gate && gate->kind != GateKind::hard_concrete;
  row.earliest_death = from_one ? gate->start / (gate->lr * steps) : kNone;
  std::vector<const ModelResult*> fine;
  double open = 0.0;
  for (const std::size_t m : arm.models) {
    const ModelResult& model = result.models[m];
    if (model.status != ModelStatus::ok) {
      ++row.diverged;
      continue;
    }
    fine.push_back(&model);
    add_model(row, model);
    if (gate) open += open_gate(model);
  }
  row.models = static_cast<int>(fine.size());
  row.size = summarize(row.sizes), row.test_accuracy = summarize(row.test_accuracies);
  row.train_accuracy = summarize(row.train_accuracies);
  row.open_gate = gate ? open / row.models : kNone;
  row.late_change = mean_interval(row.late_changes);
  add_curves(row, fine);
  return row;
}

}  // namespace

std::string_view name_of(Family f) { return kNames[static_cast<std::size_t>(f)].name; }
std::string_view words_of(Family f) { return kNames[static_cast<std::size_t>(f)].words; }

SparsifierPlan sparsifier_plan(std::span<const ModelSpec> base, const SparsifierSpec& spec) {
  SparsifierPlan plan;
  plan.arms = arms_of(base.front(), spec);
  std::map<ModelId, std::size_t> known;
  for (SparsifierArm& arm : plan.arms)
    for (const ModelSpec& of_seed : base) {
      ModelSpec model = arm.model;
      model.seed = of_seed.seed;
      const auto [place, added] = known.try_emplace(model_id(model, {1, 1}), plan.models.size());
      if (added) plan.models.push_back(model);
      arm.models.push_back(place->second);
    }
  return plan;
}

std::vector<SparsifierRow> sparsifier_rows(const SparsifierPlan& plan, const RunResult& result,
                                           std::int64_t samples) {
  std::vector<SparsifierRow> rows;
  for (const SparsifierArm& arm : plan.arms) rows.push_back(row_of(arm, result, samples));
  return rows;
}

std::vector<const SparsifierRow*> of_family(std::span<const SparsifierRow> rows, Family family) {
  std::vector<const SparsifierRow*> found;
  for (const SparsifierRow& row : rows)
    if (row.family == family && row.models > 0) found.push_back(&row);
  return found;
}

double accuracy_of_fixed(std::span<const SparsifierRow> rows, double size) {
  std::map<double, double> by_width;
  for (const SparsifierRow* row : of_family(rows, Family::fixed))
    by_width[row->width] = row->test_accuracy.mean;
  return at_width(by_width, size);
}

Settled settled(const SparsifierRow& row) {
  const MeanInterval& c = row.late_change;
  if (!std::isfinite(c.low)) return Settled::unknown;
  return c.low >= -kSettled && c.high <= kSettled ? Settled::yes : Settled::no;
}

std::string_view settled_text(const SparsifierRow& row) {
  const Settled s = settled(row);
  return s == Settled::yes ? "yes" : s == Settled::no ? "no" : "unknown";
}

MeanInterval start_exponent(std::span<const SparsifierRow> rows, double lambda) {
  std::vector<double> starts, sizes;
  for (const SparsifierRow* row : of_family(rows, Family::starts)) {
    if (row->lambda != lambda) continue;
    for (const double size : row->sizes)
      if (size > 0.0) starts.push_back(std::log(row->width)), sizes.push_back(std::log(size));
  }
  return slope_interval(starts, sizes);
}

}  // namespace shoal
