// The table of settings that every training run has.
#include <array>

#include "engine/spec.h"
#include "tools/gate_settings.h"
#include "tools/training.h"

namespace shoal {
namespace {

constexpr std::array<std::string_view, 7> kOptimizers{"sgd",   "momentum", "nesterov", "adam",
                                                      "adamw", "adamax",   "amsgrad"};
constexpr std::array<std::string_view, 2> kLosses{"cross-entropy", "squared-error"};
constexpr std::array<std::string_view, 2> kEvaluations{"epoch", "last"};
constexpr std::array<std::string_view, 3> kNeurons{"after-relu", "before-relu", "none"};
constexpr std::array<std::string_view, 2> kGemms{"own", "cublas"};

constexpr std::string_view kData = "Data",
                           kModels = "Models (lists and ranges: all combinations are trained)",
                           kTraining = "Training", kMachine = "Machine";
using Type = SettingType;

void add_data(Schema& s) {
  s.push_back({.key = "data",
               .fallback = "mnist",
               .group = kData,
               .metavar = "NAME|FILE",
               .help = "mnist, fashion-mnist, digits, circle, or a file (.npz, .csv, .tsv, IDX)",
               .environment = "SHOAL_DATASET"});
  s.push_back({.key = "data-dir",
               .fallback = "",
               .group = kData,
               .metavar = "DIR",
               .help = "where mnist and fashion-mnist lie; empty: the usual places (shoal data list)"});
  s.push_back({.key = "train-count",
               .type = Type::integer,
               .fallback = "0",
               .group = kData,
               .metavar = "N",
               .help = "the first N training samples; 0: all",
               .minimum = 0});
  s.push_back({.key = "test-count",
               .type = Type::integer,
               .fallback = "0",
               .group = kData,
               .metavar = "N",
               .help = "the first N test samples; 0: all",
               .minimum = 0});
  s.push_back({.key = "hold-out",
               .type = Type::integer,
               .fallback = "0",
               .group = kData,
               .metavar = "N",
               .help = "the last N training samples take the place of the test data, to choose settings by",
               .minimum = 0});
  s.push_back(
      {.key = "normalize",
       .fallback = "dataset",
       .group = kData,
       .metavar = "HOW",
       .help = "dataset: by mean and sd of the training set; none: pixels as 0..1, other data as they are; "
               "MEAN,SD: by these (of pixels as 0..1); mnist: by 0.1307,0.3081, whatever the data"});
  s.push_back({.key = "data-seed",
               .type = Type::integer,
               .fallback = "1",
               .group = kData,
               .metavar = "N",
               .help = "seed of data that are drawn (digits, circle)",
               .minimum = 0});
  s.push_back({.key = "difficulty",
               .type = Type::real,
               .fallback = "1",
               .group = kData,
               .metavar = "X",
               .help = "of digits: scales the distortions, 0 .. 3",
               .minimum = 0,
               .maximum = 3});
  s.push_back({.key = "radius",
               .type = Type::real,
               .fallback = "0",
               .group = kData,
               .metavar = "R",
               .help = "of circle; 0: half of the points lie inside",
               .minimum = 0});
}

Setting hyperparameter(std::string_view key, std::string_view fallback, std::string_view help,
                       double minimum = 0.0) {
  return {.key = key,
          .type = Type::real,
          .fallback = fallback,
          .group = kModels,
          .metavar = "X,...",
          .help = help,
          .list = true,
          .step = RangeStep::tenfold,
          .minimum = minimum};
}

void add_models(Schema& s) {
  s.push_back({.key = "hidden",
               .type = Type::layers,
               .fallback = "64",
               .group = kModels,
               .metavar = "WIDTHS",
               .help = "widths of hidden layers: 64, or 16,64,100x50 (x joins the layers of one model), or "
                       "4..4096 (doubling), 4..4096:9 (9 in equal ratios), 10..50:+10 (in steps)",
               .list = true,
               .step = RangeStep::doubling});
  s.push_back({.key = "seed",
               .type = Type::integer,
               .fallback = "1",
               .group = kModels,
               .metavar = "N",
               .help = "first seed",
               .minimum = 0});
  s.push_back({.key = "seeds",
               .type = Type::integer,
               .fallback = "1",
               .group = kModels,
               .metavar = "N|LIST",
               .help = "how many seeds, counted from --seed; or a list of them: 1,5,9 or 1..20",
               .list = true,
               .step = RangeStep::by_one,
               .minimum = 0});
  s.push_back({.key = "init",
               .type = Type::choice,
               .fallback = "torch",
               .group = kModels,
               .metavar = "NAME,...",
               .help = "initial weights",
               .list = true,
               .choices = init_names()});
  s.push_back({.key = "optimizer",
               .type = Type::choice,
               .fallback = "adam",
               .group = kModels,
               .metavar = "NAME,...",
               .help = "update rule (adamw: adam with decoupled weight decay)",
               .list = true,
               .choices = kOptimizers});
  s.push_back({.key = "batch",
               .type = Type::integer,
               .fallback = "128",
               .group = kModels,
               .metavar = "N,...",
               .help = "samples a step",
               .list = true,
               .step = RangeStep::doubling,
               .minimum = 1});
  s.push_back(hyperparameter("lr", "0.001", "learning rate (a..b: ten-fold steps, as for every X below)"));
  s.push_back(hyperparameter("momentum", "0.9", "of momentum and nesterov"));
  s.push_back(hyperparameter("beta1", "0.9", "of adam, adamw, adamax and amsgrad"));
  s.push_back(hyperparameter("beta2", "0.999", "of adam, adamw, adamax and amsgrad"));
  s.push_back(hyperparameter("eps", "1e-08", "of adam, adamw, adamax and amsgrad"));
  s.push_back(hyperparameter("l1", "0", "penalty L1 * sum |w|"));
  s.push_back(hyperparameter("l2", "0", "penalty L2/2 * sum w^2, by way of the gradient"));
  s.push_back(
      hyperparameter("weight-decay", "auto", "decoupled decay, with any rule; auto: 0.01 for adamw, else 0"));
  s.back().word = "auto";
  s.push_back(
      hyperparameter("group-lasso", "0",
                     "penalty X * sum over hidden neurons of the length of their incoming weights and bias"));
  s.push_back({.key = "lr-decay",
               .type = Type::choice,
               .fallback = "none",
               .group = kModels,
               .metavar = "NAME,...",
               .help = "the learning rates of weights and gates go down to 0 over --decay-epochs",
               .list = true,
               .choices = lr_decay_names()});
  s.push_back({.key = "decay-epochs",
               .type = Type::integer,
               .fallback = "auto",
               .group = kModels,
               .metavar = "N",
               .help = "of lr-decay; auto: all epochs",
               .minimum = 1,
               .maximum = 1e6,
               .word = "auto"});
}

void add_training(Schema& s) {
  s.push_back({.key = "epochs",
               .type = Type::integer,
               .fallback = "5",
               .group = kTraining,
               .metavar = "N",
               .help = "passes over the training data; 0: the models as they begin",
               .minimum = 0,
               .maximum = 1e6});
  s.push_back({.key = "loss",
               .type = Type::choice,
               .fallback = "cross-entropy",
               .group = kTraining,
               .metavar = "NAME",
               .help = "what is minimized",
               .choices = kLosses});
  s.push_back({.key = "order",
               .type = Type::choice,
               .fallback = "seed",
               .group = kTraining,
               .metavar = "NAME",
               .help = "who sees the same batches: models of one seed, only the model itself, all (shared)",
               .choices = order_names()});
  s.push_back({.key = "evaluate",
               .type = Type::choice,
               .fallback = "epoch",
               .group = kTraining,
               .metavar = "WHEN",
               .help = "test loss and accuracy: after each epoch, or after the last",
               .choices = kEvaluations});
  s.push_back({.key = "neurons",
               .type = Type::choice,
               .fallback = "after-relu",
               .group = kTraining,
               .metavar = "WHERE",
               .help = "moments of every hidden neuron over the training set",
               .choices = kNeurons});
  s.push_back({.key = "name",
               .fallback = "",
               .group = kTraining,
               .metavar = "WORD",
               .help = "stands in the run directory's name; empty: the data's name",
               .identity = false});
}

void add_machine(Schema& s) {
  s.push_back(
      {.key = "device",
       .fallback = "auto",
       .group = kMachine,
       .metavar = "NAME",
       .help = "auto (a GPU if there is one), cpu, cuda, cuda:1, emu (the CUDA kernels on the CPU: slow)",
       .identity = false});
  s.push_back({.key = "gemm",
               .type = Type::choice,
               .fallback = "own",
               .group = kMachine,
               .metavar = "NAME",
               .help = "first layer on a GPU: our kernel or cuBLAS",
               .choices = kGemms,
               .identity = false});
  s.push_back({.key = "threads",
               .type = Type::integer,
               .fallback = "0",
               .group = kMachine,
               .metavar = "N",
               .help = "of the CPU; 0: as many as this process may use (results do not depend on it)",
               .minimum = 0,
               .maximum = 65536,
               .identity = false});
  s.push_back({.key = "memory-limit",
               .fallback = "0",
               .group = kMachine,
               .metavar = "BYTES",
               .help = "for the population: 2000000000, 500MiB, 2GiB; 0: 80 % of what is free",
               .identity = false});
  s.push_back({.key = "checkpoint-every",
               .type = Type::real,
               .fallback = "auto",
               .group = kMachine,
               .metavar = "SECONDS",
               .help =
                   "a checkpoint this often, at the end of an epoch; 0: only when stopped; auto: after every "
                   "epoch, if writing takes no more than 5 % of the time",
               .minimum = 0,
               .word = "auto",
               .identity = false});
}

}  // namespace

Schema training_schema() {
  Schema schema;
  add_data(schema);
  add_models(schema);
  add_gate_settings(schema);
  add_training(schema);
  add_machine(schema);
  return schema;
}

}  // namespace shoal
