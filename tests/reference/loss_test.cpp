// Closed forms of the losses.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/reference/model.h"

namespace {

using namespace reference;

TEST_CASE("cross-entropy of equal logits is log C") {
  for (const int classes : {1, 2, 10, 1000}) {
    const LossValue v =
        loss_of(Loss::cross_entropy, {Vector(static_cast<std::size_t>(classes), 3.5)}, {classes - 1});
    CHECK(v.sum == doctest::Approx(std::log(classes)).epsilon(1e-14));
    CHECK(v.dlogits[0].back() == doctest::Approx(1.0 / classes - 1.0).epsilon(1e-14));
    CHECK(v.correct == (classes == 1));  // the first of equal logits counts
  }
}

TEST_CASE("cross-entropy of two classes is the logistic loss") {
  for (const double margin : {-30.0, -1.0, 0.0, 0.5, 20.0}) {
    const LossValue v = loss_of(Loss::cross_entropy, {{margin, 0.0}}, {0});
    CHECK(v.sum == doctest::Approx(std::log1p(std::exp(-margin))).epsilon(1e-9));
    CHECK(v.dlogits[0][1] == doctest::Approx(1.0 / (1.0 + std::exp(margin))).epsilon(1e-12));
  }
}

TEST_CASE("huge logits stay finite") {
  const LossValue v = loss_of(Loss::cross_entropy,
                              {{1e4, -1e4, 0.0}, {1e30, 0.0, -1e30}, {-700.0, -800.0, -900.0}}, {1, 0, 0});
  CHECK(v.sum == doctest::Approx(2e4).epsilon(1e-14));
  CHECK(v.correct == 2);
  for (const Vector& row : v.dlogits)
    for (const double d : row) CHECK(std::isfinite(d));
  CHECK(v.dlogits[0][0] == doctest::Approx(1.0 / 3.0));
  CHECK(v.dlogits[0][1] == doctest::Approx(-1.0 / 3.0));
}

TEST_CASE("a logit added to all classes changes nothing, and the deltas of a row sum to zero") {
  const Matrix logits = {{0.1, -2.0, 3.0}, {1.0, 1.5, -0.5}};
  Matrix shifted = logits;
  for (Vector& row : shifted)
    for (double& x : row) x += 17.0;
  const LossValue a = loss_of(Loss::cross_entropy, logits, {2, 0}),
                  b = loss_of(Loss::cross_entropy, shifted, {2, 0});
  CHECK(a.sum == doctest::Approx(b.sum).epsilon(1e-12));
  for (const Vector& row : a.dlogits) CHECK(std::abs(row[0] + row[1] + row[2]) <= 1e-16);
}

TEST_CASE("squared error is half the squared distance to the one-hot target") {
  const LossValue v = loss_of(Loss::squared_error, {{0.5, 2.0}, {1.0, 0.0}}, {0, 0});
  CHECK(v.sum == doctest::Approx(0.5 * (0.25 + 4.0)).epsilon(1e-15));
  CHECK(v.dlogits[0][0] == -0.25);
  CHECK(v.dlogits[0][1] == 1.0);
  CHECK(v.dlogits[1][0] == 0.0);
  CHECK(v.correct == 1);
}

TEST_CASE("a forward pass worked by hand") {
  Model model;
  model.layers.push_back({{{1.0, -1.0}, {2.0, 1.0}}, {0.5, -3.0}, {2.0, 1.0}});
  model.layers.push_back({{{1.0}, {10.0}}, {-1.0}, {}});
  const Trace trace = forward(model, {{1.0, 1.0}, {0.0, 4.0}});
  CHECK(trace.z[0] == Matrix{{3.5, -3.0}, {8.5, 1.0}});
  CHECK(trace.y[0] == Matrix{{7.0, 0.0}, {17.0, 1.0}});
  CHECK(trace.z[1] == Matrix{{6.0}, {26.0}});
  CHECK(clearance(trace) == 1.0);
}

}  // namespace
