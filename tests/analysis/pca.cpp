// PCA from arrays: variances against LAPACK's singular values and Jacobi's eigenvalues, components and
// reconstructions against projections by hand, the ranks, the summaries, the journal's mistake, and what is
// refused.
#include "analysis/pca.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/lapack.h"
#include "tests/reference/pca.h"
#include "tests/reference/random.h"

using namespace shoal;

namespace {

constexpr double kUnit = 0x1p-53;

struct Machine {
  std::string name;
  MachineSpec spec;
};
/// Is the GPU without the library for its eigenvalues? It is said.
bool lacks_cusolver() {
  const double two_rows[] = {1.0, 2.0};
  try {
    pca(Calculator({.kind = MachineSpec::Kind::cuda}), MatrixView<double>{two_rows, 2, 1, 1});
  } catch (const DeviceError& e) {
    if (std::string(e.what()).find("libcusolver") == std::string::npos) throw;
    MESSAGE("skipped on cuda: " << e.what());
    return true;
  }
  return false;
}
std::vector<Machine> all_machines() {
  std::vector<Machine> list = {
      {"cpu", {.threads = 1}}, {"cpu, 3 threads", {.threads = 3}}, {"emu", {.kind = MachineSpec::Kind::emu}}};
  if (cuda_status().devices > 0 && !lacks_cusolver())
    list.push_back({"cuda", {.kind = MachineSpec::Kind::cuda}});
  return list;
}

bool without_lapack() {
  if (lapack::why_not().empty()) return false;
  MESSAGE("skipped: " << lapack::why_not());
  return true;
}

struct Data {
  std::int64_t rows;
  int columns;
  std::vector<double> values;
  MatrixView<double> view() const { return {values.data(), rows, columns, columns}; }
};

/// Correlated columns with a steep spectrum around means that are not 0: column c is made of the first
/// columns, and of the `rank` directions the i-th has a share of ratio^i.
Data correlated(std::int64_t rows, int columns, int rank, double ratio, std::uint64_t seed) {
  reference::Draws draws(seed);
  std::vector<double> mixing(static_cast<std::size_t>(rank) * static_cast<std::size_t>(columns));
  for (double& m : mixing) m = draws.uniform(-1.0, 1.0);
  Data data{rows, columns, {}};
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<double> scores;
    for (int i = 0; i < rank; ++i) scores.push_back(std::pow(ratio, i) * draws.uniform(-1.0, 1.0));
    for (int c = 0; c < columns; ++c) {
      double x = 3.0 + c % 4;
      for (int i = 0; i < rank; ++i)
        x += scores[static_cast<std::size_t>(i)] * mixing[static_cast<std::size_t>(i * columns + c)];
      data.values.push_back(x);
    }
  }
  return data;
}

reference::Matrix centred_of(const Data& data) {
  reference::Matrix x = reference::zeros(static_cast<int>(data.rows), data.columns);
  for (std::size_t i = 0; i < data.values.size(); ++i) x.values[i] = data.values[i];
  return reference::minus(x, reference::column_means(x));
}

/// Squared singular values of the centred matrix, divided by n - 1: LAPACK's dgesdd.
std::vector<double> variances_by_svd(const Data& data) {
  const reference::Matrix x = centred_of(data);
  std::vector<double> matrix(x.values.begin(), x.values.end());
  std::vector<double> values(static_cast<std::size_t>(std::min<std::int64_t>(data.rows, data.columns)));
  lapack::singular_values(matrix.data(), values.data(), x.rows, x.columns);
  for (double& v : values) v *= v / static_cast<double>(data.rows - 1);
  return values;
}

std::vector<double> variances_by_jacobi(const Data& data) {
  const reference::Matrix x = centred_of(data), t = reference::transposed(x);
  const bool wide = x.rows < x.columns;
  const reference::Eigenpairs pairs =
      reference::jacobi(wide ? reference::times(x, t) : reference::times(t, x));
  std::vector<double> values;
  for (const auto v : pairs.values) values.push_back(static_cast<double>(v / (data.rows - 1)));
  return values;
}

reference::Matrix directions_of(const Pca& p) {
  const int count = static_cast<int>(p.components.size()) / p.variables;
  reference::Matrix m = reference::zeros(count, p.variables);
  for (std::size_t i = 0; i < p.components.size(); ++i) m.values[i] = p.components[i];
  return m;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return 1e300;
  double worst = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double off = std::abs(a[i] - b[i]);
    if (!(off <= worst)) worst = std::isfinite(off) ? off : 1e300;
  }
  return worst;
}

/// Everything that must hold of a PCA's components.
void see_components(const Data& data, const Pca& p) {
  const reference::Matrix v = directions_of(p), x = centred_of(data);
  const auto k = static_cast<int>(p.explained_variance.size());
  REQUIRE(v.rows == k);
  const double size = p.explained_variance.front(),
               n = static_cast<double>(std::max<std::int64_t>(p.samples, p.variables));
  double angle = 0.0, variance = 0.0;
  const reference::Matrix scores = reference::times(x, reference::transposed(v));
  for (int i = 0; i < k; ++i) {
    for (int j = 0; j < k; ++j) {
      long double product = 0, covariance = 0;
      for (int c = 0; c < v.columns; ++c) product += v.at(i, c) * v.at(j, c);
      for (int r = 0; r < x.rows; ++r) covariance += scores.at(r, i) * scores.at(r, j);
      covariance /= static_cast<long double>(p.samples - 1);
      angle = std::max(angle, std::abs(static_cast<double>(product) - (i == j)));
      // The components are uncorrelated, and each has its variance.
      variance =
          std::max(variance, std::abs(static_cast<double>(covariance) -
                                      (i == j ? p.explained_variance[static_cast<std::size_t>(i)] : 0.0)));
    }
    double low = 0.0, high = 0.0;
    for (int c = 0; c < v.columns; ++c) {
      low = std::min(low, static_cast<double>(v.at(i, c)));
      high = std::max(high, static_cast<double>(v.at(i, c)));
    }
    CHECK(high >= -low);  // the sign
  }
  CHECK(angle <= 20 * n * kUnit);
  CHECK(variance <= 20 * n * kUnit * size + 1e-300);
}

void see_reconstruction(const Data& data, const Pca& p) {
  const auto k = p.explained_variance.size();
  REQUIRE(p.reconstruction_mse.size() == k + 1);
  REQUIRE(p.reconstruction_error.size() == k + 1);
  const reference::Matrix x = centred_of(data), v = directions_of(p);
  const double length = std::sqrt(p.total_variance),
               n = static_cast<double>(std::max<std::int64_t>(p.samples, p.variables));
  for (std::size_t i = 0; i <= k; i += 1 + k / 12) {
    const reference::Distances d = reference::residuals(x, v, static_cast<int>(i));
    CHECK(std::abs(p.reconstruction_mse[i] - static_cast<double>(d.squared)) <=
          40 * n * kUnit * length * (std::sqrt(static_cast<double>(d.squared)) + n * kUnit * length) +
              1e-300);
    CHECK(std::abs(p.reconstruction_error[i] - static_cast<double>(d.plain)) <=
          40 * n * kUnit * length + 1e-300);
  }
  CHECK(p.reconstruction_mse[k] == 0.0);
  for (std::size_t i = 0; i < k; ++i) {
    CHECK(p.reconstruction_mse[i + 1] <= p.reconstruction_mse[i]);
    CHECK(p.reconstruction_error[i + 1] <= p.reconstruction_error[i]);
  }
  // With nothing kept, what is left is the variance: n - 1 of n parts of it.
  const double m = static_cast<double>(p.samples);
  CHECK(std::abs(p.reconstruction_mse[0] - p.total_variance * (m - 1) / m) <=
        40 * n * kUnit * p.total_variance);
}

TEST_CASE("pca: variances are those of dgesdd and of Jacobi within 1e-12 of the largest, on every machine") {
  if (without_lapack()) return;
  struct Case {
    std::int64_t rows;
    int columns, rank;
    double ratio;
  };
  for (const Machine& machine : all_machines()) {
    const Calculator calculator(machine.spec);
    for (const Case& c :
         {Case{2, 1, 1, 1}, Case{2, 3, 2, 1}, Case{60, 1, 1, 1}, Case{100, 7, 7, 0.5}, Case{65, 33, 33, 0.9},
          Case{12, 40, 12, 0.8}, Case{50, 50, 50, 0.8}, Case{70, 20, 5, 0.3}, Case{9, 30, 3, 0.2}}) {
      CAPTURE(machine.name);
      CAPTURE(c.rows);
      CAPTURE(c.columns);
      const Data data = correlated(c.rows, c.columns, c.rank, c.ratio, 17);
      const Pca p = pca(calculator, data.view());
      REQUIRE(p.explained_variance.size() ==
              static_cast<std::size_t>(std::min<std::int64_t>(c.rows, c.columns)));
      CHECK(std::is_sorted(p.explained_variance.rbegin(), p.explained_variance.rend()));
      CHECK(largest_difference(p.explained_variance, variances_by_svd(data)) <=
            1e-12 * p.explained_variance[0]);
      CHECK(largest_difference(p.explained_variance, variances_by_jacobi(data)) <=
            1e-12 * p.explained_variance[0]);
      CHECK(p.rank == std::min<std::int64_t>(c.rank, c.rows - 1));
      see_components(data, p);
      see_reconstruction(data, p);
    }
  }
}

TEST_CASE("pca: float32 data with a stride are the same numbers widened") {
  if (without_lapack()) return;
  reference::Draws draws(3);
  const int rows = 90, columns = 21, stride = 24;
  std::vector<float> floats(static_cast<std::size_t>(rows) * stride, std::numeric_limits<float>::quiet_NaN());
  std::vector<double> doubles;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < columns; ++c) {
      floats[static_cast<std::size_t>(r * stride + c)] = static_cast<float>(draws.uniform(-1.0, 5.0));
      doubles.push_back(floats[static_cast<std::size_t>(r * stride + c)]);
    }
  for (const Machine& machine : all_machines()) {
    CAPTURE(machine.name);
    const Calculator calculator(machine.spec);
    const Pca narrow = pca(calculator, MatrixView<float>{floats.data(), rows, columns, stride});
    const Pca wide = pca(calculator, MatrixView<double>{doubles.data(), rows, columns, columns});
    CHECK(narrow.explained_variance == wide.explained_variance);
    CHECK(narrow.components == wide.components);
    CHECK(narrow.reconstruction_mse == wide.reconstruction_mse);
  }
}

TEST_CASE("pca: the same bits alone, in a batch and on any number of threads") {
  if (without_lapack()) return;
  std::vector<Data> data;
  std::vector<MatrixView<double>> views;
  for (const auto& [rows, columns] : {std::pair{300, 40}, {20, 33}, {300, 40}, {500, 200}})
    data.push_back(correlated(rows, columns, 30, 0.8, 21 + static_cast<std::uint64_t>(columns)));
  for (const Data& d : data) views.push_back(d.view());
  const auto same = [](const Pca& a, const Pca& b) {
    return a.mean == b.mean && a.explained_variance == b.explained_variance && a.components == b.components &&
           a.reconstruction_mse == b.reconstruction_mse && a.reconstruction_error == b.reconstruction_error;
  };
  const Calculator one({.threads = 1}), many({.threads = 4});
  const std::vector<Pca> batch = pca(many, views);
  REQUIRE(batch.size() == views.size());
  for (std::size_t i = 0; i < views.size(); ++i) CHECK(same(batch[i], pca(one, views[i])));
  const PcaSpec variances{.components = false, .reconstruction = false};
  const Pca only = pca(one, views[0], variances);
  CHECK(only.components.empty());
  CHECK(only.reconstruction_mse.empty());
  CHECK(largest_difference(only.explained_variance, batch[0].explained_variance) <=
        1e-12 * only.explained_variance[0]);
}

TEST_CASE("pca: constant and repeated columns have no variance of their own") {
  if (without_lapack()) return;
  Data data = correlated(80, 6, 6, 0.9, 33);
  for (std::int64_t r = 0; r < data.rows; ++r) {
    const auto at = static_cast<std::size_t>(r * 6);
    data.values[at + 1] = 0.1;                   // constant
    data.values[at + 3] = data.values[at];       // repeated
    data.values[at + 5] = -2 * data.values[at];  // a multiple
  }
  for (const Machine& machine : all_machines()) {
    CAPTURE(machine.name);
    const Pca p = pca(Calculator(machine.spec), data.view());
    CHECK(p.rank == 3);
    CHECK(largest_difference(p.explained_variance, variances_by_svd(data)) <=
          1e-12 * p.explained_variance[0]);
    for (const double v : p.explained_variance) CHECK(v >= 0.0);
    see_components(data, p);
    CHECK(p.reconstruction_mse[3] <= 1e-26 * p.total_variance);
  }
}

TEST_CASE("pca: data without any variance") {
  if (without_lapack()) return;
  const Data data{5, 3, std::vector<double>(15, 0.1)};
  const Pca p = pca(Calculator({.threads = 1}), data.view());
  CHECK(p.rank == 0);
  CHECK(p.total_variance == 0.0);
  CHECK(std::isnan(p.participation_ratio));
  CHECK(std::isnan(p.effective_rank));
  CHECK(p.reconstruction_error == std::vector<double>(4, 0.0));
}

TEST_CASE("pca: participation ratio and effective rank of known spectra") {
  if (without_lapack()) return;
  // Columns +-a at right angles: variances a^2 8/7.
  const auto crossed = [](std::vector<double> a) {
    Data data{8, static_cast<int>(a.size()), {}};
    for (int r = 0; r < 8; ++r)
      for (std::size_t c = 0; c < a.size(); ++c) data.values.push_back(r >> c & 1 ? a[c] : -a[c]);
    return data;
  };
  const Calculator calculator({.threads = 1});
  const Pca equal = pca(calculator, crossed({2, 2, 2}).view());
  CHECK(equal.participation_ratio == doctest::Approx(3).epsilon(1e-14));
  CHECK(equal.effective_rank == doctest::Approx(3).epsilon(1e-14));
  const Pca one = pca(calculator, crossed({2, 0, 0}).view());
  CHECK(one.participation_ratio == doctest::Approx(1).epsilon(1e-14));
  CHECK(one.effective_rank == doctest::Approx(1).epsilon(1e-14));
  CHECK(one.rank == 1);
  // Shares 2/3, 1/3 (a^2 = 2, 1): (sum)^2 / sum of squares = 9/5, exp(entropy) = 3 / 2^(2/3).
  const Pca two = pca(calculator, crossed({std::sqrt(2.0), 1, 0}).view());
  CHECK(two.explained_variance[0] == doctest::Approx(16.0 / 7).epsilon(1e-14));
  CHECK(two.explained_variance_ratio[1] == doctest::Approx(1.0 / 3).epsilon(1e-14));
  CHECK(two.participation_ratio == doctest::Approx(1.8).epsilon(1e-14));
  CHECK(two.effective_rank == doctest::Approx(3 / std::cbrt(4.0)).epsilon(1e-14));
}

TEST_CASE("pca: the journal's procedure projects on the columns of the components") {
  if (without_lapack()) return;
  const Data data = correlated(400, 30, 30, 0.7, 41);
  for (const Machine& machine : all_machines()) {
    CAPTURE(machine.name);
    const Calculator calculator(machine.spec);
    const Pca p = pca(calculator, data.view());
    const Reconstruction right = reconstruct(calculator, data.view(), p);
    CHECK(right.mse == p.reconstruction_mse);
    const Reconstruction wrong = reconstruct(calculator, data.view(), p, PcaProcedure::journal_columns);
    const reference::Matrix x = centred_of(data), columns = reference::transposed(directions_of(p));
    for (const int k : {0, 1, 3, 10, 29, 30}) {
      const reference::Distances d = reference::residuals(x, columns, k);
      const auto i = static_cast<std::size_t>(k);
      CHECK(std::abs(wrong.mse[i] - static_cast<double>(d.squared)) <= 1e-11 * p.total_variance);
      CHECK(std::abs(wrong.error[i] - static_cast<double>(d.plain)) <= 1e-11 * std::sqrt(p.total_variance));
    }
    // Columns of an orthogonal matrix have nothing to do with the data: a third of them leaves far more.
    CHECK(wrong.mse[10] > 0.3 * wrong.mse[0]);
    CHECK(right.mse[10] < 0.01 * right.mse[0]);
  }
  const Data wide = correlated(10, 30, 9, 0.7, 43);
  const Calculator calculator({.threads = 1});
  CHECK_THROWS_AS(
      reconstruct(calculator, wide.view(), pca(calculator, wide.view()), PcaProcedure::journal_columns),
      std::invalid_argument);
}

TEST_CASE("pca: keeping components of a matrix is the projection, right and as the journal did it") {
  if (without_lapack()) return;
  const Data data = correlated(200, 27, 27, 0.8, 51);
  reference::Draws draws(53);
  const int columns = 70;
  std::vector<double> m;
  for (int i = 0; i < 27 * columns; ++i) m.push_back(draws.uniform(-1.0, 1.0));
  for (const Machine& machine : all_machines()) {
    CAPTURE(machine.name);
    const Calculator calculator(machine.spec);
    const Pca p = pca(calculator, data.view());
    for (const PcaProcedure procedure : {PcaProcedure::principal, PcaProcedure::journal_columns})
      for (const int k : {0, 1, 13, 27}) {
        const std::vector<double> kept =
            keep_components(calculator, p, k, {m.data(), 27, columns, columns}, procedure);
        double worst = 0.0;
        for (int r = 0; r < 27; ++r)
          for (int c = 0; c < columns; ++c) {
            long double sum = 0;
            for (int i = 0; i < k; ++i)
              for (int j = 0; j < 27; ++j) {
                const auto v = [&](int component, int variable) {
                  return procedure == PcaProcedure::principal
                             ? p.components[static_cast<std::size_t>(component * 27 + variable)]
                             : p.components[static_cast<std::size_t>(variable * 27 + component)];
                };
                sum += static_cast<long double>(v(i, r)) * v(i, j) *
                       m[static_cast<std::size_t>(j * columns + c)];
              }
            const double off =
                std::abs(kept[static_cast<std::size_t>(r * columns + c)] - static_cast<double>(sum));
            if (!(off <= worst)) worst = off;
          }
        CHECK(worst <= 27 * 27 * kUnit);
      }
    CHECK_THROWS_AS(keep_components(calculator, p, 28, {m.data(), 27, columns, columns}),
                    std::invalid_argument);
    CHECK_THROWS_AS(keep_components(calculator, p, 1, {m.data(), 26, columns, columns}),
                    std::invalid_argument);
  }
}

TEST_CASE("pca: what it refuses, in a sentence") {
  const Calculator calculator({.threads = 1});
  const auto said = [&](Data data) {
    try {
      pca(calculator, data.view());
    } catch (const std::invalid_argument& e) { return std::string(e.what()); }
    return std::string();
  };
  CHECK(said({0, 3, {0}}).find("none") != std::string::npos);
  CHECK(said({1, 3, {1, 2, 3}}).find("at least 2 samples") != std::string::npos);
  CHECK(said({3, 0, {0}}).find("variable") != std::string::npos);
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  CHECK(said({2, 3, {1, 2, 3, 4, nan, 6}}).find("column 1") != std::string::npos);
  CHECK(said({2, 3, {1, 2, infinity, 4, 5, 6}}).find("column 2") != std::string::npos);
  CHECK(said({2, 2, {1e200, 2, -1e200, 4}}).find("overflow") != std::string::npos);
  Data data = correlated(5, 3, 3, 1, 1);
  const MatrixView<double> narrow{data.values.data(), 5, 3, 2};
  CHECK_THROWS_AS(pca(calculator, narrow), std::invalid_argument);
}

}  // namespace
