#include "tools/studies/growth_phases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/weights.h"
#include "tools/exit_codes.h"
#include "tools/signals.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFolder = "phases";

std::string file_of(const PhaseSpec& phase, std::string_view suffix) {
  return fmt::format("{}/{}.{}", kFolder, phase.name, suffix);
}

/// A result's numbers, by name: the one list of what a phase's file holds.
template <class Result, class Visit>
void for_each_number(Result& r, Visit visit) {
  visit("train_loss", r.train_loss);
  visit("train_accuracy", r.train_accuracy);
  visit("test_loss", r.test_loss);
  visit("test_accuracy", r.test_accuracy);
}
template <class Result, class Visit>
void for_each_list(Result& r, Visit visit) {
  visit("epoch_test_loss", r.epoch_test_loss);
  visit("epoch_test_accuracy", r.epoch_test_accuracy);
  visit("epoch_train_loss", r.epoch_train_loss);
  visit("epoch_size", r.epoch_size);
}

ordered_json to_json(const PhaseResult& r) {
  ordered_json fields{{"diverged", r.diverged}};
  for_each_number(r, [&](const char* name, double value) { fields[name] = value; });
  for_each_list(r, [&](const char* name, const std::vector<double>& values) { fields[name] = values; });
  return fields;
}

/// NaN is null there and back.
double number_of(const ordered_json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

PhaseResult from_json(const ordered_json& fields) {
  PhaseResult r;
  r.diverged = fields.at("diverged").get<bool>();
  for_each_number(r, [&](const char* name, double& value) { value = number_of(fields.at(name)); });
  for_each_list(r, [&](const char* name, std::vector<double>& values) {
    for (const auto& value : fields.at(name)) values.push_back(number_of(value));
  });
  return r;
}

/// Of the final weights: "m0", "m1", ...; of those after the epochs that were asked for: "e3.m0", ...
std::string model_name(std::size_t model) { return fmt::format("m{}", model); }
std::string model_name(int epoch, std::size_t model) { return fmt::format("e{}-m{}", epoch, model); }

std::vector<int> widths_of(const Layers& layers) {
  std::vector<int> widths{layers.front().inputs};
  for (const LayerWeights& l : layers) widths.push_back(l.outputs);
  return widths;
}

bool finite(const Layers& layers) {
  for (const LayerWeights& l : layers)
    for (const auto* part : {&l.weight, &l.bias})
      for (const float w : *part)
        if (!std::isfinite(w)) return false;
  return true;
}

PhaseResult result_of(const ModelResult& m, Layers layers) {
  PhaseResult r;
  r.diverged = m.status != ModelStatus::ok || !finite(layers);
  r.train_loss = m.train_loss, r.train_accuracy = m.train_accuracy;
  r.test_loss = m.test_loss, r.test_accuracy = m.test_accuracy;
  r.epoch_test_loss = m.epoch_test_loss, r.epoch_test_accuracy = m.epoch_test_accuracy;
  for (const EpochDetail& d : m.details) r.epoch_train_loss.push_back(d.train_loss);
  if (!m.gates.empty()) r.epoch_size = m.gates.front().epoch_size;
  r.layers = std::move(layers);
  return r;
}

}  // namespace

Phases::Phases(const Population& population, double cost) : population_(population), cost_(cost) {
  std::filesystem::create_directories(population.directory.file(kFolder));
}

std::optional<PhaseResults> Phases::read(const PhaseSpec& phase) const {
  std::ifstream in(population_.directory.file(file_of(phase, "json")));
  if (!in) return std::nullopt;
  const auto fields = ordered_json::parse(in, nullptr, false);
  if (!fields.is_array() || fields.size() != phase.models.size()) return std::nullopt;
  PhaseResults results;
  const WeightsFile weights(population_.directory.file(file_of(phase, "safetensors")));
  const auto layers = [&](const std::string& name, bool diverged) {
    return diverged ? Layers() : weights.read(name);
  };
  for (std::size_t m = 0; m < phase.models.size(); ++m) {
    results.models.push_back(from_json(fields[m]));
    results.models.back().layers = layers(model_name(m), results.models.back().diverged);
  }
  for (const int epoch : phase.weight_epochs) {
    results.snapshots.emplace_back();
    for (std::size_t m = 0; m < phase.models.size(); ++m)
      results.snapshots.back().push_back(layers(model_name(epoch, m), results.models[m].diverged));
  }
  return results;
}

/// The numbers come last: where they are, all is there.
void Phases::write(const PhaseSpec& phase, const PhaseResults& results) const {
  std::vector<WeightsWriter::Model> models;
  std::vector<const Layers*> layers;
  const auto add = [&](std::string name, const Layers& of_model) {
    models.push_back({std::move(name), widths_of(of_model)});
    layers.push_back(&of_model);
  };
  for (std::size_t m = 0; m < results.models.size(); ++m) add(model_name(m), results.models[m].layers);
  for (std::size_t e = 0; e < results.snapshots.size(); ++e)
    for (std::size_t m = 0; m < results.models.size(); ++m)
      add(model_name(phase.weight_epochs[e], m), results.snapshots[e][m]);
  try {
    population_.directory.write_with(file_of(phase, "safetensors"), [&](const std::filesystem::path& path) {
      WeightsWriter file(path, models, {});
      for (std::size_t m = 0; m < layers.size(); ++m) file.write(m, *layers[m]);
      file.finish();
    });
  } catch (const WeightsError& e) { throw OutputError(e.what()); }
  ordered_json fields = ordered_json::array();
  for (const PhaseResult& r : results.models) fields.push_back(to_json(r));
  population_.directory.write(file_of(phase, "json"), fields.dump() + "\n");
}

std::optional<PhaseResults> Phases::train(const PhaseSpec& phase) {
  double cost = 0;
  for (const PhaseModel& m : phase.models) cost += static_cast<double>(m.spec.hidden.back()) * phase.epochs;
  const double before = done_;
  done_ += cost;
  if (stop_requested()) return std::nullopt;
  if (auto known = read(phase)) return known;
  const Population& p = population_;
  RunSpec spec = p.spec;
  spec.models.clear();
  for (const PhaseModel& m : phase.models) spec.models.push_back(m.spec);
  spec.epochs = phase.epochs, spec.epoch_details = phase.epoch_losses;
  spec.evaluate_each_epoch = spec.evaluate_train = true, spec.neuron_moments = false;
  PhaseResults results;
  std::vector<Layers> layers(phase.models.size());
  results.snapshots.resize(phase.weight_epochs.size(), layers);
  RunHooks hooks;
  hooks.stop = &stop_requested();
  // A resumed run would not see the weights of earlier epochs again: with snapshots it begins anew.
  if (phase.weight_epochs.empty())
    hooks.checkpoint_path = p.directory.file(file_of(phase, "checkpoint")).string();
  hooks.start_weights = [&](std::int64_t m) { return phase.models[static_cast<std::size_t>(m)].start; };
  hooks.weights = [&](std::int64_t m, std::span<const LayerWeights> l) {
    layers[static_cast<std::size_t>(m)].assign(l.begin(), l.end());
  };
  hooks.progress = [&](const Progress& now) {
    p.report.progress(fmt::format("growing and shrinking: {}, {:.0f} %", phase.name, 100 * now.done),
                      (before + now.done * cost) / cost_, seconds_ + now.seconds);
  };
  const auto at = [&](int epoch) {
    return static_cast<std::size_t>(std::ranges::find(phase.weight_epochs, epoch) -
                                    phase.weight_epochs.begin());
  };
  if (!phase.weight_epochs.empty()) {
    hooks.weight_epochs = phase.weight_epochs;
    hooks.epoch_weights = [&](const EpochWeights& w) {
      for (std::size_t m = 0; m < w.models.size(); ++m)
        results.snapshots[at(w.epochs)][static_cast<std::size_t>(w.models[m])] = w.of(m);
    };
  }
  const RunResult run_result = run(spec, p.task, hooks);
  p.report.end_progress();
  seconds_ += run_result.seconds;
  if (run_result.stopped) return std::nullopt;
  for (std::size_t m = 0; m < layers.size(); ++m)
    results.models.push_back(result_of(run_result.models[m], std::move(layers[m])));
  write(phase, results);
  return results;
}

}  // namespace shoal
