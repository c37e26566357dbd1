#include "kernels/mixture_starts.h"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

constexpr double kHalfLogTwoPi = 0.91893853320467274178;

/// Sums of a part of a sample, counted from the sample's mean, so that variances do not cancel.
struct Part {
  double count = 0, sum = 0, squares = 0, logs = 0;
};
Part operator-(Part a, const Part& b) {
  return {a.count - b.count, a.sum - b.sum, a.squares - b.squares, a.logs - b.logs};
}

/// Parts of an ascending sample by prefix sums.
class Parts {
 public:
  Parts(MixtureKind kind, MixtureSample s, const MixtureBounds& bounds)
      : kind_(kind), bounds_(bounds), values_(s.values), prefix_(s.values.size() + 1) {
    double sum = 0;
    for (const double x : values_) sum += x;
    centre_ = sum / static_cast<double>(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const double d = values_[i] - centre_;
      const Part& p = prefix_[i];
      prefix_[i + 1] = {p.count + 1, p.sum + d, p.squares + d * d,
                        p.logs + (s.log_values.empty() ? 0.0 : s.log_values[i])};
    }
  }
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }
  double value(std::int64_t i) const { return values_[static_cast<std::size_t>(i)]; }
  Part part(std::int64_t begin, std::int64_t end) const {
    return prefix_[static_cast<std::size_t>(end)] - prefix_[static_cast<std::size_t>(begin)];
  }
  Part all() const { return prefix_.back(); }

  double mean(const Part& p) const { return centre_ + p.sum / p.count; }
  double sd(const Part& p) const {
    const double m = p.sum / p.count;
    return std::sqrt(std::max(p.squares / p.count - m * m, 0.0));
  }
  /// Component j fitted to a part, into its two parameters.
  void fit(int j, const Part& p, double* out) const {
    switch (component_of(kind_, j)) {
      case MixtureComponent::exponential:
        out[0] = std::max(mean(p), bounds_.scale);
        out[1] = 1.0;
        break;
      case MixtureComponent::gamma: {
        const double s = std::log(mean(p)) - p.logs / p.count;
        out[0] = s > 1e-15 ? clamp_to(solve_gamma_shape(s, 0.0), bounds_.shape_low, bounds_.shape_high)
                           : bounds_.shape_high;
        out[1] = mean(p);
        break;
      }
      case MixtureComponent::normal:
        out[0] = mean(p);
        out[1] = std::max(sd(p), bounds_.sd);
        break;
    }
  }
  /// A mixture whose components are fitted to two parts.
  MixtureParameters fit(const Part& first, const Part& second) const {
    MixtureParameters m;
    const double n = static_cast<double>(size());
    m.weight = clamp_to(first.count / n, bounds_.weight, 1.0 - bounds_.weight);
    fit(0, first, m.first);
    fit(1, second, m.second);
    return m;
  }

 private:
  MixtureKind kind_;
  MixtureBounds bounds_;
  std::span<const double> values_;
  double centre_ = 0;
  std::vector<Part> prefix_;
};

/// Below and above a quantile, at several places; for unlike components also the other way round.
void add_splits(const Parts& parts, MixtureKind kind, std::vector<MixtureParameters>& starts) {
  const std::int64_t n = parts.size();
  for (const double q : {0.04, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96}) {
    const auto cut = static_cast<std::int64_t>(std::llround(q * static_cast<double>(n)));
    if (cut < 2 || n - cut < 2) continue;
    const Part low = parts.part(0, cut), high = parts.part(cut, n);
    starts.push_back(parts.fit(low, high));
    if (kind == MixtureKind::exp_normal) starts.push_back(parts.fit(high, low));
  }
}

/// The middle of the sample against both its ends: a narrow and a wide component of one centre.
void add_concentric(const Parts& parts, MixtureKind kind, std::vector<MixtureParameters>& starts) {
  const std::int64_t n = parts.size();
  for (const double share : {0.3, 0.6, 0.85}) {
    const auto end = static_cast<std::int64_t>(std::llround(0.5 * (1.0 - share) * static_cast<double>(n)));
    if (end < 1 || n - 2 * end < 2) continue;
    const Part middle = parts.part(end, n - end), ends = parts.all() - middle;
    starts.push_back(parts.fit(ends, middle));
    if (kind == MixtureKind::exp_normal) starts.push_back(parts.fit(parts.all(), middle));
  }
}

/// The places with most values above what one component would have there, for windows of several widths: a
/// narrow component for the values inside, and one for the rest. Places are values, or their logarithms for
/// gammas, whose width is proportional to where they stand. `roots[i]` is the square root of the single fit's
/// density at place i; the excess is measured by sqrt(count) - sqrt(expected), which has the same spread
/// everywhere (Freeman & Tukey 1950).
void add_clusters(const Parts& parts, std::span<const double> places, std::span<const double> roots,
                  double narrowest, double widest, std::vector<MixtureParameters>& starts) {
  const auto n = places.size();
  std::vector<double> root_of(n + 1);
  for (std::size_t i = 0; i <= n; ++i) root_of[i] = std::sqrt(static_cast<double>(i));
  // Of large samples every second, third, ... value begins a window.
  const std::size_t stride = 1 + n / 1024;
  std::vector<double> excess((n + stride - 1) / stride);
  std::vector<std::size_t> ends(excess.size());
  for (double sd = 1.3 * narrowest; sd < widest; sd *= 2) {
    const double width = 3 * sd, root_of_width = std::sqrt(width * static_cast<double>(n));
    for (std::size_t i = 0, end = 0; i < ends.size(); ++i) {
      const std::size_t begin = i * stride;
      while (end < n && places[end] - places[begin] <= width) ++end;
      ends[i] = end;
      excess[i] = root_of[end - begin] - roots[(begin + end) / 2] * root_of_width;
    }
    for (int rank = 0; rank < 3; ++rank) {
      const auto best =
          static_cast<std::size_t>(std::max_element(excess.begin(), excess.end()) - excess.begin());
      const std::size_t begin = best * stride, end = ends[best];
      if (!(excess[best] > 0) || end - begin < 3 || end - begin + 3 > n) break;
      const Part cluster = parts.part(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
      starts.push_back(parts.fit(parts.all() - cluster, cluster));
      // Windows that overlap this one are out: they begin before its end, and end behind its beginning.
      for (std::size_t i = (end + stride - 1) / stride; i-- > 0 && ends[i] > begin;) excess[i] = -HUGE_VAL;
    }
  }
}

/// Square roots of the single fit's density, of the logarithm of a value for gammas.
std::vector<double> single_roots(MixtureKind kind, MixtureSample s) {
  const MixtureSingle single = fit_single(kind, s);
  MixtureTerms t{};
  component_terms(component_of(kind, single.component), single.parameters, 1.0, 0, &t);
  std::vector<double> roots(s.values.size());
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const double u = s.values[i] - t.offset[0], log_x = s.log_values.empty() ? 0.0 : s.log_values[i];
    const double v = s.log_values.empty() ? u * u : log_x;
    roots[i] = std::exp(0.5 * (t.a[0] + t.b[0] * u + t.c[0] * v + log_x));
  }
  return roots;
}

}  // namespace

MixtureUnits mixture_units(MixtureKind kind, std::span<const double> ascending) {
  const double low = ascending.front(), high = ascending.back();
  int exponent = 0;
  if (kind != MixtureKind::normal_normal) {
    // Not the largest value's: an outlier would push the others towards the smallest doubles.
    const double middle = ascending[ascending.size() / 2];
    std::frexp(middle > 0.0 ? middle : high, &exponent);
    if (high > 0.0 && std::ilogb(high) - exponent > 300) exponent = std::ilogb(high) - 300;
    return {0.0, std::ldexp(1.0, std::max(exponent, -1000))};
  }
  const double middle = ascending[ascending.size() / 2];
  double squares = 0;
  const double half = std::max(high * 0.5 - middle * 0.5, middle * 0.5 - low * 0.5);  // of the range, at most
  for (const double x : ascending) squares += (x / 2 - middle / 2) / half * ((x / 2 - middle / 2) / half);
  std::frexp(2.0 * half * std::sqrt(squares / static_cast<double>(ascending.size())), &exponent);
  return {middle, std::ldexp(1.0, std::clamp(exponent, -1000, 1000))};
}

MixtureSingle fit_single(MixtureKind kind, MixtureSample s) {
  const auto n = static_cast<double>(s.values.size());
  const Parts parts(kind, s, {0.0, 1e-300, 1e-300, 1e-300, 1e300});
  const auto likelihood = [&](int j, const double* p) {
    switch (component_of(kind, j)) {
      case MixtureComponent::exponential: return -n * (std::log(p[0]) + 1.0);
      case MixtureComponent::normal: return -n * (std::log(p[1]) + kHalfLogTwoPi + 0.5);
      case MixtureComponent::gamma: {
        const double logs = parts.all().logs / n;
        return n * (gamma_terms(p[0]).stirling_gap + p[0] * (logs - std::log(p[1])) - logs);
      }
    }
    return 0.0;
  };
  MixtureSingle best{};
  for (int j = kind == MixtureKind::exp_normal ? 0 : 1; j < 2; ++j) {
    MixtureSingle single{j, {}, 0.0};
    parts.fit(j, parts.all(), single.parameters);
    single.log_likelihood = likelihood(j, single.parameters);
    if (j == 0 || kind != MixtureKind::exp_normal || single.log_likelihood > best.log_likelihood)
      best = single;
  }
  return best;
}

MixtureBounds mixture_bounds(MixtureKind kind, MixtureSample s) {
  const Parts parts(kind, s, {});
  const double n = static_cast<double>(parts.size()), mean = parts.mean(parts.all()),
               sd = parts.sd(parts.all());
  return {std::min(5.0 / n, 0.25), 1e-2 * sd, 1e-6 * mean, 1e-3,
          1e4 * std::max(1.0, (mean / sd) * (mean / sd))};
}

std::vector<MixtureParameters> mixture_starts(MixtureKind kind, MixtureSample s,
                                              const MixtureBounds& bounds) {
  const Parts parts(kind, s, bounds);
  std::vector<MixtureParameters> starts;
  add_splits(parts, kind, starts);
  add_concentric(parts, kind, starts);
  const double sd = parts.sd(parts.all()), mean = parts.mean(parts.all());
  const std::vector<double> roots = single_roots(kind, s);
  if (kind == MixtureKind::gamma_gamma)
    add_clusters(parts, s.log_values, roots, 1.0 / std::sqrt(bounds.shape_high),
                 0.7 * std::min(1.0, sd / mean), starts);
  else add_clusters(parts, s.values, roots, bounds.sd, 0.7 * sd, starts);
  if (kind == MixtureKind::exp_normal) starts.push_back(parts.fit(parts.all(), parts.all()));
  if (kind == MixtureKind::exp_normal) starts.back().weight = 0.5;
  return starts;
}

}  // namespace shoal
