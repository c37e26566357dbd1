#include "tools/studies/growth_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/rank.h"

namespace shoal {

std::string_view name_of(Score s) {
  return s == Score::test_accuracy ? "test_accuracy" : s == Score::test_loss ? "test_loss" : "train_loss";
}

double value_of(const Outcome& o, Score s) {
  return s == Score::test_accuracy ? o.test_accuracy : s == Score::test_loss ? o.test_loss : o.train_loss;
}

MeanInterval paired(const ArmOutcomes& a, const ArmOutcomes& b, Score score) {
  std::vector<double> differences;
  for (std::size_t s = 0; s < std::min(a.seeds.size(), b.seeds.size()); ++s)
    if (!a.seeds[s].diverged && !b.seeds[s].diverged)
      differences.push_back(value_of(a.seeds[s], score) - value_of(b.seeds[s], score));
  return mean_interval(differences);
}

Sign sign_of(const MeanInterval& d, Score score) {
  const bool above = d.low > 0, below = d.high < 0;  // false for NaN
  if (!above && !below) return Sign::none;
  return above == (score == Score::test_accuracy) ? Sign::better : Sign::worse;
}

std::vector<GrowthRow> growth_rows(std::span<const ArmOutcomes> arms) {
  std::vector<GrowthRow> rows;
  for (const ArmOutcomes& arm : arms) {
    GrowthRow row;
    row.arm = arm.arm;
    const auto over_seeds = [&](auto value) {
      std::vector<double> values;
      for (const Outcome& o : arm.seeds)
        if (!o.diverged) values.push_back(value(o));
      return summarize(values);
    };
    row.cost = over_seeds([](const Outcome& o) { return o.cost; });
    row.epochs = over_seeds([](const Outcome& o) { return o.epochs; });
    row.size = over_seeds([](const Outcome& o) { return o.size; });
    for (const Score score : kScores) {
      const auto s = static_cast<std::size_t>(score);
      row.scores[s] = over_seeds([&](const Outcome& o) { return value_of(o, score); });
      row.against[s] = paired(arm, arms.front(), score);
    }
    row.models = static_cast<int>(row.cost.count);
    row.diverged = static_cast<int>(arm.seeds.size()) - row.models;
    rows.push_back(std::move(row));
  }
  return rows;
}

const ArmOutcomes* find_arm(std::span<const ArmOutcomes> arms, std::string_view name) {
  const auto found = std::ranges::find_if(arms, [&](const ArmOutcomes& a) { return name_of(a.arm) == name; });
  return found == arms.end() ? nullptr : &*found;
}

std::vector<CurveRow> curve_of(const ArmOutcomes& arm) {
  std::vector<const Outcome*> alive;
  for (const Outcome& o : arm.seeds)
    if (!o.diverged) alive.push_back(&o);
  std::vector<CurveRow> rows;
  for (std::size_t e = 0; !alive.empty(); ++e) {
    std::vector<double> cost, loss, accuracy;
    for (const Outcome* o : alive) {
      if (e >= o->curve.size()) return rows;
      cost.push_back(o->curve[e].cost), loss.push_back(o->curve[e].test_loss);
      accuracy.push_back(o->curve[e].test_accuracy);
    }
    rows.push_back({summarize(cost).mean, summarize(loss), summarize(accuracy)});
  }
  return rows;
}

std::string_view name_of(Signal s) {
  constexpr std::string_view kNames[] = {"silent", "gate", "gate-size", "loss", "epoch"};
  return kNames[static_cast<std::size_t>(s)];
}

std::string_view words_of(Signal s) {
  constexpr std::string_view kWords[] = {"gradient of silent candidates", "the gate's -dL/dx0",
                                         "the gate's |dL/dx0|", "the training loss itself", "epochs trained"};
  return kWords[static_cast<std::size_t>(s)];
}

double value_of(const Moment& m, Signal s) {
  switch (s) {
    case Signal::silent: return m.silent;
    case Signal::gate: return m.gate;
    case Signal::gate_size: return std::abs(m.gate);
    case Signal::loss: return m.loss;
    case Signal::epoch: return m.epoch;
  }
  return NAN;
}

namespace {

using OneNetwork = std::vector<const Moment*>;  // its moments

std::vector<OneNetwork> networks_of(std::span<const Moment> moments, int width) {
  std::map<std::pair<int, std::uint64_t>, OneNetwork> networks;
  for (const Moment& m : moments)
    if (width <= 0 || m.width == width) networks[{m.width, m.seed}].push_back(&m);
  std::vector<OneNetwork> some;
  for (auto& [key, of_network] : networks) some.push_back(std::move(of_network));
  return some;
}

/// Pairs of signal and gain.
struct Pairs {
  std::vector<double> x, y;
};

/// Of some networks, in groups: by width, or all together. NaN where a group has no correlation.
double correlation_of(std::span<const std::int32_t> chosen, const std::vector<OneNetwork>& networks,
                      bool within, Signal signal, const std::vector<double> Moment::*gain,
                      std::size_t horizon) {
  std::map<int, Pairs> groups;
  if (within)
    for (const OneNetwork& n : networks) groups[n.front()->width];
  for (const std::int32_t n : chosen)
    for (const Moment* m : networks[static_cast<std::size_t>(n)]) {
      Pairs& pairs = groups[within ? m->width : 0];
      pairs.x.push_back(value_of(*m, signal)), pairs.y.push_back((m->*gain)[horizon]);
    }
  double sum = 0;
  for (const auto& [width, pairs] : groups) sum += spearman(pairs.x, pairs.y);
  return sum / static_cast<double>(groups.size());
}

}  // namespace

std::vector<SignalRow> signal_rows(const Calculator& calculator, std::span<const Moment> moments,
                                   const GrowthSpec& spec) {
  std::vector<SignalRow> rows;
  std::set<int> widths;
  for (const Moment& m : moments) widths.insert(m.width);
  if (widths.empty()) return rows;
  std::vector<int> groups{kAllWidths, kWithinWidths};
  groups.insert(groups.end(), widths.begin(), widths.end());
  const std::vector<int> horizons = horizons_of(spec);
  for (std::size_t h = 0; h < horizons.size(); ++h)
    for (const int width : groups) {
      const std::vector<OneNetwork> networks = networks_of(moments, width);
      int count = 0;
      for (const OneNetwork& n : networks) count += static_cast<int>(n.size());
      for (const Signal signal : kSignals) {
        const auto correlation = [&](const std::vector<double> Moment::*gain) {
          return bootstrap(calculator, static_cast<std::int64_t>(networks.size()),
                           [&](std::span<const std::int32_t> chosen) {
                             return correlation_of(chosen, networks, width == kWithinWidths, signal, gain, h);
                           });
        };
        rows.push_back({signal, width, horizons[h], count, static_cast<int>(networks.size()),
                        correlation(&Moment::train_gain), correlation(&Moment::test_gain)});
      }
    }
  return rows;
}

std::vector<GainRow> gain_rows(std::span<const Moment> moments, const GrowthSpec& spec) {
  std::map<std::pair<int, int>, std::vector<const Moment*>> groups;
  for (const Moment& m : moments) groups[{m.width, m.epoch}].push_back(&m);
  const std::vector<int> horizons = horizons_of(spec);
  std::vector<GainRow> rows;
  for (const auto& [key, of_group] : groups)
    for (std::size_t h = 0; h < horizons.size(); ++h) {
      const auto values = [&](auto value) {
        std::vector<double> v;
        for (const Moment* m : of_group) v.push_back(value(*m));
        return v;
      };
      rows.push_back({key.first, key.second, horizons[h], static_cast<int>(of_group.size()),
                      summarize(values([](const Moment& m) { return m.silent; })).mean,
                      summarize(values([](const Moment& m) { return m.gate; })).mean,
                      summarize(values([](const Moment& m) { return m.loss; })).mean,
                      mean_interval(values([&](const Moment& m) { return m.train_gain[h]; })),
                      mean_interval(values([&](const Moment& m) { return m.test_gain[h]; }))});
    }
  return rows;
}

}  // namespace shoal
