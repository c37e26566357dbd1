// Losses, hits and deltas of the logits against the reference; and what happens to models that diverge.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/cases.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

/// Logits of every kind: `scale` 1 for ordinary ones, 1e4 for huge ones, 0 for whole numbers with many ties.
std::vector<float> make_logits(const Population& p, double scale) {
  reference::Draws draws(31);
  return fill_outputs(p, [&](int m, int l, int, int n) {
    if (is_hidden(p, m, l)) return std::nanf("");
    if (n >= width_of(p, m, l)) return 0.0f;
    if (scale == 0.0) return static_cast<float>(draws.below(3) - 1);
    return static_cast<float>(scale * draws.uniform(-3.0, 3.0));
  });
}

struct Result {
  std::vector<float> deltas;
  std::vector<double> loss;
  std::vector<std::int64_t> correct;
  std::vector<int> frozen;
};

Result run_loss(Rig& rig, LossKind kind, bool write_deltas) {
  rig.loss(kind, write_deltas);
  CHECK(rig.arena.touched() == "");
  return {rig.arena.get(rig.workspace.deltas), rig.arena.get(rig.loss_sums), rig.arena.get(rig.correct),
          rig.arena.get(rig.frozen)};
}

int output_layer(const Population& p, int m) {
  return static_cast<int>(p.places[static_cast<std::size_t>(m)].size()) - 1;
}

void compare_model(Worst& sums, Worst& deltas, const Population& p, const Result& r, LossKind kind,
                   const reference::Matrix& logits, const std::vector<int>& labels, int m) {
  const reference::LossValue v = loss_of(in_reference(kind), logits, labels);
  const int classes = p.spec.classes, out = output_layer(p, m);
  double tolerance = kSmallest;
  for (std::size_t b = 0; b < logits.size(); ++b) {
    double largest = 0.0;
    for (const double z : logits[b]) largest = std::max(largest, std::abs(z));
    tolerance += kind == LossKind::cross_entropy
                     ? cross_entropy_tolerance(classes, largest)
                     : squared_error_tolerance(classes, 0.5 * classes * (largest + 1.0) * (largest + 1.0));
  }
  // The machine's sum began at 100.
  sums.see(r.loss[static_cast<std::size_t>(m)] - 100.0, v.sum, tolerance, m, out, -1, -1);
  if (r.correct[static_cast<std::size_t>(m)] - 5 != v.correct) sums.ratio = 1e300;
  const Place& place = p.places[static_cast<std::size_t>(m)].back();
  const Slab& s = p.slabs[static_cast<std::size_t>(place.slab)];
  for (std::size_t b = 0; b < logits.size(); ++b)
    for (int c = 0; c < (classes + 15) / 16 * 16; ++c) {
      const double expected = c < classes ? v.dlogits[b][static_cast<std::size_t>(c)] : 0.0;
      const double bound = c >= classes ? kSmallest * kRounding  // padding: exactly 0
                           : kind == LossKind::cross_entropy
                               ? cross_entropy_delta_tolerance(classes, rows_of(p, m))
                               : squared_error_delta_tolerance(expected);
      deltas.see(static_cast<double>(r.deltas[output_index(s, static_cast<int>(b), c)]), expected, bound, m,
                 out, static_cast<int>(b), c);
    }
}

TEST_CASE("loss: sums, hits and deltas are those of the reference, also of huge and of tied logits") {
  for (const TestMachine& machine : machines())
    for (const Case& c : odd_cases())
      for (const LossKind kind : {LossKind::cross_entropy, LossKind::squared_error})
        for (const double scale : {1.0, 1e4, 0.0}) {
          CAPTURE(machine.name);
          CAPTURE(c.name);
          CAPTURE(static_cast<int>(kind));
          CAPTURE(scale);
          const Population p = make_population(c.spec);
          const std::vector<reference::Samples> batches = random_batches(p, 32);
          const std::vector<float> logits = make_logits(p, scale);
          Rig rig(machine, p);
          set_batches(rig, batches);
          rig.arena.set(rig.workspace.outputs, logits);
          rig.arena.set(rig.loss_sums, std::vector<double>(p.places.size(), 100.0));
          rig.arena.set(rig.correct, std::vector<std::int64_t>(p.places.size(), 5));
          const Result trained = run_loss(rig, kind, true);
          rig.arena.set(rig.loss_sums, std::vector<double>(p.places.size(), 100.0));
          rig.arena.set(rig.correct, std::vector<std::int64_t>(p.places.size(), 5));
          const Result evaluated = run_loss(rig, kind, false);
          Worst sums, deltas;
          for (int m = 0; m < static_cast<int>(p.places.size()); ++m)
            compare_model(sums, deltas, p, trained, kind, values_of(p, logits, m, output_layer(p, m)),
                          batch_of_model(p, batches, m).labels, m);
          CHECK_MESSAGE(sums.ok(), "sums: ", sums.where, ", ", sums.ratio, " tolerances");
          CHECK_MESSAGE(deltas.ok(), "deltas: ", deltas.where, ", ", deltas.ratio, " tolerances");
          CHECK(trained.frozen == std::vector<int>(p.places.size(), 0));
          // Evaluation reads the same logits and adds the same numbers.
          CHECK(evaluated.loss == trained.loss);
          CHECK(evaluated.correct == trained.correct);
          CHECK(same_bits(evaluated.deltas, trained.deltas));
        }
}

TEST_CASE("loss: of tied logits the first counts") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    for (const int classes : {2, 17, 130}) {
      const Population p = make_population({1, classes, {{{1}}}, {classes}});
      Rig rig(machine, p);
      std::vector<std::int32_t> labels;
      for (int c = 0; c < classes; ++c) labels.push_back(c);
      rig.arena.set(rig.labels, labels);
      // Row b has its largest logit at b and at every class behind it.
      rig.arena.set(rig.workspace.outputs, fill_outputs(p, [&](int, int l, int b, int n) {
                      return l == 1 && n >= b && n < classes ? 2.0f : 1.0f;
                    }));
      CHECK(run_loss(rig, LossKind::cross_entropy, true).correct[0] == classes);
      labels.assign(static_cast<std::size_t>(classes), classes - 1);
      rig.arena.set(rig.labels, labels);
      CHECK(run_loss(rig, LossKind::cross_entropy, true).correct[0] == classes + 1);
    }
  }
}

TEST_CASE("loss: a loss that is not finite freezes its model and nobody else; a frozen model is left alone") {
  const float nan = std::nanf(""), infinity = HUGE_VALF;
  for (const TestMachine& machine : machines())
    for (const LossKind kind : {LossKind::cross_entropy, LossKind::squared_error})
      for (const float poison : {nan, infinity, -infinity}) {
        CAPTURE(machine.name);
        CAPTURE(static_cast<int>(kind));
        CAPTURE(poison);
        const Population p = make_population({2, 20, {{{3}}, {{4}}, {{5}}, {{6}}}, {9}});
        const std::vector<reference::Samples> batches = random_batches(p, 33);
        std::vector<float> logits = make_logits(p, 1.0);
        const Slab& ill = p.slabs[static_cast<std::size_t>(p.places[1].back().slab)];
        // One bad logit of model 1: the label's, so that -infinity hurts too.
        logits[output_index(ill, 4, batches[0].labels[4])] = poison;
        for (const bool write_deltas : {true, false}) {
          CAPTURE(write_deltas);
          Rig rig(machine, p);
          set_batches(rig, batches);
          rig.arena.set(rig.workspace.outputs, logits);
          rig.arena.set(rig.frozen, std::vector<int>{0, 0, 1, 0});
          const std::vector<double> start = {1.0, 2.0, 3.0, 4.0};
          rig.arena.set(rig.loss_sums, start);
          std::vector<StepCoefficients> coefficients(4, StepCoefficients{});
          for (StepCoefficients& s : coefficients) s.active = 1;
          rig.arena.set(rig.coefficients, coefficients);
          const Result r = run_loss(rig, kind, write_deltas);
          CHECK(r.frozen == std::vector<int>{0, write_deltas, 1, 0});
          CHECK(r.loss[2] == 3.0);
          CHECK(r.correct[2] == 0);
          CHECK(r.loss[0] > 1.0);
          CHECK(r.loss[3] > 4.0);
          CHECK(std::isfinite(r.loss[0] + r.loss[3]));
          if (!write_deltas) {
            CHECK(!std::isfinite(r.loss[1]));  // an evaluation reports what it saw
            continue;
          }
          CHECK(r.loss[1] == 2.0);
          CHECK(r.correct[1] == 0);
          // The step in which a model freezes does not touch it any more.
          coefficients = rig.arena.get(rig.coefficients);
          CHECK(coefficients[0].active == 1);
          CHECK(coefficients[1].active == 0);
          CHECK(coefficients[3].active == 1);
        }
      }
}

TEST_CASE("loss: labels are found through the order") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    const Population p = make_population({1, 5, {{{1}}, {{2}, 1}}, {4, 3}});
    Rig rig(machine, p, {.samples = 10});
    rig.arena.set(rig.labels, std::vector<std::int32_t>{0, 1, 2, 3, 4, 0, 1, 2, 3, 4});
    rig.order = rig.arena.put(
        std::vector<std::int32_t>{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 2, 4, 6, 8, 1, 3, 5, 7, 9}, "order");
    std::vector<Batch> batches = p.batches;
    batches[0].first = 2, batches[1].first = 10 + 6;
    rig.arena.set(rig.batches, batches);
    const int labels[2][4] = {{2, 1, 0, 4}, {3, 0, 2, -1}};  // of samples 7 6 5 4 and 3 5 7
    rig.arena.set(rig.workspace.outputs, fill_outputs(p, [&](int m, int l, int b, int n) {
                    return l == 1 && n == labels[m][b] ? 1.0f : 0.0f;
                  }));
    CHECK(run_loss(rig, LossKind::squared_error, true).correct == std::vector<std::int64_t>{4, 3});
  }
}

}  // namespace
}  // namespace shoal::test
