// What brings the data to a step: the start of the step, the order of an epoch, the gathering of a batch.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"
#include "tests/reference/sampling.h"

namespace shoal::test {
namespace {

/// Coefficients from their definitions, in double.
std::vector<double> coefficients_of(const UpdateSettings& s, double t) {
  const bool adam = s.rule == UpdateRule::adam || s.rule == UpdateRule::amsgrad,
             adamax = s.rule == UpdateRule::adamax;
  const double left = (static_cast<double>(s.decay_steps) - t + 1.0) / static_cast<double>(s.decay_steps);
  double lr = s.lr;
  if (s.lr_decay == LrDecay::cosine) lr *= left > 0.0 ? std::pow(std::sin(std::acos(0.0) * left), 2) : 0.0;
  if (s.lr_decay == LrDecay::linear) lr *= std::max(0.0, left);
  return {adam || adamax ? lr / (1.0 - std::pow(s.beta1, t)) : lr,
          s.momentum,
          1.0 - s.beta1,
          adamax ? s.beta2 : 1.0 - s.beta2,
          adam ? 1.0 / std::sqrt(1.0 - std::pow(s.beta2, t)) : 1.0,
          s.eps,
          s.l1,
          s.l2,
          1.0 - lr * s.weight_decay};
}

std::vector<double> as_doubles(const StepCoefficients& c) {
  std::vector<double> values;
  for (const float x : {c.rate, c.momentum, c.gain1, c.gain2, c.root_scale, c.eps, c.l1, c.l2, c.keep})
    values.push_back(static_cast<double>(x));
  return values;
}

// One rounding to float, and a few units of pow's last place in double, which 1 - beta^t magnifies by up to
// 1e4 here.
constexpr double kCoefficientTolerance = kRounding + 1e-11;

const std::vector<UpdateSettings> kSettings = {
    {0.1, 0.9, 0.9, 0.999, 1e-8, 0.0, 0.0, 0.0, UpdateRule::sgd},
    {0.01, 0.8, 0.9, 0.999, 1e-8, 1e-4, 2e-4, 0.5, UpdateRule::momentum},
    {0.001, 0.0, 0.9, 0.9999, 1e-6, 0.0, 1e-3, 0.01, UpdateRule::adam, 0.0, -1, LrDecay::cosine, 40},
    {0.002, 0.0, 0.5, 0.99, 1e-7, 1e-3, 0.0, 0.0, UpdateRule::adamax},
    {0.002, 0.95, 0.5, 0.99, 1e-7, 1e-3, 0.0, 0.1, UpdateRule::nesterov, 0.0, -1, LrDecay::linear, 130},
    {0.003, 0.0, 0.8, 0.995, 1e-7, 0.0, 0.0, 0.2, UpdateRule::amsgrad}};

TEST_CASE("begin_step: batches and coefficients follow the counter through epochs") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Arena arena(machine);
    const std::vector<int> sizes = {32, 100, 7, 130, 1}, group = {0, 1, 2, 3, 4, 0},
                           frozen = {0, 0, 7, 0, 0, 0};
    const std::int64_t samples = 100;
    std::vector<Batch> batches;
    for (int g = 0; g < 5; ++g) batches.push_back({g * 1000, -1, -1});
    BeginStep op{};
    op.position = arena.put(std::vector<std::int64_t>{0, 0}, "position");
    op.batches = arena.put(batches, "batches");
    op.batch_sizes = arena.put(sizes, "sizes");
    op.group_count = 5;
    op.samples = samples;
    op.settings = arena.put(kSettings, "settings");
    op.model_group = arena.put(group, "groups");
    op.frozen = arena.put(frozen, "frozen");
    op.coefficients = arena.room<StepCoefficients>(kSettings.size(), "coefficients");
    op.model_count = static_cast<int>(kSettings.size());
    for (const std::int64_t epoch : {0, 1, 40}) {
      arena.set(op.position, std::vector<std::int64_t>{epoch, 0});
      for (std::int64_t step = 0; step < 16; ++step) {
        CAPTURE(epoch);
        CAPTURE(step);
        machine.ops.begin_step(op, arena.stream());
        CHECK(arena.get(op.position) == std::vector<std::int64_t>{epoch, step + 1});
        batches = arena.get(op.batches);
        const std::vector<StepCoefficients> coefficients = arena.get(op.coefficients);
        for (std::size_t g = 0; g < 5; ++g) {
          const std::int64_t start = step * sizes[g];
          const auto rows = std::max<std::int64_t>(0, std::min<std::int64_t>(sizes[g], samples - start));
          CHECK(batches[g].rows == rows);
          CHECK(batches[g].inputs == static_cast<std::int64_t>(g) * 1000);
          if (rows > 0) CHECK(batches[g].first == static_cast<std::int64_t>(g) * samples + start);
        }
        Worst worst;
        for (int m = 0; m < op.model_count; ++m) {
          const auto i = static_cast<std::size_t>(m);
          const int size = sizes[static_cast<std::size_t>(group[i])];
          const std::int64_t steps = (samples + size - 1) / size;
          const auto expected = coefficients_of(kSettings[i], static_cast<double>(epoch * steps + step + 1));
          const auto actual = as_doubles(coefficients[i]);
          for (std::size_t j = 0; j < actual.size(); ++j)
            worst.see(actual[j], expected[j], kCoefficientTolerance * std::abs(expected[j]) + kSmallest, m, 0,
                      0, static_cast<int>(j));
          CHECK((coefficients[i].active != 0) == (frozen[i] == 0));
        }
        CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      }
    }
    CHECK(arena.touched() == "");
  }
}

TEST_CASE("shuffle: the order is the reference's, equal words included") {
  for (const TestMachine& machine : machines())
    for (const std::int64_t samples : {1, 2, 7, 64, 1000, 200000}) {
      CAPTURE(machine.name);
      CAPTURE(samples);
      const bool is_large = samples > 10000;
      const std::vector<std::uint64_t> seeds = {1234, 1, 0xFFFFFFFFFFFFFFFF},
                                       streams = {0, 0x123456789ABCDEF0, 3};
      const int groups = is_large ? 1 : 3;
      const auto count = static_cast<std::size_t>(groups * samples);
      Arena arena(machine);
      Shuffle op{};
      op.order = arena.room<std::int32_t>(count, "order");
      op.seeds = arena.put(seeds, "seeds");
      op.streams = arena.put(streams, "streams");
      op.group_count = groups;
      op.samples = samples;
      if (machine.is_device) {
        op.keys = arena.room<std::uint32_t>(count, "keys");
        op.scratch_bytes = static_cast<std::int64_t>(machine.shuffle_scratch(groups, samples));
        op.scratch = arena.room<std::byte>(static_cast<std::size_t>(op.scratch_bytes), "scratch");
      }
      machine.ops.shuffle(op, arena.stream());
      const std::vector<std::int32_t> order = arena.get(op.order);
      bool has_tie = false;
      for (std::size_t g = 0; g < static_cast<std::size_t>(groups); ++g) {
        const std::vector<std::int32_t> expected = reference::epoch_order(seeds[g], streams[g], samples);
        const auto begin = order.begin() + static_cast<std::ptrdiff_t>(g) * samples;
        CHECK(std::equal(expected.begin(), expected.end(), begin));
        for (std::size_t i = 1; is_large && i < expected.size(); ++i)
          has_tie |=
              reference::random_word(seeds[g], streams[g], static_cast<std::uint64_t>(expected[i - 1])) ==
              reference::random_word(seeds[g], streams[g], static_cast<std::uint64_t>(expected[i]));
      }
      CHECK(has_tie == is_large);  // 200000 words of 32 bits meet about 5 times
      CHECK(arena.touched() == "");
    }
}

struct Data {
  std::vector<std::uint8_t> bytes;
  std::vector<float> values;
};

TEST_CASE("gather: rows are scaled samples in the order's sequence, columns behind the features are zero") {
  constexpr float kScale = 0.3f, kShift = -0.7f;
  for (const TestMachine& machine : machines())
    for (const int features : {1, 4, 7, 12, 15, 16, 17, 20, 63, 64, 65, 130})
      for (const bool with_order : {false, true})
        for (const bool as_bytes : {false, true}) {
          CAPTURE(machine.name);
          CAPTURE(features);
          CAPTURE(with_order);
          CAPTURE(as_bytes);
          constexpr int kSamples = 40;
          const Population p = make_population({features, 2, {{{1}}, {{1}, 1}, {{1}, 2}}, {17, 0, 5}, 2});
          reference::Draws draws(static_cast<std::uint64_t>(features));
          Data data;
          for (int i = 0; i < kSamples * features; ++i) {
            data.bytes.push_back(static_cast<std::uint8_t>(draws.below(256)));
            data.values.push_back(static_cast<float>(draws.uniform(-2.0, 2.0)));
          }
          std::vector<Batch> batches = p.batches;
          batches[0].first = 3;
          batches[2].first = with_order ? 2 * kSamples + 11 : 35;
          std::vector<std::int32_t> order;
          for (int i = 0; i < 3 * kSamples; ++i) order.push_back(draws.below(kSamples));
          Rig rig(machine, p, {.samples = kSamples});
          Gather op{};
          op.workspace = rig.workspace;
          op.workspace.batches = rig.arena.put(batches, "batches of the op");
          op.batch_count = 3;
          op.max_rows = 17;
          op.order = with_order ? rig.arena.put(order, "order") : nullptr;
          op.bytes = as_bytes ? rig.arena.put(data.bytes, "bytes") : nullptr;
          op.values = as_bytes ? nullptr : rig.arena.put(data.values, "values");
          op.features = features;
          op.scale = kScale;
          op.shift = kShift;
          machine.ops.gather(op, rig.arena.stream());
          const std::vector<float> inputs = rig.arena.get(rig.workspace.inputs);
          Worst worst;
          bool padding_is_clear = true;
          for (std::size_t g = 0; g < 3; ++g)
            for (int b = 0; b < batches[g].rows; ++b) {
              const auto place = static_cast<std::size_t>(batches[g].first + b);
              const std::size_t sample = with_order ? static_cast<std::size_t>(order[place]) : place;
              for (int f = 0; f < p.input_stride; ++f) {
                const double actual = static_cast<double>(
                    inputs[static_cast<std::size_t>(batches[g].inputs + b * p.input_stride + f)]);
                if (f >= features) {
                  padding_is_clear = padding_is_clear && actual == 0.0;
                  continue;
                }
                const std::size_t at =
                    sample * static_cast<std::size_t>(features) + static_cast<std::size_t>(f);
                const double x = as_bytes ? data.bytes[at] : static_cast<double>(data.values[at]);
                const double scaled = x * static_cast<double>(kScale), shift = static_cast<double>(kShift);
                // Fused: one rounding of the result. The CPU's v2 level has no fused operation and rounds the
                // product too.
                const double fused = kRounding * std::abs(scaled + shift) * (1.0 + 1e-9) + kSmallest;
                worst.see(actual, scaled + shift,
                          fused + (machine.name == "cpu v2" ? kRounding * std::abs(scaled) * 1.01 : 0.0), 0,
                          static_cast<int>(g), b, f);
              }
            }
          CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
          CHECK(padding_is_clear);
          CHECK(rig.arena.touched() == "");
        }
}

}  // namespace
}  // namespace shoal::test
