#include "tools/population_spec.h"

#include <fmt/format.h>

#include <array>
#include <unordered_set>

#include "datasets/nearest.h"
#include "kernels/machine.h"
#include "tools/exit_codes.h"
#include "tools/gate_settings.h"

namespace shoal {
namespace {

constexpr std::int64_t kMostModels = 4000000;

/// A name of the command line and the rule behind it.
UpdateRule rule_of(std::string_view optimizer) {
  for (int i = 0; i < kUpdateRules; ++i)
    if (const auto rule = static_cast<UpdateRule>(i); name_of(rule) == optimizer) return rule;
  return UpdateRule::adam;  // adamw; other names do not pass the schema
}

/// All optimizers of the product. Loops are written as one odometer over lists of numbers.
struct Axis {
  double OptimizerSpec::*field;
  std::vector<double> values;
};

std::vector<Axis> axes_of(const Settings& s) {
  return {{&OptimizerSpec::lr, s.reals("lr")},       {&OptimizerSpec::momentum, s.reals("momentum")},
          {&OptimizerSpec::beta1, s.reals("beta1")}, {&OptimizerSpec::beta2, s.reals("beta2")},
          {&OptimizerSpec::eps, s.reals("eps")},     {&OptimizerSpec::l1, s.reals("l1")},
          {&OptimizerSpec::l2, s.reals("l2")},       {&OptimizerSpec::group_lasso, s.reals("group-lasso")}};
}

std::vector<OptimizerSpec> optimizers_of(const Settings& s) {
  std::vector<OptimizerSpec> all;
  const bool automatic = s.text("weight-decay") == "auto";
  const auto decay_epochs =
      static_cast<int>(s.integer(s.text("decay-epochs") == "auto" ? "epochs" : "decay-epochs"));
  for (const std::string& name : s.texts("optimizer")) {
    OptimizerSpec base;
    base.rule = rule_of(name);
    base.decay_epochs = decay_epochs;
    std::vector<Axis> axes = axes_of(s);
    axes.push_back({&OptimizerSpec::weight_decay,
                    automatic ? std::vector<double>{name == "adamw" ? 0.01 : 0.0} : s.reals("weight-decay")});
    std::vector<OptimizerSpec> of_name{base};
    for (const Axis& axis : axes) {
      std::vector<OptimizerSpec> longer;
      for (const OptimizerSpec& optimizer : of_name)
        for (const double value : axis.values) {
          longer.push_back(optimizer);
          longer.back().*axis.field = value;
        }
      if (longer.size() > static_cast<std::size_t>(kMostModels))
        throw UsageError(fmt::format("these lists make more than {} combinations", kMostModels));
      of_name = std::move(longer);
    }
    for (const std::string& decay : s.texts("lr-decay"))
      for (OptimizerSpec optimizer : of_name) {
        optimizer.lr_decay = parse_lr_decay(decay);
        all.push_back(optimizer);
      }
  }
  return all;
}

/// What the rule does not read is at its default, so that it does not tell models apart.
OptimizerSpec without_unused(OptimizerSpec o) {
  const OptimizerSpec defaults;
  if (!has_momentum(o.rule)) o.momentum = defaults.momentum;
  if (!has_betas(o.rule)) o.beta1 = defaults.beta1, o.beta2 = defaults.beta2, o.eps = defaults.eps;
  if (o.lr_decay == LrDecay::none || o.decay_epochs == 0)
    o.lr_decay = defaults.lr_decay, o.decay_epochs = defaults.decay_epochs;
  return o;
}

std::uint64_t seed_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace

bool has_momentum(UpdateRule rule) { return rule == UpdateRule::momentum || rule == UpdateRule::nesterov; }
bool has_betas(UpdateRule rule) { return slot_count(rule) > 1; }

std::string_view optimizer_name(const OptimizerSpec& o) {
  return o.rule == UpdateRule::adam && o.weight_decay > 0.0 ? "adamw" : name_of(o.rule);
}

std::vector<std::uint64_t> seeds_of(const Settings& s) {
  const std::string& text = s.text("seeds");
  const bool list = text.find(',') != std::string::npos || text.find("..") != std::string::npos;
  std::vector<std::uint64_t> seeds;
  if (list) {
    if (s.origin("seed") == Origin::flag && s.origin("seeds") == Origin::flag)
      throw UsageError("--seed and a list of --seeds contradict each other: give one of them");
    for (const std::int64_t seed : s.integers("seeds")) seeds.push_back(seed_of(seed));
    return seeds;
  }
  const std::int64_t count = parse_integer(text), first = s.integer("seed");
  if (count < 1) throw UsageError("--seeds: 0 seeds make no model; give at least 1");
  if (count > kMostModels) throw UsageError(fmt::format("--seeds: {} are more than {}", count, kMostModels));
  for (std::int64_t i = 0; i < count; ++i) seeds.push_back(seed_of(first) + seed_of(i));
  return seeds;
}

Product models_of(const Settings& s) {
  const auto hidden = s.layers("hidden");
  const auto optimizers = optimizers_of(s);
  const auto seeds = seeds_of(s);
  const auto batches = s.integers("batch");
  const auto inits = s.texts("init");
  const auto gates = gate_choices(s);
  const auto layers_with_gates = gated_layers(s);
  const int rest = s.text("weights-rest") == "never" ? -1 : static_cast<int>(s.integer("weights-rest"));
  const bool removes = s.text("remove-dead") == "on";
  if (removes &&
      std::none_of(gates.begin(), gates.end(), [](const GateChoice& g) { return closes_for_good(g.gate); }))
    throw UsageError(
        "--remove-dead on: no gate closes for good; --gate liveness does, and switch with --gate-inertia");
  Product product;
  const double combinations = static_cast<double>(hidden.size()) * static_cast<double>(optimizers.size()) *
                              static_cast<double>(seeds.size()) *
                              static_cast<double>(batches.size() * inits.size() * gates.size());
  if (!(combinations <= static_cast<double>(kMostModels)))
    throw UsageError(
        fmt::format("these lists make {:.0f} combinations; {} are possible", combinations, kMostModels));
  product.combinations = static_cast<std::int64_t>(combinations);
  std::unordered_set<ModelId> known;
  const TaskShape any{1, 1};  // the same for all: only differences count
  for (const auto& layers : hidden)
    for (const std::string& init : inits)
      for (const std::int64_t batch : batches)
        for (const OptimizerSpec& optimizer : optimizers)
          for (const GateChoice& gate : gates)
            for (const std::uint64_t seed : seeds) {
              if (batch > 1 << 30) throw UsageError(fmt::format("--batch: {} is too large", batch));
              ModelSpec model{.hidden = layers,
                              .seed = seed,
                              .init = parse_init(init),
                              .optimizer = without_unused(optimizer),
                              .batch = static_cast<int>(batch)};
              model.gates = gates_for(gate, layers_with_gates, model);
              model.weights_rest = rest;
              model.remove_dead = removes && closes_for_good(gate.gate);
              validate(model, any);
              if (known.insert(model_id(model, any)).second) product.models.push_back(model);
            }
  return product;
}

MachineSpec machine_named(std::string_view text) {
  constexpr std::array<std::string_view, 4> kNames{"auto", "cpu", "cuda", "emu"};
  const std::string_view name = text.substr(0, text.find(':'));
  const bool known = std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  if (!known || (text != name && name != "cuda")) {
    const std::string_view near = nearest_name(name, kNames);
    throw UsageError(fmt::format("--device: there is no '{}'{}; there are auto, cpu, cuda, cuda:1 and emu",
                                 text,
                                 known || near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
  }
  MachineSpec machine;
  try {
    if (text != name) machine.device = static_cast<int>(parse_integer(text.substr(name.size() + 1)));
  } catch (const UsageError& e) { throw UsageError(fmt::format("--device: {}", e.what())); }
  if (name == "cpu") return machine;
  if (name == "emu") return machine.kind = MachineSpec::Kind::emu, machine;
  const CudaStatus status = cuda_status();
  if (name == "auto" && status.devices == 0) return machine;
  if (status.devices == 0)
    throw DeviceError(fmt::format("--device cuda: there is no GPU to use ({}); --device cpu works everywhere",
                                  status.reason));
  if (machine.device < 0 || machine.device >= status.devices)
    throw DeviceError(fmt::format("--device cuda:{}: there {} {} GPU{}, numbered from 0", machine.device,
                                  status.devices == 1 ? "is" : "are", status.devices,
                                  status.devices == 1 ? "" : "s"));
  return machine.kind = MachineSpec::Kind::cuda, machine;
}

MachineSpec machine_of(const Settings& s) {
  MachineSpec machine = machine_named(s.text("device"));
  machine.gemm = s.text("gemm") == "cublas" ? Gemm::cublas : Gemm::own;
  machine.threads = static_cast<int>(s.integer("threads"));
  try {
    machine.memory_limit = parse_bytes(s.text("memory-limit"));
  } catch (const UsageError& e) { throw UsageError(fmt::format("--memory-limit: {}", e.what())); }
  return machine;
}

std::string device_name(const MachineSpec& machine) {
  switch (machine.kind) {
    case MachineSpec::Kind::cpu: return "cpu";
    case MachineSpec::Kind::emu: return "emu";
    case MachineSpec::Kind::cuda: break;
  }
  return machine.device == 0 ? "cuda" : fmt::format("cuda:{}", machine.device);
}

RunSpec run_spec_of(const Settings& s) {
  RunSpec spec;
  spec.models = models_of(s).models;
  spec.epochs = static_cast<int>(s.integer("epochs"));
  spec.loss = parse_loss(s.text("loss"));
  spec.order = parse_order(s.text("order"));
  spec.evaluate_each_epoch = s.text("evaluate") == "epoch";
  spec.neuron_moments = s.text("neurons") != "none";
  spec.moments_before_relu = s.text("neurons") == "before-relu";
  spec.machine = machine_of(s);
  return spec;
}

DatasetSpec dataset_spec_of(const Settings& s) {
  return {.name = s.text("data"),
          .data_dir = s.text("data-dir"),
          .seed = seed_of(s.integer("data-seed")),
          .difficulty = s.real("difficulty"),
          .radius = s.real("radius"),
          .train_count = s.integer("train-count"),
          .test_count = s.integer("test-count"),
          .hold_out = s.integer("hold-out")};
}

/// The constants that everybody uses for MNIST, and some for FashionMNIST, too.
constexpr PixelScale kMnistScale{0.1307, 0.3081};

Normalization normalization_of(std::string_view how, const Split& train) {
  const double unit = train.bytes.empty() ? 1.0 : 1.0 / 255.0;
  PixelScale scale{0.0, 1.0};
  if (how == "dataset") {
    scale = pixel_scale(train);
    if (!(scale.sd > 0.0))
      throw DataError(
          fmt::format("all inputs of the training data are {}, so they cannot be normalized: use "
                      "--normalize none",
                      to_text(scale.mean)));
  } else if (how == "mnist") {
    scale = kMnistScale;
  } else if (how != "none") {
    const std::string wrong = fmt::format(
        "--normalize: '{}' is none of dataset, none, mnist and MEAN,SD (such as 0.1307,0.3081)", how);
    const std::size_t comma = how.find(',');
    if (comma == std::string_view::npos) throw UsageError(wrong);
    try {
      scale = {parse_real(how.substr(0, comma)), parse_real(how.substr(comma + 1))};
    } catch (const UsageError&) { throw UsageError(wrong); }
    if (!(scale.sd > 0.0)) throw UsageError(fmt::format("--normalize: the sd of '{}' must be above 0", how));
  }
  return {static_cast<float>(unit / scale.sd), static_cast<float>(-scale.mean / scale.sd)};
}

namespace {

DataView view_of(const Split& split, int features) {
  return {.count = split.count,
          .features = features,
          .bytes = split.bytes.empty() ? nullptr : split.bytes.data(),
          .values = split.bytes.empty() ? split.values.data() : nullptr,
          .labels = split.labels.data()};
}

}  // namespace

Task task_of(const Dataset& data, Normalization n) {
  return {.shape = {data.features, data.classes},
          .train = view_of(data.train, data.features),
          .test = view_of(data.test, data.features),
          .scale = n.scale,
          .shift = n.shift};
}

void check_against_data(const RunSpec& spec, const Dataset& data) {
  for (const ModelSpec& model : spec.models) {
    validate(model, {data.features, data.classes});
    if (model.batch > data.train.count)
      throw SpecError(fmt::format("--batch: {} is more than the {} training samples of {}", model.batch,
                                  data.train.count, data.name));
  }
}

}  // namespace shoal
