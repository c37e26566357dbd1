// `shoal stats`: statistics of the columns of anybody's table.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "analysis/calculator.h"
#include "datasets/error.h"
#include "datasets/nearest.h"
#include "datasets/number_table.h"
#include "tools/column_choice.h"
#include "tools/command.h"
#include "tools/exit_codes.h"
#include "tools/population_spec.h"
#include "tools/report.h"
#include "tools/signals.h"
#include "tools/stats_output.h"
#include "tools/stats_whole.h"
#include "tools/table.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

struct StatsCommand {
  std::string file, array, quantiles, mixture, device = "cpu";
  std::vector<std::string> columns;
  bool moments = false, shapiro = false, pca = false, rank = false, json = false;
  std::optional<std::int64_t> replicates;
  double level = 0.95;
  std::uint64_t seed = 1;
  int threads = 0;

  /// Columns are described unless only other things are asked for.
  bool describes_columns() const {
    return moments || shapiro || !mixture.empty() || !quantiles.empty() || !(rank || pca);
  }
};

MixtureKind mixture_named(std::string_view name) {
  constexpr std::array kKinds{MixtureKind::exp_normal, MixtureKind::gamma_gamma, MixtureKind::normal_normal};
  std::vector<std::string_view> names;
  for (const MixtureKind kind : kKinds) {
    names.push_back(name_of(kind));
    if (names.back() == name) return kind;
  }
  const std::string_view near = nearest_name(name, names);
  throw UsageError(fmt::format("--mixture: there is no '{}'{}; there are {}", name,
                               near.empty() ? "" : fmt::format(", did you mean '{}'?", near),
                               fmt::join(names, ", ")));
}

ColumnRequest request_of(const StatsCommand& c) {
  ColumnRequest request;
  if (!c.quantiles.empty()) {
    try {
      request.quantiles = parse_reals(c.quantiles, RangeStep::none);
    } catch (const UsageError& e) { throw UsageError(fmt::format("--quantiles: {}", e.what())); }
    for (const double share : request.quantiles)
      if (!(share >= 0 && share <= 1))
        throw UsageError(fmt::format("--quantiles: {} is not between 0 and 1", to_text(share)));
  }
  request.shapiro = c.shapiro;
  if (!c.mixture.empty()) request.mixture = mixture_named(c.mixture);
  if (!(c.level > 0 && c.level < 1))
    throw UsageError(fmt::format(
        "--level: {} is not between 0 and 1{}", to_text(c.level),
        c.level > 1 && c.level < 100 ? fmt::format("; did you mean {}?", to_text(c.level / 100)) : ""));
  if (!c.replicates) return request;
  constexpr std::int64_t kMost = 10'000'000;
  if (*c.replicates < 1 || *c.replicates > kMost)
    throw UsageError(fmt::format("--bootstrap: {} is not between 1 and {}", *c.replicates, grouped(kMost)));
  request.bootstrap = {*c.replicates, c.level, c.seed};
  return request;
}

NumberTable read_table(const StatsCommand& c) {
  bool asked_for_array = false;
  NumberTable table = read_number_table(
      c.file, {.array =
                   [&](std::span<const std::string> arrays) {
                     asked_for_array = true;
                     return choose_array(c.array, arrays, c.file);
                   },
               .columns =
                   [&](std::span<const std::string> names) {
                     if (!c.array.empty() && !asked_for_array)
                       throw UsageError(
                           fmt::format("--array names an array of an .npz file, and {} is none", c.file));
                     const std::vector<std::size_t> places = choose_columns(c.columns, names, c.file);
                     if (c.rank && places.size() != 2)
                       throw UsageError(fmt::format(
                           "--rank compares two columns, and {} {} chosen: name two with --column",
                           places.size(), places.size() == 1 ? "is" : "are"));
                     return places;
                   }});
  return table;
}

/// Shown where it takes long.
class Watch {
 public:
  Watch(Report& to, std::size_t columns) : report(to), count(columns) {}
  void operator()(std::size_t done) const {
    using Seconds = std::chrono::duration<double>;
    const double seconds = Seconds(std::chrono::steady_clock::now() - begin).count();
    if (seconds > 1.0)
      report.progress(fmt::format("{} of {} columns", done, count),
                      static_cast<double>(done) / static_cast<double>(count), seconds);
  }

 private:
  Report& report;
  std::size_t count;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
};

int run_stats(const StatsCommand& command) {
  Report report({.json = command.json, .log_file = {}});
  const ColumnRequest request = request_of(command);
  MachineSpec machine = machine_named(command.device);
  if (command.threads < 0 || command.threads > 65536)
    throw UsageError(fmt::format("--threads: {} is not between 0 and 65536", command.threads));
  machine.threads = command.threads;
  const NumberTable table = read_table(command);
  const Calculator calculator(machine);

  stop_watching_signals();
  // Everything is computed before anything is printed: an error leaves no half of a result.
  std::vector<ColumnStatistics> columns;
  if (command.describes_columns()) {
    const Watch watch(report, table.names.size());
    columns = column_statistics(calculator, table, request, watch);
    report.end_progress();
  }
  std::optional<RankStatistics> ranks;
  std::optional<Pca> components;
  if (command.pca) components = pca_of_table(calculator, table);
  if (command.rank) ranks = rank_statistics(calculator, table, request.bootstrap);

  bool answered = true;
  auto between = [&, first = true]() mutable {
    if (!std::exchange(first, false)) report.print("\n");
  };
  if (command.describes_columns()) between(), answered = print_columns(report, columns, request) && answered;
  if (components) between(), answered = print_pca(report, *components) && answered;
  if (ranks) between(), answered = print_ranks(report, *ranks, request.bootstrap) && answered;
  return answered ? kExitOk : kExitData;
}

}  // namespace

Action declare_stats(CLI::App& app) {
  auto command = std::make_shared<StatsCommand>();
  StatsCommand& c = *command;
  const char* group = "Table";
  const auto text = [&](const char* name, auto& value, const char* metavar, const char* help) {
    return app.add_option(name, value, help)->type_name(metavar)->group(group);
  };
  const auto flag = [&](const char* name, bool& value, const char* help) {
    app.add_flag(name, value, help)->group(group);
  };
  app.add_option("file", c.file, ".csv or .tsv, .npy, .npz; all but .npz also gzipped")
      ->type_name("FILE")
      ->required();
  text("--column", c.columns, "LIST", "which columns: names, numbers from 0, ranges 0..63 [all]")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  text("--array", c.array, "NAME", "which array of an .npz, where it holds several");
  group = "Statistics";
  flag("--moments", c.moments,
       "n, mean, variance, sd, extremes, zeros, skewness, kurtosis; done when nothing else is asked for");
  text("--quantiles", c.quantiles, "LIST", "shares such as 0.25,0.5,0.75; linear between order statistics");
  flag("--shapiro", c.shapiro, "Shapiro and Wilk's test of normality: W and p");
  text("--mixture", c.mixture, "KIND",
       "a mixture of two components by EM: exp-normal, gamma-gamma or normal-normal");
  flag("--pca", c.pca, "principal components of all columns, and the error when k of them are kept");
  flag("--rank", c.rank, "Spearman's rho and Kendall's tau-b of two columns");
  text("--bootstrap", c.replicates, "N", "intervals of mean, sd and rank correlations from N resamples");
  text("--level", c.level, "SHARE", "of the intervals")->capture_default_str();
  text("--seed", c.seed, "N", "of the resamples")->capture_default_str();
  group = "Machine";
  text("--device", c.device, "NAME", "cpu, auto (a GPU if there is one), cuda, cuda:1, emu")
      ->capture_default_str();
  text("--threads", c.threads, "N",
       "of the CPU; 0: as many as this process may use (results do not depend on it)")
      ->capture_default_str();
  app.add_flag("--json", c.json, "JSON Lines on stdout");
  return [command](const Invocation&) { return run_stats(*command); };
}

}  // namespace shoal
