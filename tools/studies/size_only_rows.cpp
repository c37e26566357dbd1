#include "tools/studies/size_only_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tools/studies/columns.h"

namespace shoal {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

SizeTraining training_of(const ModelSpec& m) {
  if (m.gates.empty()) return SizeTraining::plain;
  return m.weights_rest < 0 ? SizeTraining::together : SizeTraining::frozen;
}

/// A row while its models are being gathered.
struct Draft {
  SizeOnlyRow row;
  std::vector<double> losses, train_accuracies, test_accuracies, late;
  Columns epoch_sizes;
};

bool belongs(const SizeOnlyRow& row, const ModelSpec& m) {
  if (row.training != training_of(m) || row.width != m.hidden.front()) return false;
  return m.gates.empty() || (row.start == m.gates[0].start && row.penalty == m.gates[0].penalty);
}

/// Sizes of the epochs since the gate began.
void add_sizes(Draft& d, const SizeOnlySpec& s, const GateResult& gate) {
  d.row.sizes.push_back(gate.size);
  const auto first = static_cast<std::size_t>(s.trained);
  if (gate.epoch_size.size() <= first) return;
  const std::span<const double> sizes = std::span(gate.epoch_size).subspan(first);
  d.epoch_sizes.add(sizes);
  const std::size_t then = sizes.size() - std::max<std::size_t>(1, sizes.size() / 4);
  const double before = then == 0 ? d.row.start : sizes[then - 1];
  d.late.push_back((sizes.back() - before) / static_cast<double>(sizes.size() - then));
}

SizeOnlyRow finished(Draft d) {
  SizeOnlyRow& r = d.row;
  r.models = static_cast<std::int64_t>(d.test_accuracies.size());
  r.size = summarize(r.sizes), r.train_loss = summarize(d.losses), r.late = mean_interval(d.late);
  r.train_accuracy = summarize(d.train_accuracies), r.test_accuracy = summarize(d.test_accuracies);
  r.epoch_size = d.epoch_sizes.summaries();
  return std::move(r);
}

template <class Wanted>
std::vector<const SizeOnlyRow*> chosen(std::span<const SizeOnlyRow> rows, auto key, Wanted wanted) {
  std::vector<const SizeOnlyRow*> found;
  for (const SizeOnlyRow& r : rows)
    if (r.models > 0 && wanted(r)) found.push_back(&r);
  std::ranges::sort(found, {}, [key](const SizeOnlyRow* r) { return static_cast<double>(r->*key); });
  return found;
}

}  // namespace

std::string_view name_of(SizeTraining t) {
  switch (t) {
    case SizeTraining::plain: return "plain";
    case SizeTraining::frozen: return "frozen";
    case SizeTraining::together: return "together";
    case SizeTraining::sorted: return "sorted";
  }
  return "?";
}

std::vector<ModelSpec> size_only_models(const SizeOnlySpec& s, const ModelSpec& pattern,
                                        const std::vector<std::uint64_t>& seeds) {
  std::vector<ModelSpec> models;
  const auto add_gated = [&](SizeTraining training, double start, double penalty) {
    for (const std::uint64_t seed : seeds) {
      ModelSpec m = pattern;
      m.hidden = {s.neurons}, m.seed = seed;
      GateSpec gate;
      gate.kind = GateKind::size, gate.size_penalty = SizePenalty::integral;
      gate.start = start, gate.penalty = penalty, gate.slope = 1.0, gate.lr = 1.0;
      gate.begin = s.trained;
      m.gates = {gate};
      m.weights_rest = training == SizeTraining::frozen ? s.trained : -1;
      models.push_back(m);
    }
  };
  const double middle = s.neurons / 2.0;
  for (const double start : s.starts) add_gated(SizeTraining::frozen, start, s.start_penalty);
  for (const double penalty : s.penalties) {
    const bool there = penalty == s.start_penalty && std::ranges::find(s.starts, middle) != s.starts.end();
    if (!there) add_gated(SizeTraining::frozen, middle, penalty);
    add_gated(SizeTraining::together, middle, penalty);
  }
  for (const int width : s.plain)
    for (const std::uint64_t seed : seeds) {
      ModelSpec m = pattern;
      m.hidden = {width}, m.seed = seed;
      models.push_back(m);
    }
  return models;
}

std::vector<SizeOnlyRow> size_only_rows(const SizeOnlySpec& s, const RunSpec& spec, const RunResult& result) {
  std::vector<Draft> drafts;
  for (std::size_t m = 0; m < spec.models.size(); ++m) {
    const ModelSpec& model = spec.models[m];
    const ModelResult& r = result.models[m];
    auto d = std::ranges::find_if(drafts, [&](const Draft& x) { return belongs(x.row, model); });
    if (d == drafts.end()) {
      d = drafts.emplace(drafts.end());
      d->row.training = training_of(model), d->row.width = model.hidden.front();
      d->row.start = model.gates.empty() ? kUnknown : model.gates[0].start;
      d->row.penalty = model.gates.empty() ? kUnknown : model.gates[0].penalty;
    }
    if (r.status != ModelStatus::ok) {
      ++d->row.diverged;
      continue;
    }
    d->losses.push_back(r.train_loss);
    d->train_accuracies.push_back(r.train_accuracy), d->test_accuracies.push_back(r.test_accuracy);
    if (!model.gates.empty()) add_sizes(*d, s, r.gates.front());
  }
  std::vector<SizeOnlyRow> rows;
  for (Draft& d : drafts) rows.push_back(finished(std::move(d)));
  return rows;
}

std::vector<const SizeOnlyRow*> by_penalty(const SizeOnlySpec& s, std::span<const SizeOnlyRow> rows,
                                           SizeTraining training) {
  return chosen(rows, &SizeOnlyRow::penalty, [&](const SizeOnlyRow& r) {
    return r.training == training && r.start == s.neurons / 2.0 &&
           std::ranges::find(s.penalties, r.penalty) != s.penalties.end();
  });
}

std::vector<const SizeOnlyRow*> by_start(const SizeOnlySpec& s, std::span<const SizeOnlyRow> rows) {
  return chosen(rows, &SizeOnlyRow::start, [&](const SizeOnlyRow& r) {
    return r.training == SizeTraining::frozen && r.penalty == s.start_penalty;
  });
}

std::vector<const SizeOnlyRow*> plain_rows(std::span<const SizeOnlyRow> rows) {
  return chosen(rows, &SizeOnlyRow::width,
                [](const SizeOnlyRow& r) { return r.training == SizeTraining::plain; });
}

std::vector<Record> size_only_records(std::span<const SizeOnlyRow> rows) {
  std::vector<Record> records;
  for (const SizeOnlyRow& r : rows)
    records.push_back({{"training", name_of(r.training)},
                       {"width", r.width},
                       {"start", r.start},
                       {"penalty", r.penalty},
                       {"models", r.models},
                       {"diverged", r.diverged},
                       {"size", r.training == SizeTraining::plain ? r.width : r.size.mean},
                       {"size_sd", r.size.sd},
                       {"late_change", r.late.mean},
                       {"late_change_low", r.late.low},
                       {"late_change_high", r.late.high},
                       {"train_loss", r.train_loss.mean},
                       {"train_accuracy", r.train_accuracy.mean},
                       {"train_accuracy_sd", r.train_accuracy.sd},
                       {"test_accuracy", r.test_accuracy.mean},
                       {"test_accuracy_sd", r.test_accuracy.sd}});
  return records;
}

}  // namespace shoal
