// Gaussian kernel density of a sample.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace shoal {

/// Silverman's rule of thumb, 0.9 min(sd, IQR / 1.34) n^(-1/5): Silverman 1986, equation 3.31. Where the
/// interquartile range is 0 the sd alone counts; of fewer than two distinct values: 0.
double silverman_bandwidth(std::span<const double> sample);

struct DensitySpec {
  double from = 0, to = 1;  // the density is evaluated at `points` equal steps, both ends included
  int points = 200;         // at least 2
  double bandwidth = 0;     // in the sample's units; 0: Silverman's
  /// Where the quantity cannot fall below (a standard deviation: 0), the part of every kernel that would is
  /// reflected, so that the density still integrates to 1 above it (Silverman 1986, section 2.10).
  std::optional<double> lower_bound = std::nullopt;
};

struct Density {
  double bandwidth = 0;      // the one that was used
  std::vector<double> x, y;  // y per unit of x
};

/// y is empty for a sample without spread when no bandwidth was given: it has no density. Values that are not
/// finite are left out.
Density gaussian_density(std::span<const double> sample, const DensitySpec&);

}  // namespace shoal
