// `shoal remove`: what a network is without some of its nodes, for every subset of them.
#include <fmt/format.h>
#include <shoal_version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>

#include "datasets/circle.h"
#include "tools/command.h"
#include "tools/data_options.h"
#include "tools/exit_codes.h"
#include "tools/population_spec.h"
#include "tools/removal_output.h"
#include "tools/removal_page.h"
#include "tools/report.h"
#include "tools/signals.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

struct RemoveCommand {
  RemovalRequest request;
  std::shared_ptr<DataFlags> data;
  std::string keep = "0.25,0.5,0.75,0.9", quantiles = "0.01,0.05,0.25,0.5,0.75,0.95,0.99";
  std::string precision = "float64", device = "cpu", table, page;
  std::int64_t samples = 2000;
  std::uint64_t seed = 1;
  int threads = 0;
  bool sample = false, json = false;
};

std::vector<double> shares_of(const char* flag, const std::string& text) {
  std::vector<double> shares;
  try {
    shares = parse_reals(text, RangeStep::none);
  } catch (const UsageError& e) { throw UsageError(fmt::format("{}: {}", flag, e.what())); }
  for (const double share : shares)
    if (!(share >= 0 && share <= 1))
      throw UsageError(fmt::format("{}: {} is not between 0 and 1", flag, to_text(share)));
  return shares;
}

RemovalSettings settings_for(const RemoveCommand& c) {
  RemovalSettings s;
  s.keep = shares_of("--keep", c.keep);
  s.quantiles = shares_of("--quantiles", c.quantiles);
  s.precision = c.precision == "float32" ? SubsetPrecision::float32 : SubsetPrecision::float64;
  constexpr std::int64_t kFewest = 2 * kSamplingGroups, kMost = 100'000'000;
  if (c.samples < kFewest || c.samples > kMost)
    throw UsageError(
        fmt::format("--samples: {} is not between {} and {}", c.samples, kFewest, grouped(kMost)));
  s.samples = c.samples, s.seed = c.seed;
  if (c.threads < 0 || c.threads > 65536)
    throw UsageError(fmt::format("--threads: {} is not between 0 and 65536", c.threads));
  s.machine = machine_named(c.device);
  s.machine.threads = c.threads;
  s.stop = &stop_requested();
  return s;
}

/// Whether all subsets are counted; UsageError for what only an enumeration has.
bool can_enumerate(const RemoveCommand& c, const RemovalProblem& p) {
  const bool possible = p.in_last_layer() && std::ssize(p.nodes) <= kMostSubsetNodes;
  if (possible && !c.sample) return true;
  if (!c.table.empty())
    throw UsageError(
        fmt::format("--table holds every subset, and these are sampled: choose at most {} nodes of the "
                    "last hidden layer with --nodes",
                    kMostSubsetNodes));
  return false;
}

/// A path that is to be written must be writable before hours are spent.
void check_folder(const char* flag, const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!path.empty() && !std::filesystem::is_directory(folder))
    throw UsageError(fmt::format("{}: there is no directory {}", flag, folder.string()));
}

void write_page(const RemoveCommand& c, const RemovalProblem& p) {
  RemovalPage page;
  page.data_name = p.data;
  page.layers = p.layers;
  page.scale = p.scale, page.shift = p.shift;
  if (p.points.values.empty()) throw UsageError("--page draws the plane of two inputs, and these are pixels");
  page.points = p.points.values;
  page.labels = p.points.labels;
  page.radius = circle_radius(p.data, settings_of(*c.data).real("radius"));
  page.provenance = {{"weights", std::filesystem::path(c.request.weights).filename().string()},
                     {"data", fmt::format("{} ({}, {} points)", p.data, p.part, grouped(p.points.count))},
                     {"program", "shoal " SHOAL_VERSION}};
  if (!p.model.empty()) page.provenance.insert(page.provenance.begin(), {"model", p.model});
  write_removal_page(c.page, page);
}

int run_remove(const RemoveCommand& c) {
  Report report({.json = c.json, .log_file = {}});
  RemovalSettings settings = settings_for(c);
  check_folder("--table", c.table);
  check_folder("--page", c.page);
  const RemovalProblem problem = make_problem(c.request, settings_of(*c.data));
  const bool enumerates = can_enumerate(c, problem);
  if (!c.page.empty()) write_page(c, problem);  // refuses what it cannot draw before anything takes long

  const auto begin = std::chrono::steady_clock::now();
  settings.progress = [&](double share) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (seconds < 1.0) return;
    report.progress(fmt::format("{:.0f} % of {}  {} elapsed  {} left", 100 * share,
                                enumerates ? "all subsets" : "the samples", clock_text(seconds),
                                clock_text(share > 0 ? seconds * (1 - share) / share : 0)),
                    share, seconds);
  };
  const std::optional<RemovalAnswer> answer =
      enumerates ? enumerate_removals(problem, settings) : sample_removals(problem, settings);
  report.end_progress();
  if (!answer) return stop_exit_code();
  if (!c.table.empty()) write_table(c.table, problem, answer->table);
  print_removal(report, problem, *answer, settings);
  return kExitOk;
}

}  // namespace

Action declare_remove(CLI::App& app) {
  auto command = std::make_shared<RemoveCommand>();
  RemoveCommand& c = *command;
  const char* group = "Network";
  const auto text = [&](const char* name, auto& value, const char* metavar, const char* help) {
    return app.add_option(name, value, help)->type_name(metavar)->group(group);
  };
  text("--weights", c.request.weights, "FILE",
       "safetensors file: *.weight [out, in] and *.bias [out] by layer")
      ->required();
  text("--model", c.request.model, "ID|INDEX",
       "which one of a file of many: an id, its beginning, or an index");
  text("--layer", c.request.layer, "last|all|N",
       "the hidden layer whose nodes are removed, from 1; all: of every one")
      ->capture_default_str();
  text("--nodes", c.request.nodes, "LIST",
       "nodes in question, e.g. 0-19,25, numbered from 0 through the layers chosen; the others stay [all]");
  c.data = add_data_options(app, true, false);
  group = "Data";
  text("--part", c.request.part, "PART",
       "points: test, train or all [test; all of a file that has no test part]")
      ->check(CLI::IsMember({"test", "train", "all"}));
  text("--normalize", c.request.normalize, "HOW",
       "as in shoal train [as the weights' file says that its model was trained, else none]");
  group = "Question";
  text("--keep", c.keep, "LIST", "probabilities with which each node is kept, independently")
      ->capture_default_str();
  text("--quantiles", c.quantiles, "LIST", "shares")->capture_default_str();
  text("--precision", c.precision, "NAME",
       "float64, or float32: relative error below 1e-5, faster for small margins")
      ->capture_default_str()
      ->check(CLI::IsMember({"float64", "float32"}));
  app.add_flag(
         "--sample", c.sample,
         "random subsets with standard errors, as is done for more than 24 nodes and for other layers than "
         "the last")
      ->group(group);
  text("--samples", c.samples, "N", "of each quantity that is sampled")->capture_default_str();
  text("--seed", c.seed, "N", "of the samples")->capture_default_str();
  group = "Output";
  text("--table", c.table, "FILE.npz", "loss and hits of every subset; bit i of its number: node i is kept");
  text("--page", c.page, "FILE.html", "an interactive page of a network with two inputs and two classes");
  app.add_flag("--json", c.json, "JSON Lines on stdout")->group(group);
  group = "Machine";
  text("--device", c.device, "NAME", "cpu, auto (a GPU if there is one), cuda, cuda:1, emu")
      ->capture_default_str();
  text("--threads", c.threads, "N",
       "of the CPU; 0: as many as this process may use (results do not depend on it)")
      ->capture_default_str();
  return [command](const Invocation&) { return run_remove(*command); };
}

}  // namespace shoal
