// Shapiro and Wilk's test of normality, for many samples in one call.
//
// Source: Royston 1995, Remark AS R94, Applied Statistics 44, for n = 3 to 5000; coefficients after Royston
// 1992, Statistics and Computing 2, from approximate normal scores (Blom 1958) by AS 241 in double precision.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "analysis/calculator.h"
#include "analysis/samples.h"

namespace shoal {

enum class ShapiroStatus {
  ok,
  beyond_5000,  // answers, by formulas that were fitted up to n = 5000
  too_few,      // n < 3
  no_range,     // all values are equal
  not_finite    // a value, or the distance of the largest to the smallest
};

/// What a status means, as one sentence for people.
std::string_view to_text(ShapiroStatus);

struct ShapiroWilk {
  double w, p;  // NaN unless the status is ok or beyond_5000
  std::int64_t n;
  ShapiroStatus status;
};

/// W and its p for every sample, in order. A sample has the same bits alone, in a crowd, in any order of its
/// values and on any number of threads. p is 0 where W lies below what Royston's transformation reaches (n up
/// to 11). std::invalid_argument for offsets that are none.
std::vector<ShapiroWilk> shapiro_wilk(const Calculator&, Samples<double>);

/// The same for samples that are ascending already.
std::vector<ShapiroWilk> shapiro_wilk_of_sorted(const Calculator&, Samples<double>);

/// The n coefficients of W, ascending and antisymmetric; n >= 3. Their squares add up to nearly 1.
std::vector<double> shapiro_coefficients(std::int64_t n);

/// P(W <= w) under normality, from the lack 1 - w, which is more exact near w = 1; n >= 3.
double shapiro_p(double lack, std::int64_t n);

}  // namespace shoal
