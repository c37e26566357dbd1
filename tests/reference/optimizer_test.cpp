// Each update rule against the same rule worked out otherwise: as a sum over the history of gradients instead
// of a recursion, or in numbers by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/reference/optimizer.h"

namespace {

using namespace reference;

const std::vector<double> kGradients = {0.5, -1.25, 2.0, 0.0, 0.125, -3.0, 1e-3};

// Weight after all of kGradients, from `start`.
double run(const Optimizer& o, double start) {
  Slots slots;
  double w = start;
  for (std::size_t i = 0; i < kGradients.size(); ++i)
    w = updated(o, w, kGradients[i], slots, static_cast<int>(i) + 1);
  return w;
}

// sum over i <= t of decay^(t-i) g_i
double discounted(double decay, std::size_t t, double power = 1.0) {
  double sum = 0.0;
  for (std::size_t i = 0; i <= t; ++i)
    sum += std::pow(decay, static_cast<double>(t - i)) *
           (power == 1.0 ? kGradients[i] : std::pow(kGradients[i], power));
  return sum;
}

TEST_CASE("sgd moves by lr times the sum of gradients") {
  Optimizer o{Rule::sgd, 0.1};
  double sum = 0.0;
  for (const double g : kGradients) sum += g;
  CHECK(run(o, 1.0) == doctest::Approx(1.0 - 0.1 * sum).epsilon(1e-14));
}

TEST_CASE("momentum and Nesterov are discounted sums of the past") {
  Optimizer o{Rule::momentum, 0.1, 0.8};
  double heavy = 1.0, ahead = 1.0;
  for (std::size_t t = 0; t < kGradients.size(); ++t) {
    heavy -= 0.1 * discounted(0.8, t);
    ahead -= 0.1 * (kGradients[t] + 0.8 * discounted(0.8, t));
  }
  CHECK(run(o, 1.0) == doctest::Approx(heavy).epsilon(1e-14));
  o.rule = Rule::nesterov;
  CHECK(run(o, 1.0) == doctest::Approx(ahead).epsilon(1e-14));
}

TEST_CASE("Adam divides the corrected mean by the root of the corrected square") {
  Optimizer o{Rule::adam, 0.01, 0.0, 0.9, 0.99, 1e-6};
  double w = -0.5;
  for (std::size_t t = 0; t < kGradients.size(); ++t) {
    // The corrections make the weights of the past sum to one.
    double weights1 = 0.0, weights2 = 0.0;
    for (std::size_t i = 0; i <= t; ++i) {
      weights1 += std::pow(0.9, static_cast<double>(i));
      weights2 += std::pow(0.99, static_cast<double>(i));
    }
    w -= 0.01 * (discounted(0.9, t) / weights1) / (std::sqrt(discounted(0.99, t, 2.0) / weights2) + 1e-6);
  }
  CHECK(run(o, -0.5) == doctest::Approx(w).epsilon(1e-12));
}

TEST_CASE("the first step of Adam and AdaMax is lr in the gradient's direction") {
  for (const double g : {-4.0, 1e-3, 25.0}) {
    Slots adam, adamax;
    const Optimizer o{Rule::adam, 0.01, 0.0, 0.9, 0.999, 1e-12},
        x{Rule::adamax, 0.01, 0.0, 0.9, 0.999, 1e-12};
    CHECK(updated(o, 0.0, g, adam, 1) == doctest::Approx(g > 0.0 ? -0.01 : 0.01).epsilon(1e-8));
    CHECK(updated(x, 0.0, g, adamax, 1) == doctest::Approx(g > 0.0 ? -0.01 : 0.01).epsilon(1e-8));
  }
}

TEST_CASE("AdaMax divides by the largest discounted gradient") {
  Optimizer o{Rule::adamax, 0.01, 0.0, 0.9, 0.99, 1e-6};
  double w = 2.0;
  for (std::size_t t = 0; t < kGradients.size(); ++t) {
    double norm = 0.0, weights = 0.0;
    for (std::size_t i = 0; i <= t; ++i) {
      const double age = static_cast<double>(t - i);
      norm = std::max(norm, std::pow(0.99, age) * (std::abs(kGradients[i]) + 1e-6));
      weights += std::pow(0.9, age);
    }
    w -= 0.01 * (discounted(0.9, t) / weights) / norm;
  }
  CHECK(run(o, 2.0) == doctest::Approx(w).epsilon(1e-12));
}

TEST_CASE("AMSGrad divides by the root of the largest square so far, corrected as of now") {
  Optimizer o{Rule::amsgrad, 0.01, 0.0, 0.9, 0.99, 1e-6}, adam = o;
  adam.rule = Rule::adam;
  double w = 2.0, largest = 0.0;
  for (std::size_t t = 0; t < kGradients.size(); ++t) {
    double weights1 = 0.0, weights2 = 0.0;
    for (std::size_t i = 0; i <= t; ++i) {
      weights1 += std::pow(0.9, static_cast<double>(i));
      weights2 += std::pow(0.99, static_cast<double>(i));
    }
    largest = std::max(largest, discounted(0.99, t, 2.0));
    w -= 0.01 * (discounted(0.9, t) / weights1) / (std::sqrt(largest / weights2) + 1e-6);
  }
  CHECK(run(o, 2.0) == doctest::Approx(w).epsilon(1e-12));
  // The last square, of 1e-3, lets Adam's mean fall, and AMSGrad's not.
  CHECK(std::abs(run(o, 2.0) - run(adam, 2.0)) > 1e-6);
}

TEST_CASE("penalties and decay by hand") {
  Slots slots;
  // g = 1 + 0.5 * (-2) + 0.25 * (-1) = -0.25; w = -2 * (1 - 0.1 * 0.5) + 0.1 * 0.25
  const Optimizer o{.rule = Rule::sgd, .lr = 0.1, .penalty = {.l1 = 0.25, .l2 = 0.5}, .decay = 0.5};
  CHECK(updated(o, -2.0, 1.0, slots, 1) == doctest::Approx(-1.875).epsilon(1e-15));
  // Decoupled decay does not enter Adam's moments: with a zero gradient only the factor is left.
  const Optimizer adamw{.rule = Rule::adam, .lr = 0.1, .decay = 0.5};
  CHECK(updated(adamw, 3.0, 0.0, slots, 1) == doctest::Approx(3.0 * 0.95).epsilon(1e-15));
  // Coupled decay does: the first step is lr whatever the size of l2.
  Slots fresh;
  const Optimizer coupled{.rule = Rule::adam, .lr = 0.1, .eps = 1e-14, .penalty = {.l1 = 0.0, .l2 = 1e-3}};
  CHECK(updated(coupled, 3.0, 0.0, fresh, 1) == doctest::Approx(2.9).epsilon(1e-12));
}

TEST_CASE("a parameter without gradient and weight stays zero under every rule") {
  for (const Rule rule : kRules) {
    Slots slots;
    double w = 0.0;
    const Optimizer o{.rule = rule, .penalty = {0.1, 0.1}, .decay = 0.1};
    for (int t = 1; t <= 5; ++t) w = updated(o, w, 0.0, slots, t);
    CHECK(w == 0.0);
  }
}

TEST_CASE("training lowers the loss by every rule") {
  for (const Rule rule : kRules) {
    Trainer trainer{make_model({3, 12, 3}, 5), {.rule = rule, .lr = 0.05}};
    const Samples samples = make_samples(10, 3, 3, 6);
    const double before = trainer.step(samples).sum;
    for (int i = 0; i < 200; ++i) trainer.step(samples);
    CHECK(trainer.step(samples).sum < 0.8 * before);
    CHECK(trainer.steps == 202);
  }
}

}  // namespace
