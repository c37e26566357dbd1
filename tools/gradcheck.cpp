// `shoal gradcheck`: the gradients of a model's first step on a machine, tensor by tensor, against a backward
// pass in double precision and against differences of the forward pass.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "datasets/registry.h"
#include "engine/gradients.h"
#include "tools/exit_codes.h"
#include "tools/gradcheck_reference.h"
#include "tools/population_spec.h"
#include "tools/table.h"
#include "tools/training_options.h"

namespace shoal {
namespace {

using gradcheck::Place;
using gradcheck::Vector;

/// Differences with this step and twice it are extrapolated (Richardson): the error of order h^4 and the
/// rounding, epsilon f / h, are then both near 1e-12.
constexpr double kStep = 1e-3;

struct GradcheckCommand {
  std::shared_ptr<TrainingCommand> train = std::make_shared<TrainingCommand>();
  int rows = 16, differences = 100;
  double bound = 2e-6, difference_bound = 1e-7;
  bool json = false;
};

/// What was found about one tensor; errors as shares of its scale.
struct TensorCheck {
  std::string name, shape;
  std::size_t entries = 0;
  double largest = 0;           // of the derivatives, in magnitude
  double error = 0;             // machine against double
  double difference_error = 0;  // double against differences
  int differences = 0, kinks = 0;
  bool ok = true;
};

/// One tensor, number by number.
struct Tensor {
  std::string name, shape;
  std::vector<Place> places;
  Vector exact, machine;
  Vector scale;  // per number; of weights and biases, and of gates that belong to one neuron: all the same
};

/// A task of chosen training rows only.
struct RowsTask {
  std::vector<std::uint8_t> bytes;
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  Task task;

  RowsTask(const Task& all, const std::vector<std::size_t>& rows) : task(all) {
    const auto features = static_cast<std::size_t>(all.train.features);
    for (const std::size_t row : rows) {
      const auto take = [&](const auto* from, auto& to) {
        if (from) to.insert(to.end(), from + row * features, from + (row + 1) * features);
      };
      take(all.train.bytes, bytes), take(all.train.values, values);
      labels.push_back(all.train.labels[row]);
    }
    task.train.count = static_cast<std::int64_t>(rows.size());
    task.train.bytes = all.train.bytes ? bytes.data() : nullptr;
    task.train.values = all.train.values ? values.data() : nullptr;
    task.train.labels = labels.data();
  }
};

/// The rows of a task in double. A machine rounds x * scale + shift to float before it begins: so does this.
gradcheck::Rows rows_of(const Task& task) {
  gradcheck::Rows rows;
  const DataView& d = task.train;
  for (std::int64_t b = 0; b < d.count; ++b) {
    Vector x;
    for (int f = 0; f < d.features; ++f) {
      const std::int64_t at = b * d.features + f;
      const float raw = d.bytes ? static_cast<float>(d.bytes[at]) : d.values[at];
      x.push_back(static_cast<double>(std::fma(raw, task.scale, task.shift)));
    }
    rows.inputs.push_back(std::move(x));
    rows.labels.push_back(d.labels[b]);
  }
  return rows;
}

gradcheck::Model model_of(const ModelSpec& spec, LossKind loss, const ModelGradients& g) {
  gradcheck::Model model;
  model.loss = loss;
  for (const LayerWeights& from : g.weights) {
    const auto inputs = static_cast<std::size_t>(from.inputs);
    gradcheck::Layer layer{gradcheck::Matrix(inputs), Vector(from.bias.begin(), from.bias.end())};
    for (std::size_t i = 0; i < from.weight.size(); ++i)
      layer.weight[i % inputs].push_back(static_cast<double>(from.weight[i]));
    model.layers.push_back(std::move(layer));
  }
  model.gates.resize(spec.hidden.size());
  for (std::size_t l = 0; l < g.gates.size(); ++l) {
    const GateGradients& from = g.gates[l];
    model.gates[l] = {from.kind,
                      spec.gates[l].size_penalty,
                      static_cast<double>(static_cast<float>(spec.gates[l].penalty)),
                      Vector(from.parameters.begin(), from.parameters.end()),
                      from.slope,
                      from.uniform};
  }
  return model;
}

/// The first rows on which no ReLU is so near its kink that float and double might disagree about it.
std::vector<std::size_t> clear_rows(const ModelSpec& spec, LossKind loss, const Task& task,
                                    const MachineSpec& machine, int wanted) {
  const auto limit = static_cast<std::size_t>(std::min<std::int64_t>(task.train.count, 32LL * wanted));
  std::vector<std::size_t> candidates(limit), chosen;
  std::iota(candidates.begin(), candidates.end(), std::size_t{0});
  const RowsTask one(task, {0});
  const gradcheck::Model model = model_of(spec, loss, gradients_of(spec, loss, one.task, machine));
  const gradcheck::Rows rows = rows_of(RowsTask(task, candidates).task);
  const gradcheck::Pass pass = forward(model, rows);
  for (std::size_t b = 0; b < limit && chosen.size() < static_cast<std::size_t>(wanted); ++b)
    if (clearance(model, rows, pass, b) > 1.0) chosen.push_back(b);
  if (chosen.empty())
    throw UsageError(
        fmt::format("none of the first {} training samples keeps all neurons off the kinks of their ReLUs: "
                    "the model is too "
                    "large for this check",
                    limit));
  return chosen;
}

double largest_of(const Vector& v) {
  double largest = 0;
  for (const double x : v) largest = std::max(largest, std::abs(x));
  return largest;
}

/// Every number is measured by the largest of its tensor.
void scale_by_largest(Tensor& t) { t.scale.assign(t.exact.size(), largest_of(t.exact)); }

/// Names of what a layer's gates learn.
std::vector<std::string> gate_tensors(GateKind kind) {
  if (kind == GateKind::size) return {"x0", "k"};
  if (kind == GateKind::random_size) return {"x0"};
  return {kind == GateKind::hard_concrete ? "log_alpha" : "beta"};
}

void add_gate_tensors(std::vector<Tensor>& tensors, std::size_t l, const GateGradients& gates,
                      const gradcheck::Gradients& exact) {
  if (!learns(gates.kind)) return;
  const std::vector<std::string> names = gate_tensors(gates.kind);
  const bool size = has_size(gates.kind);
  for (std::size_t n = 0; n < names.size(); ++n) {
    Tensor t{fmt::format("gates.{}.{}", l, names[n]), "", {}, {}, {}, {}};
    const std::size_t first = size ? n : 0, end = size ? n + 1 : gates.gradients.size();
    for (std::size_t i = first; i < end; ++i) {
      t.places.push_back({Place::Kind::gate, l, 0, i});
      t.exact.push_back(exact.gates[l][i]);
      t.machine.push_back(static_cast<double>(gates.gradients[i]));
      t.scale.push_back(exact.scales[l][i]);
    }
    if (!size) scale_by_largest(t);
    t.shape = fmt::format("[{}]", t.exact.size());
    tensors.push_back(std::move(t));
  }
}

std::vector<Tensor> tensors_of(const ModelGradients& found, const gradcheck::Gradients& exact) {
  std::vector<Tensor> tensors;
  for (std::size_t l = 0; l < found.gradients.size(); ++l) {
    const LayerWeights& from = found.gradients[l];
    const auto inputs = static_cast<std::size_t>(from.inputs),
               outputs = static_cast<std::size_t>(from.outputs);
    Tensor weight{
        fmt::format("layers.{}.weight", l), fmt::format("[{}, {}]", outputs, inputs), {}, {}, {}, {}};
    for (std::size_t n = 0; n < outputs; ++n)
      for (std::size_t k = 0; k < inputs; ++k) {
        weight.places.push_back({Place::Kind::weight, l, k, n});
        weight.exact.push_back(exact.layers[l].weight[k][n]);
        weight.machine.push_back(static_cast<double>(from.weight[n * inputs + k]));
      }
    Tensor bias{fmt::format("layers.{}.bias", l), fmt::format("[{}]", outputs), {}, {}, {}, {}};
    for (std::size_t n = 0; n < outputs; ++n) {
      bias.places.push_back({Place::Kind::bias, l, 0, n});
      bias.exact.push_back(exact.layers[l].bias[n]);
      bias.machine.push_back(static_cast<double>(from.bias[n]));
    }
    scale_by_largest(weight), scale_by_largest(bias);
    tensors.push_back(std::move(weight)), tensors.push_back(std::move(bias));
    if (l < found.gates.size()) add_gate_tensors(tensors, l, found.gates[l], exact);
  }
  return tensors;
}

/// As a share of the scale; where that is 0, both must be 0.
double share(double error, double scale) {
  return error == 0 ? 0 : scale > 0 ? error / scale : std::numeric_limits<double>::infinity();
}

/// Half of those that are compared with differences are the largest of the tensor, the others stand evenly.
std::vector<std::size_t> chosen_entries(const Tensor& t, int wanted) {
  const std::size_t all = t.exact.size();
  std::vector<std::size_t> entries(all);
  std::iota(entries.begin(), entries.end(), std::size_t{0});
  const auto count = static_cast<std::size_t>(wanted);
  if (wanted == 0 || all <= count) return entries;
  std::stable_sort(entries.begin(), entries.end(),
                   [&](std::size_t a, std::size_t b) { return std::abs(t.exact[a]) > std::abs(t.exact[b]); });
  entries.resize(count / 2);
  for (std::size_t i = 0; i < count - count / 2; ++i) entries.push_back(i * all / (count - count / 2));
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  return entries;
}

TensorCheck check(const Tensor& t, const gradcheck::Model& model, const gradcheck::Rows& rows,
                  const gradcheck::Pass& pass, const GradcheckCommand& c) {
  TensorCheck r{t.name, t.shape, t.exact.size(), largest_of(t.exact)};
  for (std::size_t i = 0; i < t.exact.size(); ++i) {
    const double error = share(std::abs(t.machine[i] - t.exact[i]), t.scale[i]);
    r.error = error <= r.error ? r.error : error;  // NaN shows
  }
  const double rounding =
      16 * std::numeric_limits<double>::epsilon() * std::abs(objective(model, pass)) / kStep;
  for (const std::size_t i : chosen_entries(t, c.differences)) {
    const auto wide = difference(model, rows, pass, t.places[i], 2 * kStep),
               narrow = difference(model, rows, pass, t.places[i], kStep);
    if (!wide.smooth || !narrow.smooth) {
      ++r.kinks;
      continue;
    }
    ++r.differences;
    const double slope = (4 * narrow.slope - wide.slope) / 3;
    const double error = std::abs(slope - t.exact[i]), relative = share(error, t.scale[i]);
    r.difference_error = relative <= r.difference_error ? r.difference_error : relative;
    // Where derivatives are tiny, rounding of the objective is more than the bound.
    r.ok &= error <= c.difference_bound * t.scale[i] + rounding;
  }
  r.ok &= r.error <= c.bound;
  return r;
}

std::vector<TensorCheck> check_model(const ModelSpec& spec, const RunSpec& run, const Task& task,
                                     const GradcheckCommand& c) {
  const RowsTask chosen(task, clear_rows(spec, run.loss, task, run.machine, c.rows));
  const ModelGradients found = gradients_of(spec, run.loss, chosen.task, run.machine);
  const gradcheck::Model model = model_of(spec, run.loss, found);
  const gradcheck::Rows rows = rows_of(chosen.task);
  const gradcheck::Pass pass = forward(model, rows);
  std::vector<TensorCheck> checks;
  for (const Tensor& t : tensors_of(found, backward(model, rows, pass)))
    checks.push_back(check(t, model, rows, pass, c));
  return checks;
}

nlohmann::ordered_json fields_of(const TensorCheck& t, const std::string& id) {
  return {{"model", id},
          {"tensor", t.name},
          {"shape", t.shape},
          {"entries", t.entries},
          {"largest", t.largest},
          {"error", t.error},
          {"difference_error", t.difference_error},
          {"differences", t.differences},
          {"kinks", t.kinks},
          {"ok", t.ok}};
}

std::string heading_of(const ModelSpec& spec, const RunSpec& run, const Task& task) {
  return fmt::format("{}-{}-{} (id {}), {} on {}: derivatives of the first step\n\n", task.shape.features,
                     fmt::join(spec.hidden, "-"), task.shape.classes, to_string(model_id(spec, task.shape)),
                     name_of(run.loss), device_name(run.machine));
}

std::string table_of(const std::vector<TensorCheck>& checks, bool colour) {
  Table table({"tensor", "shape", "largest", "float32 error", "differences", "their error", ""});
  for (const TensorCheck& t : checks)
    table.add(
        {t.name, t.shape, fmt::format("{:.3g}", t.largest), fmt::format("{:.1e}", t.error),
         t.kinks ? fmt::format("{} ({} at kinks)", t.differences, t.kinks) : fmt::format("{}", t.differences),
         t.differences ? fmt::format("{:.1e}", t.difference_error) : "", t.ok ? "ok" : "beyond"});
  return table.text(colour) + "\n";
}

void check_numbers(const GradcheckCommand& c) {
  if (c.rows < 1 || c.rows > 4096) throw UsageError(fmt::format("--rows: {} is not from 1 to 4096", c.rows));
  if (c.differences < 0) throw UsageError("--differences: a number of entries, 0 for all");
  for (const double bound : {c.bound, c.difference_bound})
    if (!(bound > 0)) throw UsageError(fmt::format("a bound of {}: it must be larger than 0", bound));
}

int run_gradcheck(const GradcheckCommand& c) {
  check_numbers(c);
  Report report({.json = c.json, .log_file = {}});
  std::vector<std::string> warnings;
  const Settings settings = settings_of(*c.train, warnings);
  for (const std::string& warning : warnings) report.warn(warning);
  const RunSpec run = run_spec_of(settings);
  const Dataset data = load_dataset(dataset_spec_of(settings));
  check_against_data(run, data);
  const Task task = task_of(data, normalization_of(settings.text("normalize"), data.train));
  std::size_t tensors = 0, beyond = 0;
  for (const ModelSpec& spec : run.models) {
    const std::vector<TensorCheck> checks = check_model(spec, run, task, c);
    report.print(heading_of(spec, run, task) + table_of(checks, report.colour()));
    const std::string id = to_string(model_id(spec, task.shape));
    for (const TensorCheck& t : checks) {
      report.event("tensor", fields_of(t, id));
      ++tensors, beyond += !t.ok;
    }
  }
  report.print(fmt::format("{} of {} tensors within {:.0e} (float32) and {:.0e} (differences)\n",
                           tensors - beyond, tensors, c.bound, c.difference_bound));
  report.event("result", {{"tensors", tensors},
                          {"beyond", beyond},
                          {"bound", c.bound},
                          {"difference_bound", c.difference_bound}});
  return beyond == 0 ? kExitOk : kExitFailure;
}

}  // namespace

Action declare_gradcheck(CLI::App& app) {
  auto command = std::make_shared<GradcheckCommand>();
  command->train->name = "gradcheck";
  command->train->schema = training_schema();
  add_setting_flags(app, *command->train);
  const auto group = [](CLI::Option* option) { option->group("Check"); };
  group(app.add_option("--rows", command->rows, "training samples of the batch, those clear of kinks")
            ->type_name("N")
            ->capture_default_str());
  group(app.add_option("--differences", command->differences,
                       "entries of a tensor compared with differences; 0: all")
            ->type_name("N")
            ->capture_default_str());
  group(app.add_option("--bound", command->bound,
                       "largest error of the machine, as a share of the tensor's largest entry")
            ->type_name("X")
            ->capture_default_str());
  group(app.add_option("--difference-bound", command->difference_bound,
                       "the same for the double-precision gradient against differences")
            ->type_name("X")
            ->capture_default_str());
  group(app.add_option("--config", command->train->config, "settings in TOML")->type_name("FILE"));
  group(app.add_flag("--json", command->json, "a line of JSON per tensor"));
  return [command](const Invocation&) { return run_gradcheck(*command); };
}

}  // namespace shoal
