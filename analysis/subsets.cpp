#include "analysis/subsets.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>

namespace shoal {
namespace {

/// Largest sum of |base| and |contributions| of a point, so that every partial product, a class's share of a
/// gradient and their sum over classes stay normal numbers; and the largest logarithm of a group's product.
/// float ends at exp(88.7) and exp(-87.3), double at exp(709.8) and exp(-708.4).
constexpr double kFloatReach = 75.0, kDoubleReach = 650.0, kFloatGroup = 85.0, kDoubleGroup = 700.0;
/// Bytes of prepared networks that are at work at once, at least one network.
constexpr std::size_t kWaveBytes = std::size_t{1} << 30;
/// Blocks of a launch on a device, so that progress is seen and a stop is heard.
constexpr std::int64_t kLaunchBlocks = 1024;
constexpr std::int64_t kGradientBlocks = 64;  // 2^18 subsets

void check(const SubsetNetwork& n) {
  const auto fail = [](const std::string& what) { throw std::invalid_argument("subsets: " + what); };
  if (n.nodes < 1 || n.nodes > kMostSubsetNodes)
    fail("a network has " + std::to_string(n.nodes) + " nodes; 1 to " + std::to_string(kMostSubsetNodes) +
         " can be enumerated");
  if (n.classes < 2) fail("a network has " + std::to_string(n.classes) + " classes; 2 are needed");
  const std::size_t points = n.labels.size(), nodes = static_cast<std::size_t>(n.nodes),
                    classes = static_cast<std::size_t>(n.classes);
  if (points == 0) fail("there are no points");
  if (n.outputs.size() != points * nodes || n.weights.size() != nodes * classes ||
      n.base.size() != points * classes)
    fail("outputs, weights and base do not have the shapes of " + std::to_string(points) + " points, " +
         std::to_string(nodes) + " nodes and " + std::to_string(classes) + " classes");
  for (const std::int32_t label : n.labels)
    if (label < 0 || label >= n.classes)
      fail("label " + std::to_string(label) + " is outside of 0 to " + std::to_string(n.classes - 1));
  const auto finite = [](std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
  };
  if (!finite(n.outputs) || !finite(n.weights) || !finite(n.base))
    fail("outputs, weights or base hold a number that is not finite");
}

/// A network as the op reads it, on the host.
struct Prepared {
  std::vector<SubsetGroup> groups;
  std::vector<double> base, contributions, base_factor, factors;
  std::vector<unsigned char> before;
};

/// Excesses of point p over its label, from `entry` on.
void set_entries(const SubsetNetwork& n, std::size_t p, std::size_t entry, Prepared& to) {
  const auto nodes = static_cast<std::size_t>(n.nodes), classes = static_cast<std::size_t>(n.classes),
             label = static_cast<std::size_t>(n.labels[p]);
  for (std::size_t c = 0; c < classes; ++c) {
    if (c == label) continue;
    to.base[entry] = n.base[p * classes + c] - n.base[p * classes + label];
    to.before[entry] = c < label;
    for (std::size_t i = 0; i < nodes; ++i)
      to.contributions[entry * nodes + i] =
          n.outputs[p * nodes + i] * (n.weights[i * classes + c] - n.weights[i * classes + label]);
    ++entry;
  }
}

/// How far a point's excesses reach in any subset.
struct Reach {
  double largest = 0;  // sum of |base| and |contributions|, of its worst class
  double loss = 0;     // a bound on the point's cross-entropy
};

Reach reach_of(const SubsetNetwork& n, std::size_t first_entry, const Prepared& prepared) {
  const auto nodes = static_cast<std::size_t>(n.nodes), others = static_cast<std::size_t>(n.classes) - 1;
  Reach reach;
  LogSum sum;
  for (std::size_t e = first_entry; e < first_entry + others; ++e) {
    double all = std::abs(prepared.base[e]), most = prepared.base[e];
    for (std::size_t i = 0; i < nodes; ++i) {
      const double c = prepared.contributions[e * nodes + i];
      all += std::abs(c);
      most += std::max(0.0, c);
    }
    reach.largest = std::max(reach.largest, all);
    sum.add(most);
  }
  reach.loss = sum.value();
  return reach;
}

SubsetArithmetic arithmetic_for(double reach, SubsetPrecision precision) {
  if (reach <= kFloatReach && precision == SubsetPrecision::float32) return SubsetArithmetic::float32;
  return reach <= kDoubleReach ? SubsetArithmetic::float64 : SubsetArithmetic::logs;
}

/// Groups of points in order, of losses[p] at most in any subset; arithmetic is ascending.
std::vector<SubsetGroup> groups_of(std::span<const double> losses,
                                   std::span<const SubsetArithmetic> arithmetic, int others) {
  const std::int32_t most = std::max(1, kSubsetEntries / others);
  std::vector<SubsetGroup> groups;
  double sum = 0;
  for (std::size_t p = 0; p < losses.size(); ++p) {
    const double limit = arithmetic[p] == SubsetArithmetic::float32 ? kFloatGroup : kDoubleGroup;
    const bool joins = !groups.empty() && groups.back().arithmetic == arithmetic[p] &&
                       groups.back().count < most &&
                       (arithmetic[p] == SubsetArithmetic::logs || sum + losses[p] <= limit);
    if (!joins) {
      groups.push_back({static_cast<std::int64_t>(p), 0, arithmetic[p]});
      sum = 0;
    }
    ++groups.back().count;
    sum += losses[p];
  }
  return groups;
}

std::size_t entries_of(const SubsetNetwork& n) {
  return n.labels.size() * (static_cast<std::size_t>(n.classes) - 1);
}

std::size_t bytes_of(const SubsetNetwork& n) {
  return entries_of(n) * (static_cast<std::size_t>(n.nodes) + 1) * 2 * sizeof(double);
}

/// The points are put in the order of their arithmetic, so that groups are long.
Prepared prepare(const SubsetNetwork& n, SubsetPrecision precision) {
  const auto others = static_cast<std::size_t>(n.classes) - 1, points = n.labels.size(),
             entries = entries_of(n), values = entries * static_cast<std::size_t>(n.nodes);
  Prepared to{{}, std::vector<double>(entries),       std::vector<double>(values), {},
              {}, std::vector<unsigned char>(entries)};
  std::vector<Reach> reach(points);
  std::vector<std::size_t> order(points);
  for (std::size_t p = 0; p < points; ++p) {
    set_entries(n, p, p * others, to);
    reach[p] = reach_of(n, p * others, to);
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto arithmetic_at = [&](std::size_t p) { return arithmetic_for(reach[p].largest, precision); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return arithmetic_at(a) < arithmetic_at(b); });
  std::vector<double> losses(points);
  std::vector<SubsetArithmetic> arithmetic(points);
  for (std::size_t p = 0; p < points; ++p) {
    set_entries(n, order[p], p * others, to);
    losses[p] = reach[order[p]].loss;
    arithmetic[p] = arithmetic_at(order[p]);
  }
  to.groups = groups_of(losses, arithmetic, static_cast<int>(others));
  const auto exponentials = [](const std::vector<double>& of) {
    std::vector<double> e(of.size());
    std::transform(of.begin(), of.end(), e.begin(), [](double x) { return std::exp(x); });
    return e;
  };
  to.base_factor = exponentials(to.base);
  to.factors = exponentials(to.contributions);
  return to;
}

/// A prepared network on the machine.
struct Placed {
  Prepared host;
  Input<SubsetGroup> groups;
  Input<double> base, contributions, base_factor, factors;
  Input<unsigned char> before;

  Placed(const Calculator& c, Prepared prepared)
      : host(std::move(prepared)),
        groups(c, host.groups),
        base(c, host.base),
        contributions(c, host.contributions),
        base_factor(c, host.base_factor),
        factors(c, host.factors),
        before(c, host.before) {}

  SubsetModel model(const SubsetNetwork& n) const {
    return {n.nodes,           n.classes - 1, static_cast<int>(host.groups.size()),
            groups.get(),      base.get(),    contributions.get(),
            base_factor.get(), factors.get(), before.get()};
  }
};

std::vector<SubsetBlock> blocks_of(std::span<const SubsetNetwork> networks) {
  std::vector<SubsetBlock> blocks;
  for (std::size_t m = 0; m < networks.size(); ++m)
    for (std::int64_t s = 0; s < subsets_of(networks[m].nodes); s += kSubsetBlock)
      blocks.push_back({static_cast<int>(m), s});
  return blocks;
}

/// Counts pairs of subset and point, and hears a stop.
class Watch {
 public:
  Watch(const SubsetSpec& spec, std::span<const SubsetNetwork> networks) : spec_(spec) {
    for (const SubsetNetwork& n : networks) all_ += subsets_of(n.nodes) * points_of(n);
  }
  bool stopped() const { return spec_.stop && spec_.stop->load(); }
  void count(const SubsetNetwork& n, std::int64_t blocks) {
    if (!spec_.progress) return;
    const std::lock_guard lock(mutex_);
    done_ += std::min(subsets_of(n.nodes), blocks * kSubsetBlock) * points_of(n);
    spec_.progress(std::min(done_, all_), all_);
  }

 private:
  static std::int64_t points_of(const SubsetNetwork& n) { return static_cast<std::int64_t>(n.labels.size()); }
  const SubsetSpec& spec_;
  std::mutex mutex_;
  std::int64_t done_ = 0, all_ = 0;
};

/// run(blocks, count, scratch) for all blocks: one by one on the threads of the CPU, in launches on a device.
template <class Run>
void over_blocks(const Calculator& calculator, std::span<const SubsetNetwork> networks,
                 std::span<const SubsetBlock> blocks, Watch& watch, const Run& run) {
  if (!calculator.device()) {
    calculator.for_each(static_cast<int>(blocks.size()), [&](int b) {
      if (watch.stopped()) return;
      const SubsetBlock& block = blocks[static_cast<std::size_t>(b)];
      const SubsetNetwork& n = networks[static_cast<std::size_t>(block.model)];
      const auto size = static_cast<std::size_t>(subset_scratch(n.classes - 1)) * sizeof(double);
      const auto release = [](double* p) { ::operator delete[](p, std::align_val_t{64}); };
      const std::unique_ptr<double[], decltype(release)> scratch(
          static_cast<double*>(::operator new[](size, std::align_val_t{64})), release);
      run(&block, 1, scratch.get());
      watch.count(n, 1);
    });
    return;
  }
  const Input<SubsetBlock> placed(calculator, blocks);
  for (std::size_t b = 0; b < blocks.size() && !watch.stopped(); b += kLaunchBlocks) {
    const std::size_t count = std::min<std::size_t>(kLaunchBlocks, blocks.size() - b);
    run(placed.get() + b, static_cast<int>(count), nullptr);
    calculator.device()->memory.synchronize(calculator.stream());
    for (std::size_t i = b; i < b + count; ++i)
      watch.count(networks[static_cast<std::size_t>(blocks[i].model)], 1);
  }
}

SubsetTable empty_table(const SubsetNetwork& n, const SubsetSpec& spec) {
  const auto subsets = static_cast<std::size_t>(subsets_of(n.nodes));
  return {n.nodes, static_cast<std::int64_t>(n.labels.size()), std::vector<double>(spec.loss ? subsets : 0),
          std::vector<std::int32_t>(spec.hits ? subsets : 0)};
}

/// The tables of one wave of networks.
std::vector<SubsetTable> evaluate_wave(const Calculator& calculator, std::span<const SubsetNetwork> networks,
                                       const SubsetSpec& spec, Watch& watch) {
  std::vector<std::unique_ptr<Placed>> placed(networks.size());
  calculator.for_each(static_cast<int>(networks.size()), [&](int m) {
    const auto i = static_cast<std::size_t>(m);
    placed[i] = std::make_unique<Placed>(calculator, prepare(networks[i], spec.precision));
  });
  std::vector<SubsetTable> tables;
  for (const SubsetNetwork& n : networks) tables.push_back(empty_table(n, spec));
  std::vector<SubsetModel> models;
  std::vector<Output<double>> losses;
  std::vector<Output<std::int32_t>> hits;
  std::vector<double*> loss_places;
  std::vector<std::int32_t*> hit_places;
  for (std::size_t m = 0; m < networks.size(); ++m) {
    models.push_back(placed[m]->model(networks[m]));
    losses.emplace_back(calculator, std::span(tables[m].loss));
    hits.emplace_back(calculator, std::span(tables[m].hits));
    loss_places.push_back(losses.back().get());
    hit_places.push_back(hits.back().get());
  }
  const Input<SubsetModel> on_machine(calculator, models);
  const Input<double*> loss_table(calculator, loss_places);
  const Input<std::int32_t*> hit_table(calculator, hit_places);
  over_blocks(calculator, networks, blocks_of(networks), watch,
              [&](const SubsetBlock* blocks, int count, double* scratch) {
                calculator.ops().subsets(
                    {on_machine.get(), blocks, count, spec.loss ? loss_table.get() : nullptr,
                     spec.hits ? hit_table.get() : nullptr, scratch},
                    calculator.stream());
              });
  for (std::size_t m = 0; m < networks.size(); ++m) {
    losses[m].fetch();
    hits[m].fetch();
    for (double& loss : tables[m].loss) loss /= static_cast<double>(tables[m].points);
  }
  return tables;
}

}  // namespace

std::vector<SubsetTable> evaluate_subsets(const Calculator& calculator,
                                          std::span<const SubsetNetwork> networks, const SubsetSpec& spec) {
  for (const SubsetNetwork& n : networks) check(n);
  Watch watch(spec, networks);
  std::vector<SubsetTable> tables;
  for (std::size_t begin = 0; begin < networks.size();) {
    std::size_t end = begin, bytes = 0;
    while (end < networks.size() && (end == begin || bytes + bytes_of(networks[end]) <= kWaveBytes))
      bytes += bytes_of(networks[end++]);
    for (SubsetTable& table : evaluate_wave(calculator, networks.subspan(begin, end - begin), spec, watch))
      tables.push_back(std::move(table));
    if (watch.stopped()) return {};
    begin = end;
  }
  return tables;
}

SubsetTable for_subset_gradients(const Calculator& calculator, const SubsetNetwork& network,
                                 const SubsetSpec& spec,
                                 const std::function<void(const SubsetGradientRange&)>& body) {
  check(network);
  const std::span<const SubsetNetwork> networks(&network, 1);
  // Losses and gradients count as one half each.
  SubsetSpec half = spec;
  half.loss = true;
  std::int64_t before = 0;
  if (spec.progress)
    half.progress = [&](std::int64_t done, std::int64_t all) { spec.progress(before + done, 2 * all); };
  Watch watch(half, networks);
  std::vector<SubsetTable> tables = evaluate_wave(calculator, networks, half, watch);
  if (watch.stopped()) return {};
  SubsetTable& table = tables.front();
  before = subsets_of(network.nodes) * table.points;
  Watch second(half, networks);

  const Placed placed(calculator, prepare(network, spec.precision));
  const std::vector<SubsetModel> models{placed.model(network)};
  const Input<SubsetModel> on_machine(calculator, models);
  const std::vector<SubsetBlock> blocks = blocks_of(networks);
  for (std::size_t b = 0; b < blocks.size(); b += kGradientBlocks) {
    const auto range =
        std::span(blocks).subspan(b, std::min<std::size_t>(kGradientBlocks, blocks.size() - b));
    const std::int64_t first = range.front().first,
                       count = std::min(subsets_of(network.nodes) - first,
                                        static_cast<std::int64_t>(range.size()) * kSubsetBlock);
    std::vector<double> gradients(static_cast<std::size_t>(count * network.nodes));
    const Output<double> output(calculator, std::span(gradients));
    over_blocks(
        calculator, networks, range, second, [&](const SubsetBlock* some, int number, double* scratch) {
          calculator.ops().subset_gradients(
              {on_machine.get(), some, number, output.get(), count, first, scratch}, calculator.stream());
        });
    if (second.stopped()) return {};
    output.fetch();
    for (double& g : gradients) g /= static_cast<double>(table.points);
    body({first,
          std::span(table.loss).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
          gradients});
  }
  return std::move(table);
}

}  // namespace shoal
