#include "analysis/mixture_run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "analysis/mixture_search.h"
#include "kernels/array.h"
#include "kernels/parallel.h"

namespace shoal {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using RunTasks = std::function<void(int iterations, std::span<const MixtureTask>, std::span<MixtureResult>)>;

/// A sample on its way: in its units, where the op reads it, with its search.
struct Work {
  MixtureFit* fit;
  MixtureUnits units;
  std::int64_t begin, count;
};

std::int64_t padded(std::int64_t count) {
  return (count + kMixtureAlignment - 1) / kMixtureAlignment * kMixtureAlignment;
}

/// Sorts a sample, writes it and its logarithms in its units at work.begin, and fills up to the alignment.
void place(MixtureKind kind, std::vector<double>& values, Work& work, double* out, double* logs) {
  std::sort(values.begin(), values.end());
  work.units = mixture_units(kind, values);
  const double inverse = 1.0 / work.units.scale;  // a power of two: exact
  for (std::int64_t i = 0; i < padded(work.count); ++i) {
    const double x = values[static_cast<std::size_t>(std::min(i, work.count - 1))];
    const double y = (x - work.units.shift) * inverse;
    out[i] = kind == MixtureKind::gamma_gamma ? std::max(y, std::numeric_limits<double>::min()) : y;
    if (kind == MixtureKind::gamma_gamma) logs[i] = std::log(out[i]);
  }
}

void set_single(MixtureFit& fit, const MixtureSingle& single) {
  fit.status = MixtureStatus::one_component;
  fit.converged = true;
  fit.weight = single.component == 0 || fit.kind != MixtureKind::exp_normal ? 1.0 : 0.0;
  fit.parameters = {kNone, kNone, kNone, kNone};
  const std::size_t at = fit.weight == 0.0 ? 1 : 0;
  fit.parameters[at] = single.parameters[0];
  if (component_of(fit.kind, single.component) != MixtureComponent::exponential)
    fit.parameters[at + 1] = single.parameters[1];
}

/// Puts the components in their order: lower shape, or lower mean, first.
void set_mixture(MixtureFit& fit, const MixtureCandidate& best) {
  const MixtureParameters& p = best.parameters;
  fit.status = best.converged ? MixtureStatus::ok : MixtureStatus::not_converged;
  fit.converged = best.converged;
  fit.iterations = best.iterations;
  fit.weight = p.weight;
  if (fit.kind == MixtureKind::exp_normal) {
    fit.parameters = {p.first[0], p.second[0], p.second[1], kNone};
    return;
  }
  fit.parameters = {p.first[0], p.first[1], p.second[0], p.second[1]};
  if (p.first[0] > p.second[0]) {
    fit.weight = 1.0 - p.weight;
    fit.parameters = {p.second[0], p.second[1], p.first[0], p.first[1]};
  }
}

/// From the sample's units to the caller's: values are shift + scale * x.
void set_result(const Work& work, const MixtureSearch& search) {
  MixtureFit& fit = *work.fit;
  const auto [shift, scale] = work.units;
  const double in_units = static_cast<double>(work.count) * std::log(scale);
  const MixtureCandidate* best = search.best();
  fit.single_log_likelihood = search.single().log_likelihood - in_units;
  if (best) {
    set_mixture(fit, *best);
    fit.log_likelihood = best->log_likelihood - in_units;
  } else {
    set_single(fit, search.single());
    fit.log_likelihood = fit.single_log_likelihood;
  }
  auto& p = fit.parameters;
  switch (fit.kind) {
    case MixtureKind::exp_normal:
      for (double& q : p) q *= scale;
      break;
    case MixtureKind::gamma_gamma:  // shape, mean -> shape, scale
      for (const std::size_t i : {0u, 2u}) p[i + 1] = p[i + 1] * scale / p[i];
      break;
    case MixtureKind::normal_normal:
      for (const std::size_t i : {0u, 2u}) p[i] = shift + scale * p[i], p[i + 1] *= scale;
      break;
  }
}

/// All rounds of the searches of some samples, whose values the op finds at values and log_values.
void run_searches(
    const MixtureSpec& spec, std::vector<MixtureSearch>& searches,
    const std::function<void(int iterations, std::span<const MixtureTask>, std::span<MixtureResult>)>& run) {
  std::vector<MixtureTask> tasks;
  std::vector<MixtureResult> results;
  for (int round = 0;; ++round) {
    tasks.clear();
    for (MixtureSearch& search : searches)
      if (!search.done()) search.add_tasks(round, tasks);
    if (std::all_of(searches.begin(), searches.end(), [](const MixtureSearch& s) { return s.done(); }))
      return;
    results.resize(tasks.size());
    if (!tasks.empty()) run(MixtureSearch::iterations_of(round, spec.max_iterations), tasks, results);
    std::span<const MixtureResult> left(results);
    for (MixtureSearch& search : searches) {
      if (search.done()) continue;
      const std::size_t own = search.task_count();
      search.take(round, left.first(own));
      left = left.subspan(own);
    }
  }
}

FitMixtures make_op(MixtureKind kind, const MixtureSpec& spec, int iterations) {
  FitMixtures op{};
  op.kind = kind;
  op.max_iterations = iterations;
  op.tolerance = spec.tolerance;
  op.accelerate = 1;
  return op;
}

}  // namespace

void run_on_cpu(const Calculator& calculator, const MixtureSpec& spec, std::vector<double>& values,
                MixtureFit& fit) {
  const MixtureKind kind = fit.kind;
  Work work{&fit, {}, 0, static_cast<std::int64_t>(values.size())};
  const auto room = static_cast<std::size_t>(padded(work.count));
  const bool gammas = kind == MixtureKind::gamma_gamma;
  AlignedArray<double> array(room), logs(gammas ? room : 0);
  place(kind, values, work, array.data(), logs.data());
  const MixtureSample sample{{array.data(), values.size()}, {logs.data(), gammas ? values.size() : 0}};
  std::vector<MixtureSearch> search;
  search.emplace_back(kind, sample, 0);
  run_searches(spec, search, [&](int iterations, auto tasks, auto results) {
    FitMixtures op = make_op(kind, spec, iterations);
    op.values = array.data();
    op.log_values = gammas ? logs.data() : nullptr;
    op.tasks = tasks.data();
    op.task_count = static_cast<int>(tasks.size());
    op.results = results.data();
    calculator.ops().fit_mixtures(op, nullptr);
  });
  set_result(work, search.front());
}

void run_on_device(const Calculator& calculator, const MixtureSpec& spec,
                   std::vector<std::vector<double>>& values, const std::vector<MixtureFit*>& fits) {
  if (fits.empty()) return;
  const MixtureKind kind = fits.front()->kind;
  const bool gammas = kind == MixtureKind::gamma_gamma;
  std::vector<Work> work(values.size());
  std::int64_t room = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    work[i] = {fits[i], {}, room, static_cast<std::int64_t>(values[i].size())};
    room += padded(work[i].count);
  }
  if (room == 0) return;
  AlignedArray<double> array(static_cast<std::size_t>(room)),
      logs(gammas ? static_cast<std::size_t>(room) : 0);
  std::vector<std::unique_ptr<MixtureSearch>> made(values.size());
  parallel_for(usable_threads(), static_cast<int>(values.size()), [&](int, int task) {
    const auto i = static_cast<std::size_t>(task);
    Work& w = work[i];
    double *x = array.data() + w.begin, *log_x = gammas ? logs.data() + w.begin : nullptr;
    place(kind, values[i], w, x, log_x);
    made[i] = std::make_unique<MixtureSearch>(
        kind, MixtureSample{{x, values[i].size()}, {log_x, gammas ? values[i].size() : 0}}, w.begin);
  });
  std::vector<MixtureSearch> searches;
  for (const auto& search : made) searches.push_back(std::move(*search));
  const Input<double> device_values(calculator, {array.data(), array.size()});
  const Input<double> device_logs(calculator, {logs.data(), logs.size()});
  run_searches(spec, searches, [&](int iterations, auto tasks, auto results) {
    const Input<MixtureTask> device_tasks(calculator, tasks);
    const Output<MixtureResult> device_results(calculator, results);
    FitMixtures op = make_op(kind, spec, iterations);
    op.values = device_values.get();
    op.log_values = gammas ? device_logs.get() : nullptr;
    op.tasks = device_tasks.get();
    op.task_count = static_cast<int>(tasks.size());
    op.results = device_results.get();
    calculator.ops().fit_mixtures(op, calculator.stream());
    device_results.fetch();
  });
  for (std::size_t i = 0; i < work.size(); ++i) set_result(work[i], searches[i]);
}

}  // namespace shoal
