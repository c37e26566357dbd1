// Training only the size of networks whose neurons have been sorted first: what the journal meant to do with
// its sorted gates.
#include "tools/studies/size_only_rows.h"

#include "engine/removal.h"

namespace shoal {

RunSpec sorted_run(const SizeOnlySpec& s, const RunSpec& base, std::size_t networks) {
  RunSpec run = base;
  run.models.clear();
  run.epochs = base.epochs - s.trained;
  SizeOnlySpec sorted = s;
  sorted.trained = 0, sorted.starts.clear(), sorted.plain.clear();
  std::vector<std::uint64_t> seeds;
  for (std::size_t n = 0; n < networks; ++n) seeds.push_back(n + 1);  // of the batches: the weights are given
  for (ModelSpec& m : size_only_models(sorted, base.models.front(), seeds))
    if (m.weights_rest == 0) run.models.push_back(std::move(m));
  return run;
}

std::vector<SizeOnlyRow> train_sorted(const SizeOnlySpec& s, const RunSpec& base, const CutTask& t,
                                      std::span<const Layers> networks, const Landscape& l) {
  if (networks.empty() || l.orders.empty()) return {};
  const RunSpec spec = sorted_run(s, base, networks.size());
  const std::vector<std::vector<int>>& order = l.orders[static_cast<std::size_t>(NeuronOrder::greedy)];
  RunHooks hooks;
  hooks.stop = t.stop;
  hooks.start_weights = [&](std::int64_t model) {
    const std::size_t n = static_cast<std::size_t>(model) % networks.size();
    return keep_neurons(networks[n], order[n]);
  };
  const RunResult result = run(spec, t.task, hooks);
  if (result.stopped) return {};
  SizeOnlySpec of_rows = s;
  of_rows.trained = 0;
  std::vector<SizeOnlyRow> rows = size_only_rows(of_rows, spec, result);
  for (SizeOnlyRow& row : rows) row.training = SizeTraining::sorted;
  return rows;
}

}  // namespace shoal
