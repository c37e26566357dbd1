#include "tools/evaluation.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace shoal;

TEST_CASE("loss and accuracy in closed form") {
  // Equal logits: log 3; and the first largest is class 0.
  const std::vector<float> equal{0, 0, 0, 7, 7, 7};
  const std::vector<std::int32_t> labels{0, 2};
  const Score a = score_of(equal, labels, 3, LossKind::cross_entropy);
  CHECK(a.loss == doctest::Approx(std::log(3.0)).epsilon(1e-14));
  CHECK(a.accuracy == 0.5);
  // Large logits overflow no exponential.
  const std::vector<float> large{1000, 0};
  const std::vector<std::int32_t> first{0}, second{1};
  CHECK(score_of(large, first, 2, LossKind::cross_entropy).loss == 0.0);
  CHECK(score_of(large, second, 2, LossKind::cross_entropy).loss == 1000.0);
  // 1/2 ((2 - 1)^2 + 3^2) = 5.
  const std::vector<float> squares{2, 3};
  CHECK(score_of(squares, first, 2, LossKind::squared_error).loss == 5.0);
}
