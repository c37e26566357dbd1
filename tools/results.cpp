#include "tools/results.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "datasets/npz.h"
#include "tools/exit_codes.h"
#include "tools/model_columns.h"
#include "tools/sizes.h"
#include "tools/summary.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

constexpr std::size_t kMostCsvNeurons = 200000;

/// A file of arrays that cannot be written is a failure of the output, not of data.
template <class Fill>
void write_npz(const RunDirectory& directory, std::string_view name, Fill&& fill) {
  try {
    directory.write_with(name, [&](const std::filesystem::path& path) {
      NpzWriter npz(path);
      fill(npz);
      npz.finish();
    });
  } catch (const DataError& e) { throw OutputError(e.what()); }
}

/// An empty cell for what was not measured.
std::string csv_number(double value) { return std::isnan(value) ? std::string() : to_text(value); }

/// One row per hidden neuron, column by column.
struct NeuronColumns {
  std::vector<std::int64_t> model, count;
  std::vector<std::int32_t> layer, neuron;
  std::vector<double> mean, sd, min, max, zeros;
  std::vector<double> gate;  // empty when no model has gates; NaN of layers without
};

NeuronColumns neuron_columns(const RunSpec& spec, const RunResult& result) {
  NeuronColumns columns;
  const bool gated = any_gates(spec);
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    const auto& layers = result.models[m].neurons;
    for (std::size_t l = 0; l < layers.size(); ++l)
      for (std::size_t n = 0; n < layers[l].size(); ++n) {
        const Moments& moments = layers[l][n];
        columns.model.push_back(static_cast<std::int64_t>(m));
        columns.layer.push_back(static_cast<std::int32_t>(l));
        columns.neuron.push_back(static_cast<std::int32_t>(n));
        columns.count.push_back(static_cast<std::int64_t>(moments.count));
        columns.mean.push_back(moments.mean);
        columns.sd.push_back(std::sqrt(variance(moments)));
        columns.min.push_back(moments.min);
        columns.max.push_back(moments.max);
        columns.zeros.push_back(moments.zeros / moments.count);
        if (gated) columns.gate.push_back(gate_of(result.models[m], l, n));
      }
  }
  return columns;
}

std::string neurons_csv(const NeuronColumns& c) {
  const bool gated = !c.gate.empty();
  std::string text = fmt::format("model,layer,neuron,count,mean,sd,min,max,zeros{}\n", gated ? ",gate" : "");
  for (std::size_t i = 0; i < c.model.size(); ++i)
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{}{}\n", c.model[i], c.layer[i], c.neuron[i], c.count[i],
                    csv_number(c.mean[i]), csv_number(c.sd[i]), csv_number(c.min[i]), csv_number(c.max[i]),
                    csv_number(c.zeros[i]), gated ? "," + csv_number(c.gate[i]) : std::string());
  return text;
}

const char* status_text(ModelStatus status) { return status == ModelStatus::ok ? "ok" : "diverged"; }

/// Values of one field over the models that went well.
std::vector<double> values_of_ok(const RunResult& result, double ModelResult::*field) {
  std::vector<double> values;
  for (const ModelResult& model : result.models)
    if (model.status == ModelStatus::ok) values.push_back(model.*field);
  return values;
}

struct Metric {
  const char* name;
  double ModelResult::*value;
};
constexpr Metric kFinalMetrics[] = {{"train_loss", &ModelResult::train_loss},
                                    {"train_accuracy", &ModelResult::train_accuracy},
                                    {"test_loss", &ModelResult::test_loss},
                                    {"test_accuracy", &ModelResult::test_accuracy}};

}  // namespace

void write_curves(const RunDirectory& directory, const RunSpec& spec, const RunResult& result) {
  struct Curve {
    const char* name;
    std::vector<double> ModelResult::*values;
  };
  constexpr Curve kCurves[] = {{"train_loss", &ModelResult::epoch_train_loss},
                               {"train_accuracy", &ModelResult::epoch_train_accuracy},
                               {"test_loss", &ModelResult::epoch_test_loss},
                               {"test_accuracy", &ModelResult::epoch_test_accuracy}};
  const std::size_t models = result.models.size(), epochs = static_cast<std::size_t>(spec.epochs);
  const Shape shape{spec.epochs, static_cast<std::int64_t>(models)};
  write_npz(directory, "curves.npz", [&](NpzWriter& npz) {
    for (const Curve& curve : kCurves) {
      std::vector<double> values(epochs * models, std::numeric_limits<double>::quiet_NaN());
      for (std::size_t m = 0; m < models; ++m) {
        const std::vector<double>& of_model = result.models[m].*curve.values;
        for (std::size_t e = 0; e < std::min(epochs, of_model.size()); ++e)
          values[e * models + m] = of_model[e];
      }
      npz.add(curve.name, shape, std::span<const double>(values));
    }
    if (any_gates(spec)) add_sizes(npz, spec, result);
  });
}

void write_population(const RunDirectory& directory, const RunSpec& spec, const RunResult& result,
                      TaskShape shape) {
  const std::vector<ModelColumn> columns = model_columns(spec.models);
  const bool gated = any_gates(spec);
  std::string text = "index,id,parameters";
  for (const ModelColumn& column : columns) text += fmt::format(",{}", column.name);
  if (gated) text += ",size,layer_sizes,effective_parameters";
  text += ",epochs,train_loss,train_accuracy,test_loss,test_accuracy,status,diverged_epoch\n";
  for (std::size_t m = 0; m < result.models.size(); ++m) {
    const ModelResult& model = result.models[m];
    text += fmt::format("{},{},{}", m, to_string(model.id), model.parameters);
    for (const ModelColumn& column : columns) text += "," + column.text(spec.models[m]);
    if (gated)
      text += has_gates(spec.models[m])
                  ? fmt::format(",{},{},{}", csv_number(size_of(model)), layer_sizes_text(model),
                                effective_parameters(spec.models[m], model, shape))
                  : ",,,";
    text += fmt::format(",{}", model.epoch_train_loss.size());
    for (const Metric& metric : kFinalMetrics) text += "," + csv_number(model.*metric.value);
    text += fmt::format(",{},{}\n", status_text(model.status),
                        model.diverged_epoch < 0 ? std::string() : std::to_string(model.diverged_epoch));
  }
  directory.write("population.csv", text);
}

void write_neurons(const RunDirectory& directory, const RunSpec& spec, const RunResult& result) {
  if (!spec.neuron_moments) return;
  const NeuronColumns c = neuron_columns(spec, result);
  const Shape rows{static_cast<std::int64_t>(c.model.size())};
  write_npz(directory, "neurons.npz", [&](NpzWriter& npz) {
    const auto add = [&]<class T>(const char* name, const std::vector<T>& values) {
      npz.add(name, rows, std::span<const T>(values));
    };
    add("model", c.model);
    add("layer", c.layer);
    add("neuron", c.neuron);
    add("count", c.count);
    add("mean", c.mean);
    add("sd", c.sd);
    add("min", c.min);
    add("max", c.max);
    add("zeros", c.zeros);
    if (!c.gate.empty()) add("gate", c.gate);
  });
  if (c.model.size() < kMostCsvNeurons) directory.write("neurons.csv", neurons_csv(c));
}

nlohmann::ordered_json epoch_fields(const EpochReport& report) {
  std::int64_t diverged = 0;
  for (const double loss : report.train_loss) diverged += !std::isfinite(loss);
  nlohmann::ordered_json fields{{"wave", report.wave},
                                {"waves", report.waves},
                                {"epoch", report.epoch},
                                {"models", report.models.size()},
                                {"diverged", diverged},
                                {"train_loss", to_json(five_numbers(report.train_loss))},
                                {"train_accuracy", to_json(five_numbers(report.train_accuracy))},
                                {"test_loss", to_json(five_numbers(report.test_loss))},
                                {"test_accuracy", to_json(five_numbers(report.test_accuracy))}};
  const FiveNumbers sizes = five_numbers(report.size);
  if (sizes.count > 0) fields["size"] = to_json(sizes);
  return fields;
}

nlohmann::ordered_json model_fields(const RunSpec& spec, const RunResult& result, std::size_t m) {
  const ModelResult& model = result.models[m];
  nlohmann::ordered_json fields{{"index", m},
                                {"id", to_string(model.id)},
                                {"hidden", spec.models[m].hidden},
                                {"seed", spec.models[m].seed},
                                {"parameters", model.parameters}};
  for (const Metric& metric : kFinalMetrics) fields[metric.name] = model.*metric.value;
  if (has_gates(spec.models[m])) {
    fields["size"] = size_of(model);
    fields["layer_sizes"] = layer_sizes(model);
  }
  fields["status"] = status_text(model.status);
  fields["diverged_epoch"] =
      model.diverged_epoch < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(model.diverged_epoch);
  return fields;
}

nlohmann::ordered_json result_fields(const RunSpec& spec, const RunResult& result) {
  nlohmann::ordered_json fields{{"models", spec.models.size()}, {"diverged", result.diverged}};
  for (const Metric& metric : kFinalMetrics)
    fields[metric.name] = to_json(five_numbers(values_of_ok(result, metric.value)));
  if (any_gates(spec)) fields["size"] = to_json(five_numbers(sizes_of_ok(result)));
  fields["seconds"] = result.seconds;
  fields["train_seconds"] = result.train_seconds;
  fields["model_samples_per_second"] =
      result.train_seconds > 0 ? result.model_samples / result.train_seconds : 0.0;
  fields["flops_per_second"] = result.train_seconds > 0 ? result.flops / result.train_seconds : 0.0;
  return fields;
}

}  // namespace shoal
