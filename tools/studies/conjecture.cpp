// `shoal study conjecture`: can a function of one layer tell that the layer is large enough? Takes a network
// that a metric calls undersized, lets it label noise, on which it is right by construction, and looks at
// every metric on both data.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/layer.h"
#include "analysis/moments.h"
#include "analysis/pca.h"
#include "engine/given_models.h"
#include "engine/initialize.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/signals.h"
#include "tools/studies/conjecture_data.h"
#include "tools/studies/conjecture_figures.h"
#include "tools/studies/conjecture_rows.h"
#include "tools/studies/findings.h"
#include "tools/studies/one_layer.h"
#include "tools/studies/versions.h"
#include "tools/table.h"
#include "tools/training.h"

namespace shoal {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 2> kMetrics{"w", "dead"};
constexpr std::array<std::string_view, 3> kNoises{"uniform", "pixels", "both"};
constexpr std::string_view kStudy = "Study";

std::vector<Noise> noises_of(const Settings& settings) {
  const std::string& name = settings.text("noise");
  if (name == "uniform") return {Noise::uniform};
  if (name == "pixels") return {Noise::pixels};
  return {Noise::uniform, Noise::pixels};
}

/// A model of the chosen width.
struct Subject {
  std::size_t model;  // index into RunSpec::models
  const Layers& layers;
};

Moments moments_of_column(const ShapeMoments& m) {
  return {m.count, m.mean, m.m2, m.zeros, static_cast<float>(m.min), static_cast<float>(m.max)};
}

/// What a model's hidden layer does on one data set.
struct Seen {
  LayerMetrics metrics;
  std::vector<double> sds;
  double participation_ratio, effective_rank;
};

Seen look(const Subject& subject, const DataView& data, const Task& task, const MachineSpec& machine,
          const Calculator& calculator) {
  const std::span hidden(subject.layers.data(), 1);
  const std::vector<float> outputs =
      outputs_of(hidden, LastLayer::relu, data, task.scale, task.shift, machine);
  const int neurons = hidden[0].outputs;
  const MatrixView<float> matrix{outputs.data(), data.count, neurons, neurons};
  std::vector<Moments> moments;
  for (const ShapeMoments& m : column_moments(calculator, matrix)) moments.push_back(moments_of_column(m));
  const Pca components = pca(calculator, matrix, {.components = false, .reconstruction = false});
  return {layer_metrics(moments), neuron_sds(moments), components.participation_ratio,
          components.effective_rank};
}

/// Adds one data set: every subject's accuracy and metrics. The first is the real one, with its own labels.
class Collector {
 public:
  Collector(const Population& p, std::vector<Subject> subjects)
      : p_(p), subjects_(std::move(subjects)), calculator_(p.spec.machine) {
    for (const MetricColumn& column : metric_columns()) add_metric(column.name, column.words, false);
    add_metric("participation_ratio", "participation ratio", false);
    add_metric("effective_rank", "effective rank", false);
    add_metric("weights_w", "W of the incoming weights' norms", true);
    add_metric("weights_in", "sum of the incoming weights' norms", true);
    add_metric("weights_out", "sum of the outgoing weights' sizes", true);
    weigh();
  }

  /// `labels`: of the data, or empty: each subject's own.
  void add(std::string name, std::string words, DataView data, bool own_labels) {
    ConjectureData out{std::move(name), std::move(words), {}, {}, {}, {}};
    std::vector<Seen> seen;
    for (const Subject& subject : subjects_) {
      if (stop_requested()) return;
      std::vector<std::int32_t> labels;
      if (own_labels) {
        labels = labels_by(subject.layers, data, p_.task, p_.spec.machine);
        data.labels = labels.data();
      }
      const auto score = evaluate_models({&subject.layers, 1}, data, p_.task.scale, p_.task.shift,
                                         p_.spec.loss, p_.spec.machine, &stop_requested());
      if (score.empty()) return;
      out.accuracy.push_back(score[0].accuracy);
      count_labels(data, out);
      seen.push_back(look(subject, data, p_.task, p_.spec.machine, calculator_));
      for (const double sd : seen.back().sds)
        if (sd != 0.0) out.sds.push_back(sd);
    }
    add_values(seen);
    result_.data.push_back(std::move(out));
  }

  Conjecture result() && { return std::move(result_); }

 private:
  void add_metric(std::string name, std::string words, bool of_weights) {
    result_.metrics.push_back({std::move(name), std::move(words), of_weights, {}});
  }
  static void count_labels(const DataView& data, ConjectureData& out) {
    std::map<std::int32_t, std::int64_t> counts;
    for (std::int64_t i = 0; i < data.count; ++i) ++counts[data.labels[i]];
    std::int64_t most = 0;
    for (const auto& [label, count] : counts) most = std::max(most, count);
    out.classes.push_back(static_cast<double>(counts.size()));
    out.largest.push_back(static_cast<double>(most) / static_cast<double>(data.count));
  }
  /// Functions of the weights alone, once.
  void weigh() {
    std::vector<std::vector<double>> norms;
    for (const Subject& s : subjects_) {
      const LayerWeights &in = s.layers[0], &out = s.layers[1];
      std::vector<double>& of_model = norms.emplace_back();
      double sum_in = 0, sum_out = 0;
      for (int n = 0; n < in.outputs; ++n) {
        double squares = 0;
        for (int k = 0; k < in.inputs; ++k) {
          const double w = in.weight[static_cast<std::size_t>(n) * static_cast<std::size_t>(in.inputs) +
                                     static_cast<std::size_t>(k)];
          squares += w * w;
        }
        of_model.push_back(std::sqrt(squares));
        sum_in += of_model.back();
      }
      for (const float w : out.weight) sum_out += std::abs(static_cast<double>(w));
      weights_in_.push_back(sum_in);
      weights_out_.push_back(sum_out);
    }
    for (const SpreadShape& shape : shapes_on(p_.spec.machine)(norms)) weights_w_.push_back(shape.w);
  }
  void add_values(std::vector<Seen>& seen) {
    std::vector<std::vector<double>> sds;
    for (const Seen& s : seen) sds.push_back(s.sds);
    const std::vector<SpreadShape> shapes = shapes_on(p_.spec.machine)(sds);
    for (std::size_t i = 0; i < seen.size(); ++i) add_shape(seen[i].metrics, shapes[i]);
    std::size_t m = 0;
    const auto add = [&](auto value) {
      std::vector<double> values;
      for (std::size_t i = 0; i < seen.size(); ++i) values.push_back(value(i));
      result_.metrics[m++].values.push_back(std::move(values));
    };
    for (const MetricColumn& column : metric_columns())
      add([&](std::size_t i) { return seen[i].metrics.*column.value; });
    add([&](std::size_t i) { return seen[i].participation_ratio; });
    add([&](std::size_t i) { return seen[i].effective_rank; });
    add([&](std::size_t i) { return weights_w_[i]; });
    add([&](std::size_t i) { return weights_in_[i]; });
    add([&](std::size_t i) { return weights_out_[i]; });
  }

  const Population& p_;
  std::vector<Subject> subjects_;
  Calculator calculator_;
  Conjecture result_;
  std::vector<double> weights_w_, weights_in_, weights_out_;
};

std::string csv(const Conjecture& c) {
  std::string text = "data,model,accuracy,classes,largest_class";
  for (const ConjectureMetric& m : c.metrics) text += "," + m.name;
  text += '\n';
  const auto cell_of = [](double v) { return std::isfinite(v) ? to_text(v) : std::string(); };
  for (std::size_t d = 0; d < c.data.size(); ++d)
    for (std::size_t i = 0; i < c.data[d].accuracy.size(); ++i) {
      text += fmt::format("{},{},{},{},{}", c.data[d].name, i, to_text(c.data[d].accuracy[i]),
                          to_text(c.data[d].classes[i]), to_text(c.data[d].largest[i]));
      for (const ConjectureMetric& m : c.metrics) text += "," + cell_of(m.values[d][i]);
      text += '\n';
    }
  return text;
}

const char* text_of(Answer answer) {
  return answer == Answer::tells ? "tells" : answer == Answer::cannot ? "cannot" : "unknown";
}

std::string table(const Conjecture& c, bool colour) {
  std::vector<std::string> headings{"metric"};
  for (const ConjectureData& d : c.data) headings.insert(headings.end(), {d.name, "± sd"});
  for (std::size_t d = 1; d < c.data.size(); ++d) headings.push_back(c.data[d].name + "?");
  Table text(headings);
  for (const ConjectureMetric& m : c.metrics) {
    std::vector<std::string> cells{m.words};
    for (const std::vector<double>& values : m.values) {
      const Summary s = summarize(values);
      cells.insert(cells.end(), {cell(s.mean, 3), cell(s.sd, 3)});
    }
    for (std::size_t d = 1; d < c.data.size(); ++d) cells.emplace_back(text_of(difference_of(m, d).answer));
    text.add(cells);
  }
  return text.text(colour) +
         "\nmean and sd over the models; tells: the mean difference from the real data is more than three of "
         "its "
         "standard\nerrors, and all models differ in one direction\n";
}

void report_metrics(const Conjecture& c, Report& report) {
  for (const ConjectureMetric& m : c.metrics) {
    ordered_json fields{{"metric", m.name}, {"of_weights", m.of_weights}};
    for (std::size_t d = 0; d < c.data.size(); ++d) {
      const Summary s = summarize(m.values[d]);
      fields[c.data[d].name] = {{"mean", s.mean}, {"sd", s.sd}};
      if (d > 0) fields[c.data[d].name]["answer"] = text_of(difference_of(m, d).answer);
    }
    report.event("metric", fields);
  }
}

void conclude(const Population& p, const std::map<std::int64_t, Layers>& weights) {
  const auto rows = rows_by_width(p.spec, p.result, shapes_on(p.spec.machine));
  const auto by = p.settings.text("metric") == "w" ? Undersized::w : Undersized::dead;
  const Choice choice = choose_undersized(rows, by);
  if (choice.width < 0) {
    const std::string nothing = fmt::format(
        "By --metric {} none of these widths is undersized, so there is nothing to carry out: other widths "
        "or "
        "the other metric may help.",
        p.settings.text("metric"));
    say_verdict(p.directory, p.data.name, {&nothing, 1}, p.report);
    return;
  }
  std::vector<Subject> subjects;
  for (std::size_t m = 0; m < p.spec.models.size(); ++m)
    if (p.spec.models[m].hidden.front() == choice.width && p.result.models[m].status == ModelStatus::ok)
      subjects.push_back({m, weights.at(static_cast<std::int64_t>(m))});
  Collector collector(p, subjects);
  collector.add("real", p.data.name, p.task.train, false);
  const std::int64_t wanted = p.settings.integer("noise-count"),
                     count = wanted > 0 ? wanted : p.task.train.count;
  for (const Noise noise : noises_of(p.settings)) {
    const NoiseData data =
        draw_noise(noise, p.task.train, count, static_cast<std::uint64_t>(p.settings.integer("noise-seed")));
    collector.add(std::string(name_of(noise)), std::string(in_words(noise)), data.view({}), true);
  }
  if (stop_requested()) return;
  Conjecture c = std::move(collector).result();
  c.width = choice.width, c.suggested = choice.suggested, c.reason = choice.reason;
  for (const WidthRow& row : rows) {
    if (row.width == choice.width) c.test_accuracy = row.test_accuracy.mean;
    if (row.models > 0) c.best_test_accuracy = std::max(c.best_test_accuracy, row.test_accuracy.mean);
  }
  p.directory.write("conjecture.csv", csv(c));
  draw_figures(conjecture_figures(c, words_for(p.data.name)), p.directory, p.report);
  report_metrics(c, p.report);
  p.report.print(fmt::format("\n{} models of width {}\n\n", subjects.size(), c.width) +
                 table(c, p.report.colour()));
  say_verdict(p.directory, p.data.name, verdict(c), p.report);
}

/// What `conclude` will take: a part of the data looked at by a model of the wider ones as it begins, and a
/// part of the noise drawn; and the figures, which cannot be drawn without writing, at what they take
/// elsewhere.
double seconds_to_conclude(const RunSpec& spec, const Task& task, std::span<const Noise> noises,
                           std::int64_t noise_count) {
  constexpr double kFigures = 0.3;
  constexpr std::int64_t kPart = 10000;
  using Clock = std::chrono::steady_clock;
  const auto seconds_of = [](auto&& work) {
    const auto began = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - began).count();
  };
  std::map<int, std::vector<std::size_t>> by_width;
  for (std::size_t m = 0; m < spec.models.size(); ++m) by_width[spec.models[m].hidden.front()].push_back(m);
  const std::vector<std::size_t>& middle =
      std::next(by_width.begin(), static_cast<std::ptrdiff_t>(2 * by_width.size() / 3))->second;
  const Layers layers = initial_weights(spec.models[middle[0]], task.shape);
  DataView part = task.train;
  part.count = std::min(kPart, part.count);
  const double count = static_cast<double>(noise_count > 0 ? noise_count : task.train.count),
               share = 1.0 / static_cast<double>(part.count), models = static_cast<double>(middle.size());
  const auto training = static_cast<double>(task.train.count);
  const Calculator calculator(spec.machine);
  const double answer = seconds_of([&] { labels_by(layers, part, task, spec.machine); });
  const double score = seconds_of([&] {
    evaluate_models({&layers, 1}, part, task.scale, task.shift, spec.loss, spec.machine, &stop_requested());
  });
  const double seen = seconds_of([&] { look({0, layers}, part, task, spec.machine, calculator); });
  double seconds = kFigures + models * share * training * (score + seen);
  for (const Noise noise : noises)
    seconds +=
        share * count *
        (models * (answer + score + seen) + seconds_of([&] { draw_noise(noise, part, part.count, 1); }));
  return seconds;
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "hidden", "8,16,32,64,128,256,512");
  set_default(schema, "seeds", "5");
  schema.push_back(
      {.key = "metric",
       .type = SettingType::choice,
       .fallback = "w",
       .group = kStudyGroup,
       .metavar = "NAME",
       .help = "which layer is called undersized: one much narrower than that of the highest W; or one "
               "without nearly dead neurons",
       .choices = kMetrics});
  schema.push_back(
      {.key = "noise",
       .type = SettingType::choice,
       .fallback = "both",
       .group = kStudyGroup,
       .metavar = "NAME",
       .help = "inputs that the network labels: uniform between the smallest and the largest value, or "
               "every pixel drawn from its own training values",
       .choices = kNoises});
  schema.push_back({.key = "noise-count",
                    .type = SettingType::integer,
                    .fallback = "0",
                    .group = kStudyGroup,
                    .metavar = "N",
                    .help = "samples of noise; 0: as many as there are training samples",
                    .minimum = 0});
  schema.push_back({.key = "noise-seed",
                    .type = SettingType::integer,
                    .fallback = "1",
                    .group = kStudyGroup,
                    .metavar = "N",
                    .help = "seed of the noise",
                    .minimum = 0});
  return schema;
}

/// What the study's settings said, and the networks it has trained.
struct Memory {
  std::map<std::int64_t, Layers> weights;
  std::vector<Noise> noises;
  std::int64_t noise_count = 0;
};

TrainingExtras extras_of_study() {
  const auto memory = std::make_shared<Memory>();
  TrainingExtras extras;
  extras.settle = [memory](Settings& settings, Report&) {
    check_one_layer(settings, "study conjecture");
    memory->noises = noises_of(settings), memory->noise_count = settings.integer("noise-count");
  };
  extras.weights = [memory](std::int64_t model, std::span<const LayerWeights> layers) {
    memory->weights[model].assign(layers.begin(), layers.end());
  };
  extras.after = [memory](const Population& p) { conclude(p, memory->weights); };
  extras.after_seconds = [memory](const RunSpec& spec, const Task& task) {
    return seconds_to_conclude(spec, task, memory->noises, memory->noise_count);
  };
  return extras;
}

}  // namespace

Action declare_conjecture(CLI::App& app) {
  return declare_study(
      app, {.schema = schema_of_study(), .versions = {}, .two_data_sets = false, .extras = extras_of_study});
}

}  // namespace shoal
