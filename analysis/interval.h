// Intervals of means by Student's t: for small samples of numbers that are about normal, such as one from
// each of a few seeds. (bootstrap.h asks for no distribution, and for more numbers.)
#pragma once

#include <cstdint>
#include <span>

namespace shoal {

struct MeanInterval {
  double mean = 0;
  double low = 0, high = 0;  // NaN where there are too few values
};

/// mean ± t sd / sqrt(n) with n - 1 degrees of freedom. `level` between 0 and 1.
MeanInterval mean_interval(std::span<const double> sample, double level = 0.95);

/// Of mean(a) - mean(b), for samples with variances of their own: Welch 1947, with the degrees of freedom of
/// Satterthwaite 1946. When neither sample varies the interval is the difference alone.
MeanInterval difference_interval(std::span<const double> a, std::span<const double> b, double level = 0.95);

/// Of a share: `count` of `of` independent trials. Wilson 1927 (Journal of the American Statistical
/// Association 22), which stays within 0 and 1 and has a width also where all or none are counted. NaN of no
/// trials.
MeanInterval share_interval(std::int64_t count, std::int64_t of, double level = 0.95);

/// Of the slope of the least-squares line through (x, y); needs three points, and two different x.
MeanInterval slope_interval(std::span<const double> x, std::span<const double> y, double level = 0.95);

}  // namespace shoal
