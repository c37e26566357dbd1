// `shoal study removal`: toy networks that tell the inside of a circle from the outside, at every subset of
// the nodes of their last hidden layer. What a publication saw on one network with random subsets, on that
// kind of network with all of them, and on a population: which statements hold for one and which for all.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <numeric>

#include "datasets/circle.h"
#include "engine/initialize.h"
#include "tools/exit_codes.h"
#include "tools/figures/draw.h"
#include "tools/removal_page.h"
#include "tools/signals.h"
#include "tools/studies/findings.h"
#include "tools/studies/removal_figures.h"
#include "tools/studies/removal_rows.h"
#include "tools/studies/snapshots.h"
#include "tools/studies/versions.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using Weights = std::map<std::int64_t, Layers>;  // by model
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

void check(const Settings& settings) {
  const Comparison comparison{"study removal compares networks", {"hidden", "seeds"}};
  refuse_own(settings, comparison, {"loss", "gate"});
  refuse_other_lists(settings, comparison);
  const std::string& data = settings.text("data");
  if (data != "circle" && data != kPublishedCircle && data != "both")
    throw UsageError(fmt::format(
        "study removal is about points inside and outside a circle: --data circle, {} or both, not {}",
        kPublishedCircle, data));
  for (const std::vector<int>& layers : settings.layers("hidden"))
    if (layers.back() > kTableNodes)
      throw UsageError(fmt::format(
          "study removal takes all subsets of the last hidden layer, and 2^{} are too many: --hidden {} has "
          "more than {} nodes there",
          layers.back(), to_text(layers), kTableNodes));
}

double radius_of(const Population& p) { return *circle_radius(p.data.name, p.settings.real("radius")); }

/// "circle of radius 0.798, 200 epochs"
std::string circle_text(const Population& p) {
  return fmt::format("circle of radius {:.3f}, {} epoch{}", radius_of(p), p.spec.epochs,
                     p.spec.epochs == 1 ? "" : "s");
}

/// A network with one hidden layer if there is one, of the widest; its first seed.
std::size_t subject_of(const RunSpec& spec, const RunResult& result) {
  const auto better = [&](const ModelSpec& a, const ModelSpec& b) {
    if ((a.hidden.size() == 1) != (b.hidden.size() == 1)) return a.hidden.size() == 1;
    return a.hidden.back() > b.hidden.back();
  };
  std::size_t best = spec.models.size();
  for (std::size_t m = 0; m < spec.models.size(); ++m)
    if (result.models[m].status == ModelStatus::ok &&
        (best == spec.models.size() || better(spec.models[m], spec.models[best])))
      best = m;
  return best;
}

/// Networks with more nodes take too long to be looked at more than once.
constexpr int kEarlierNodes = 16;

/// While they train: after 10, 20, 50, 100, ... epochs.
std::vector<int> earlier_epochs(const RunSpec& spec) {
  std::vector<int> epochs;
  for (const int e : {10, 20, 50, 100, 200, 500, 1000})
    if (e < spec.epochs) epochs.push_back(e);
  return epochs;
}

/// A look at one network: after training where epochs is the run's, else before that.
struct Look {
  std::size_t model;
  int epochs;
  double work;  // subsets times nodes
};

double work_of(int nodes) { return static_cast<double>(std::int64_t{1} << nodes) * nodes; }

std::vector<Look> looks_at(const RunSpec& spec, const std::function<bool(std::size_t model)>& wanted) {
  std::vector<Look> looks;
  std::vector<int> times = earlier_epochs(spec);
  times.push_back(spec.epochs);
  for (const int epochs : times)
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      const int nodes = spec.models[m].hidden.back();
      if (wanted(m) && (epochs == spec.epochs || nodes <= kEarlierNodes))
        looks.push_back({m, epochs, work_of(nodes)});
    }
  return looks;
}

/// What is left to do, on the line of progress.
class Looking {
 public:
  Looking(Report& report, const std::vector<Look>& looks) : report_(report), count_(looks.size()) {
    for (const Look& l : looks) all_ += l.work;
  }
  ~Looking() { report_.end_progress(); }
  void show(double share_of, double work) {
    const double now = (done_ + share_of * work) / all_, passed = seconds_since(began_);
    report_.progress(fmt::format("all subsets of {} networks: {:.0f} %, {:.0f} s left", count_, 100 * now,
                                 now > 0 ? passed * (1 - now) / now : 0.0),
                     now, passed);
  }
  void end(double work) { done_ += work; }

 private:
  Report& report_;
  std::size_t count_;
  double all_ = 0, done_ = 0;
  Clock::time_point began_ = Clock::now();
};

RemovalNetwork named(RemovalNetwork net, const Population& p, const Look& look) {
  const ModelSpec& spec = p.spec.models[look.model];
  net.model = static_cast<std::int64_t>(look.model), net.seed = spec.seed, net.hidden = to_text(spec.hidden);
  net.epochs = look.epochs;
  net.train_accuracy = p.result.models[look.model].train_accuracy;
  net.test_accuracy = p.result.models[look.model].test_accuracy;
  return net;
}

/// All looks, earlier ones first; fewer when stopped.
RemovalResults measure(const Population& p, const Weights& weights) {
  const Calculator calculator(p.spec.machine);
  RemovalResults r;
  r.data = p.data.name, r.radius = radius_of(p);
  const std::size_t subject = subject_of(p.spec, p.result);
  const std::vector<Look> looks =
      looks_at(p.spec, [&](std::size_t m) { return p.result.models[m].status == ModelStatus::ok; });
  Looking looking(p.report, looks);
  Weights then;
  int epochs = -1;
  for (const Look& look : looks) {
    const bool last = look.epochs == p.spec.epochs;
    if (!last && look.epochs != epochs) then = snapshot_of(p.directory, look.epochs), epochs = look.epochs;
    const Layers& layers = (last ? weights : then).at(static_cast<std::int64_t>(look.model));
    std::optional<RemovalMeasured> one = measure_removal(
        calculator, removal_task(layers, p.task, p.task.test, r.radius, p.spec.machine),
        last && look.model == subject,
        [&](std::int64_t of, std::int64_t all) {
          looking.show(static_cast<double>(of) / static_cast<double>(all), look.work);
        },
        &stop_requested());
    if (!one) break;
    if (one->curves) r.subject = r.networks.size(), r.curves = std::move(*one->curves);
    (last ? r.networks : r.earlier).push_back(named(std::move(one->network), p, look));
    looking.end(look.work);
  }
  return r;
}

std::string table(const RemovalResults& r, bool colour) {
  Table text({"hidden", "networks", "test %", "loss", "keep 0.75", "keep 0.25", "KS loss", "KS log loss",
              "gradient", "ratio", "trough %", "flips", "complement", "balance"});
  for (const std::string& kind : hidden_kinds(r.networks)) {
    const auto mean = [&](double (*number)(const RemovalNetwork&)) {
      return summarize(numbers_of(r.networks, kind, 0, number)).mean;
    };
    using Net = RemovalNetwork;
    text.add({kind, std::to_string(numbers_of(r.networks, kind, 0, prediction_ratio).size()),
              cell(100 * mean([](const Net& n) { return n.test_accuracy; }), 1),
              cell(mean([](const Net& n) { return n.full_loss; }), 3),
              cell(mean([](const Net& n) { return n.loss[2].moments.mean; }), 3),
              cell(mean([](const Net& n) { return n.loss[0].moments.mean; }), 3),
              cell(mean([](const Net& n) { return n.loss[1].fit.kolmogorov_smirnov; }), 3),
              cell(mean([](const Net& n) { return n.log_loss[1].fit.kolmogorov_smirnov; }), 3),
              cell(mean([](const Net& n) { return n.gradient[1].mean; }), 4), cell(mean(prediction_ratio), 2),
              cell(100 * mean([](const Net& n) { return n.log_gradient[1].trough.depth; }), 0),
              cell(mean([](const Net& n) { return flips_until_unrelated(n.correlation); }), 1),
              cell(mean([](const Net& n) { return n.correlation.back(); }), 2),
              cell(mean([](const Net& n) { return n.balance.within_sizes; }), 2)});
  }
  return text.text(colour) +
         "\nmeans over the networks. loss: of the whole network, and its mean with nodes kept with 0.75 and "
         "0.25; KS: largest distance "
         "to the\nnearest normal distribution at 1/2; ratio: change predicted by the mean gradient over the "
         "exact one; flips: until the "
         "correlation\nof log losses is below 0.1; complement: its correlation; balance: correlation of log "
         "loss and resultant within "
         "sizes\n";
}

bool page_fits(const RemovalResults& r, const Population& p) {
  const std::vector<int>& hidden =
      p.spec.models[static_cast<std::size_t>(r.networks[r.subject].model)].hidden;
  return p.data.test.count <= kMostPagePoints &&
         std::accumulate(hidden.begin(), hidden.end(), 0) <= kMostPageNodes;
}

/// The network that is looked at closely, for the browser.
void write_page(const Population& p, const RemovalResults& r, const Weights& weights) {
  const RemovalNetwork& net = r.networks[r.subject];
  RemovalPage page;
  page.data_name = p.data.name;
  page.layers = weights.at(net.model);
  page.scale = p.task.scale, page.shift = p.task.shift;
  page.points = p.data.test.values, page.labels = p.data.test.labels;
  page.radius = r.radius;
  page.provenance = {{"study", "removal"},
                     {"model", fmt::format("{} hidden, seed {}", net.hidden, net.seed)},
                     {"training", fmt::format("{} epochs", p.spec.epochs)},
                     {"points", fmt::format("{} of the test part", p.data.test.count)}};
  write_removal_page(p.directory.file("removal.html"), page);
}

void conclude(const Population& p, const Weights& weights) {
  const RemovalResults r = measure(p, weights);
  if (stop_requested() || r.networks.empty()) return;
  const std::vector<RemovalShare> shares = removal_shares(r.networks);
  publish(p, "removal.csv", "network", removal_records(r.networks));
  publish(p, "removal-claims.csv", "claim", removal_claim_records(shares));
  p.directory.write("removal-moments.csv", csv_of(removal_spread_records(r.networks)));
  p.directory.write("removal-flips.csv", csv_of(removal_path_records(r.networks)));
  p.directory.write("removal-nodes.csv", csv_of(removal_node_records(r.networks)));
  p.directory.write("removal-epochs.csv", csv_of(removal_epoch_records(r)));
  p.directory.write("removal-sizes.csv", csv_of(removal_size_records(r.networks)));
  if (page_fits(r, p)) write_page(p, r, weights);
  draw_figures(removal_figures(r, circle_text(p)), p.directory, p.report);
  p.report.print("\n" + circle_text(p) + "\n\n" + table(r, p.report.colour()));
  say_verdict(p.directory, p.data.name, removal_verdict(r), p.report);
}

/// A small part of the work, done with initial weights, and the rest in proportion; the figures at what they
/// take elsewhere.
double seconds_to_conclude(const RunSpec& spec, const Task& task) {
  constexpr double kFigures = 1.5;
  constexpr int kNodes = 16;
  ModelSpec model = spec.models.front();
  model.hidden = {kNodes};
  const Calculator calculator(spec.machine);
  const RemovalTask part =
      removal_task(initial_weights(model, task.shape), task, task.test, kBalancedRadius, spec.machine);
  const auto began = Clock::now();
  measure_removal(calculator, part, false);
  const double seconds = seconds_since(began);
  double work = 0;
  for (const Look& look : looks_at(spec, [](std::size_t) { return true; })) work += look.work;
  return kFigures + seconds * work / work_of(kNodes);
}

Schema schema_of_study() {
  Schema schema = training_schema();
  set_default(schema, "data", "both");
  set_default(schema, "normalize", "none");
  set_default(schema, "neurons", "none");
  set_default(schema, "batch", "32");
  set_default(schema, "init", "xavier-uniform");
  for (Setting& row : schema)
    if (row.key == "data")
      row.help =
          "circle (radius 0.798: half of the points inside), circle-published (0.893), or both, one after "
          "the other";
  return schema;
}

TrainingExtras extras_of_study() {
  const auto weights = std::make_shared<Weights>();
  TrainingExtras extras;
  extras.settle = [](Settings& settings, Report&) { check(settings); };
  extras.weights = [weights](std::int64_t model, std::span<const LayerWeights> layers) {
    (*weights)[model].assign(layers.begin(), layers.end());
  };
  extras.weight_epochs = earlier_epochs;
  extras.epoch_weights = keep_snapshot;
  extras.after = [weights](const Population& p) {
    conclude(p, *weights);
    weights->clear();
  };
  extras.after_seconds = seconds_to_conclude;
  return extras;
}

}  // namespace

Action declare_removal(CLI::App& app) {
  return declare_study(
      app,
      {.schema = schema_of_study(),
       .versions =
           {{"--quick",
             "widths 12, 16, 20, 16x16 and 20x20, 8 seeds, 200 epochs, both radii: what is done by default",
             {{"hidden", "12,16,20,16x16,20x20"}, {"seeds", "8"}, {"epochs", "200"}}},
            {"--full",
             "widths 8, 12, 16, 20, 16x16 and 20x20, 64 seeds, 500 epochs, both radii",
             {{"hidden", "8,12,16,20,16x16,20x20"}, {"seeds", "64"}, {"epochs", "500"}}}},
       .both = {"circle", kPublishedCircle},
       .extras = extras_of_study});
}

}  // namespace shoal
