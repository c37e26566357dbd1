#include "analysis/pca.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "analysis/moments.h"
#include "analysis/tile_queue.h"

namespace shoal {
namespace {

constexpr int kLargest = 16384;      // of min(n, d): its square of doubles is 2 GiB
constexpr double kFarthest = 1e140;  // between two values of a column
/// Doubles of Gram matrices that are computed in one launch, unless a single one needs more.
constexpr std::size_t kGramRoom = std::size_t{1} << 28;

std::size_t extent_of(std::int64_t rows, std::int64_t stride, int columns) {
  return static_cast<std::size_t>((rows - 1) * stride + columns);
}

template <class T>
void check_shape(MatrixView<T> x) {
  if (x.rows < 2)
    throw std::invalid_argument("a PCA needs at least 2 samples, and there " +
                                std::string(x.rows == 1 ? "is 1" : "are none"));
  if (x.columns < 1) throw std::invalid_argument("a PCA needs at least one variable, and there is none");
  if (x.stride < x.columns) throw std::invalid_argument("a matrix's stride is not below its columns");
  if (std::min<std::int64_t>(x.rows, x.columns) > kLargest)
    throw std::invalid_argument("a PCA takes up to " + std::to_string(kLargest) +
                                " samples or variables, whichever are fewer: there are " +
                                std::to_string(x.rows) + " samples of " + std::to_string(x.columns));
}

/// Brings what an op wrote to the host.
void copy_out(const Calculator& calculator, const double* from, std::span<double> to) {
  if (to.empty()) return;
  if (const DeviceMachine* device = calculator.device())
    device->memory.download(to.data(), from, to.size_bytes(), calculator.stream());
  else std::copy_n(from, to.size(), to.begin());
}

/// Means of the columns; all values finite, and their squares too.
template <class T>
std::vector<double> means_of(const Calculator& calculator, MatrixView<T> x) {
  std::vector<double> means;
  for (const ShapeMoments& m : column_moments(calculator, x)) {
    if (!std::isfinite(m.mean) || !std::isfinite(m.min) || !std::isfinite(m.max))
      throw std::invalid_argument("a PCA takes finite numbers, and column " + std::to_string(means.size()) +
                                  " (counted from 0) holds a NaN or an infinity");
    if (!(m.max - m.min <= kFarthest))
      throw std::invalid_argument("column " + std::to_string(means.size()) +
                                  " (counted from 0) spreads so far that the squares of its values overflow");
    means.push_back(m.mean);
  }
  return means;
}

/// A centred matrix where the ops can read it.
template <class T>
class Placed {
 public:
  Placed(const Calculator& calculator, MatrixView<T> x, std::span<const double> means)
      : view_(x),
        values_(calculator, {x.values, extent_of(x.rows, x.stride, x.columns)}),
        means_(calculator, means) {}
  CentredMatrix centred() const {
    CentredMatrix m{nullptr, nullptr, means_.get(), view_.rows, view_.stride, view_.columns};
    if constexpr (std::is_same_v<T, float>) m.floats = values_.get();
    else m.doubles = values_.get();
    return m;
  }

 private:
  MatrixView<T> view_;
  Input<T> values_;
  Input<double> means_;
};

/// Tiles on and below the diagonal, those with the most work first.
std::vector<GramTile> gram_tiles(std::span<const GramTask> tasks, int edge) {
  std::vector<GramTile> tiles;
  for (int t = 0; t < static_cast<int>(tasks.size()); ++t)
    for (int row = 0; row < tasks[static_cast<std::size_t>(t)].size; row += edge)
      for (int column = 0; column <= row; column += edge) tiles.push_back({t, row, column});
  const auto work = [&](const GramTile& tile) {
    const GramTask& task = tasks[static_cast<std::size_t>(tile.task)];
    const auto terms = static_cast<double>(task.by_rows ? task.x.columns : task.x.rows);
    const double rows = std::min(edge, task.size - tile.row),
                 columns = std::min(edge, task.size - tile.column);
    return terms * rows * columns * (tile.row == tile.column ? 0.5 : 1.0);
  };
  std::stable_sort(tiles.begin(), tiles.end(),
                   [&](const GramTile& a, const GramTile& b) { return work(a) > work(b); });
  return tiles;
}

/// Eigenvalues (ascending) and, row by row, eigenvectors of the Gram matrices of a batch.
struct Spectrum {
  std::vector<double> values, vectors;
};

template <class T>
std::vector<Spectrum> spectra_of(const Calculator& calculator, std::span<const Placed<T>> placed,
                                 bool vectors) {
  std::vector<GramTask> grams;
  std::size_t gram_room = 0, value_room = 0;
  for (const Placed<T>& p : placed) {
    const CentredMatrix x = p.centred();
    const bool by_rows = x.rows < x.columns;
    const int size = by_rows ? static_cast<int>(x.rows) : x.columns;
    grams.push_back({x, nullptr, size, by_rows});
    gram_room += static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
    value_room += static_cast<std::size_t>(size);
  }
  const Scratch<double> matrices(calculator, gram_room), values(calculator, value_room);
  std::vector<EigenTask> eigen;
  double *matrix = matrices.get(), *value = values.get();
  for (GramTask& g : grams) {
    g.gram = matrix;
    eigen.push_back({matrix, value, g.size});
    matrix += static_cast<std::size_t>(g.size) * static_cast<std::size_t>(g.size);
    value += g.size;
  }
  const Input<GramTask> tasks(calculator, grams);
  const std::vector<GramTile> tiles = gram_tiles(grams, calculator.device() ? kGramEdgeDevice : kGramEdgeCpu);
  run_tiles<GramTile>(calculator, tiles, kGramScratch, [&](const GramTile* some, int count, double* scratch) {
    calculator.ops().covariance({tasks.get(), some, count, scratch}, calculator.stream());
  });
  if (calculator.device())
    calculator.ops().eigen({eigen.data(), static_cast<int>(eigen.size()), vectors}, calculator.stream());
  else
    calculator.for_each(static_cast<int>(eigen.size()), [&](int i) {
      calculator.ops().eigen({eigen.data() + i, 1, vectors}, nullptr);
    });
  std::vector<Spectrum> spectra;
  for (const EigenTask& e : eigen) {
    const auto size = static_cast<std::size_t>(e.size);
    Spectrum s{std::vector<double>(size), std::vector<double>(vectors ? size * size : 0)};
    copy_out(calculator, e.values, std::span(s.values));
    copy_out(calculator, e.matrix, std::span(s.vectors));
    spectra.push_back(std::move(s));
  }
  return spectra;
}

/// Rows in the opposite order: eigenvalues ascend, components descend.
std::vector<double> reversed_rows(std::vector<double> rows, std::size_t length) {
  for (std::size_t i = 0, j = rows.size() / length - 1; i < j; ++i, --j)
    std::swap_ranges(rows.begin() + static_cast<std::ptrdiff_t>(i * length),
                     rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * length),
                     rows.begin() + static_cast<std::ptrdiff_t>(j * length));
  return rows;
}

/// Makes the largest entry of each component positive.
void fix_signs(const Calculator& calculator, std::vector<double>& components, std::size_t length) {
  calculator.for_each(static_cast<int>(components.size() / length), [&](int i) {
    const std::span row = std::span(components).subspan(static_cast<std::size_t>(i) * length, length);
    const double largest = *std::max_element(row.begin(), row.end(),
                                             [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (!(largest < 0)) return;
    for (double& v : row) v = -v;
  });
}

/// sums [count][x.columns] = weights [count][x.rows] times x.
void weighted_sums(const Calculator& calculator, const CentredMatrix& x, const double* weights, int count,
                   double* sums) {
  const int edge = calculator.device() ? kGramEdgeDevice : kGramEdgeCpu;
  const CombineTask task{x, weights, sums, count};
  const Input<CombineTask> tasks(calculator, {&task, 1});
  std::vector<CombineTile> tiles;
  for (int row = 0; row < count; row += edge)
    for (int column = 0; column < x.columns; column += edge) tiles.push_back({0, row, column});
  run_tiles<CombineTile>(
      calculator, tiles, kGramScratch, [&](const CombineTile* some, int number, double* scratch) {
        calculator.ops().combine({tasks.get(), some, number, scratch}, calculator.stream());
      });
}

/// From the eigenvectors of the rows' Gram matrix (descending) to components: component i is along the sum of
/// the samples weighted with vector i. Those of small variances are not quite at right angles, and those
/// without variance are nothing, until they are made orthonormal from the first on.
template <class T>
std::vector<double> components_of_rows(const Calculator& calculator, const Placed<T>& placed,
                                       std::span<const double> vectors) {
  const CentredMatrix x = placed.centred();
  const int count = static_cast<int>(x.rows);
  std::vector<double> components(static_cast<std::size_t>(count) * static_cast<std::size_t>(x.columns));
  const Input<double> weights(calculator, vectors);
  const Output<double> sums(calculator, components);
  weighted_sums(calculator, x, weights.get(), count, sums.get());
  calculator.ops().orthonormalize({sums.get(), count, x.columns}, calculator.stream());
  sums.fetch();
  return components;
}

/// What follows from the eigenvalues of the Gram matrix, ascending.
void describe_spectrum(std::span<const double> eigenvalues, Pca& p) {
  const auto n = static_cast<double>(p.samples);
  double total = 0.0, squares = 0.0, entropy = 0.0;
  for (std::size_t i = eigenvalues.size(); i-- > 0;) {
    p.clamped += eigenvalues[i] < 0.0;
    p.explained_variance.push_back(std::max(0.0, eigenvalues[i] / (n - 1.0)));
  }
  for (std::size_t i = p.explained_variance.size(); i-- > 0;)
    total += p.explained_variance[i];  // small first
  const double tolerance = std::max(n, static_cast<double>(p.variables)) *
                           std::numeric_limits<double>::epsilon() * p.explained_variance.front();
  for (const double v : p.explained_variance) {
    const double share = v / total;
    p.explained_variance_ratio.push_back(share);
    squares += share * share;
    if (share > 0.0) entropy -= share * std::log(share);
    p.rank += v > tolerance;
  }
  const bool any = total > 0.0;
  p.total_variance = total;
  p.participation_ratio = any ? 1.0 / squares : std::numeric_limits<double>::quiet_NaN();
  p.effective_rank = any ? std::exp(entropy) : std::numeric_limits<double>::quiet_NaN();
}

template <class T>
Reconstruction reconstruct_placed(const Calculator& calculator, const Placed<T>& placed,
                                  std::span<const double> components, int count, PcaProcedure procedure) {
  const CentredMatrix x = placed.centred();
  const int rows = calculator.device() ? kResidualRowsDevice : kResidualRowsCpu;
  const std::int64_t block_count = (x.rows + rows - 1) / rows;
  const auto width = static_cast<std::size_t>(count) + 1;
  std::vector<double> totals(2 * width);
  const Input<double> directions(calculator, components);
  const Scratch<double> partials(calculator, static_cast<std::size_t>(block_count) * 2 * width);
  const Output<double> sums(calculator, totals);
  const ResidualTask task{
      x, directions.get(), count, procedure == PcaProcedure::journal_columns, partials.get(), sums.get()};
  const Input<ResidualTask> tasks(calculator, {&task, 1});
  std::vector<ResidualBlock> blocks;
  for (std::int64_t b = 0; b < block_count; ++b) blocks.push_back({0, b * rows});
  run_tiles<ResidualBlock>(
      calculator, blocks, static_cast<std::size_t>(residual_scratch(count)),
      [&](const ResidualBlock* some, int number, double* scratch) {
        calculator.ops().residuals({tasks.get(), some, number, scratch}, calculator.stream());
      });
  calculator.ops().residual_sums({tasks.get(), 1, rows}, calculator.stream());
  sums.fetch();
  Reconstruction r;
  for (std::size_t k = 0; k < width; ++k) {
    r.mse.push_back(totals[k] / static_cast<double>(x.rows));
    r.error.push_back(totals[width + k] / static_cast<double>(x.rows));
  }
  return r;
}

/// Matrices first .. last of a batch that fit into one launch.
template <class T>
void pca_of_group(const Calculator& calculator, std::span<const MatrixView<T>> group, const PcaSpec& spec,
                  std::vector<Pca>& results) {
  std::vector<Placed<T>> placed;
  const std::size_t first = results.size();
  for (const MatrixView<T> x : group) {
    Pca p;
    p.samples = x.rows, p.variables = x.columns;
    p.mean = means_of(calculator, x);
    placed.emplace_back(calculator, x, p.mean);
    results.push_back(std::move(p));
  }
  const bool vectors = spec.components || spec.reconstruction;
  std::vector<Spectrum> spectra = spectra_of<T>(calculator, placed, vectors);
  for (std::size_t i = 0; i < group.size(); ++i) {
    Pca& p = results[first + i];
    describe_spectrum(spectra[i].values, p);
    if (!vectors) continue;
    const auto size = spectra[i].values.size(), length = static_cast<std::size_t>(p.variables);
    p.components = reversed_rows(std::move(spectra[i].vectors), size);
    if (p.samples < p.variables) p.components = components_of_rows(calculator, placed[i], p.components);
    fix_signs(calculator, p.components, length);
    if (spec.reconstruction) {
      Reconstruction r = reconstruct_placed(calculator, placed[i], p.components, static_cast<int>(size),
                                            PcaProcedure::principal);
      p.reconstruction_mse = std::move(r.mse), p.reconstruction_error = std::move(r.error);
    }
    if (!spec.components) p.components.clear();
  }
}

template <class T>
std::vector<Pca> pca_of(const Calculator& calculator, std::span<const MatrixView<T>> matrices,
                        const PcaSpec& spec) {
  for (const MatrixView<T> x : matrices) check_shape(x);
  std::vector<Pca> results;
  for (std::size_t first = 0, last = 0; first < matrices.size(); first = last) {
    std::size_t room = 0;
    for (; last < matrices.size(); ++last) {
      const MatrixView<T>& x = matrices[last];
      const auto size = static_cast<std::size_t>(std::min<std::int64_t>(x.rows, x.columns));
      // On a device the matrix itself takes room, too.
      const std::size_t needed =
          size * size + (calculator.device() ? extent_of(x.rows, x.stride, x.columns) : 0);
      if (last > first && room + needed > kGramRoom) break;
      room += needed;
    }
    pca_of_group(calculator, matrices.subspan(first, last - first), spec, results);
  }
  return results;
}

/// How many components there are; std::invalid_argument where they do not fit.
std::size_t count_components(const Pca& p, std::int64_t variables, PcaProcedure procedure) {
  const auto length = static_cast<std::size_t>(p.variables);
  if (variables != p.variables || p.mean.size() != length || p.components.empty() ||
      p.components.size() % length != 0)
    throw std::invalid_argument("components of a PCA of as many variables are needed: there are " +
                                std::to_string(variables) + " variables, and components of " +
                                std::to_string(p.components.empty() ? 0 : p.variables));
  const std::size_t count = p.components.size() / length;
  if (procedure == PcaProcedure::journal_columns && count != length)
    throw std::invalid_argument("the journal's procedure needs as many components as variables: " +
                                std::to_string(count) + " and " + std::to_string(length));
  return count;
}

template <class T>
Reconstruction reconstruct_with(const Calculator& calculator, MatrixView<T> x, const Pca& p,
                                PcaProcedure procedure) {
  if (x.rows < 1) throw std::invalid_argument("there is no sample to reconstruct");
  const std::size_t count = count_components(p, x.columns, procedure);
  means_of(calculator, x);  // refuses what is not finite
  const Placed<T> placed(calculator, x, p.mean);
  return reconstruct_placed(calculator, placed, p.components, static_cast<int>(count), procedure);
}

}  // namespace

std::vector<Pca> pca(const Calculator& calculator, std::span<const MatrixView<float>> matrices,
                     const PcaSpec& spec) {
  return pca_of(calculator, matrices, spec);
}
std::vector<Pca> pca(const Calculator& calculator, std::span<const MatrixView<double>> matrices,
                     const PcaSpec& spec) {
  return pca_of(calculator, matrices, spec);
}
Pca pca(const Calculator& calculator, MatrixView<float> x, const PcaSpec& spec) {
  return std::move(pca_of<float>(calculator, {&x, 1}, spec).front());
}
Pca pca(const Calculator& calculator, MatrixView<double> x, const PcaSpec& spec) {
  return std::move(pca_of<double>(calculator, {&x, 1}, spec).front());
}

Reconstruction reconstruct(const Calculator& calculator, MatrixView<float> x, const Pca& p,
                           PcaProcedure procedure) {
  return reconstruct_with(calculator, x, p, procedure);
}
Reconstruction reconstruct(const Calculator& calculator, MatrixView<double> x, const Pca& p,
                           PcaProcedure procedure) {
  return reconstruct_with(calculator, x, p, procedure);
}

std::vector<double> keep_components(const Calculator& calculator, const Pca& p, int k, MatrixView<double> m,
                                    PcaProcedure procedure) {
  const std::size_t all = count_components(p, m.rows, procedure);
  if (k < 0 || static_cast<std::size_t>(k) > all || m.columns < 1 || m.stride < m.columns)
    throw std::invalid_argument(std::to_string(k) + " of " + std::to_string(all) +
                                " components cannot be kept");
  const auto length = static_cast<std::size_t>(p.variables), count = static_cast<std::size_t>(k),
             columns = static_cast<std::size_t>(m.columns);
  std::vector<double> kept(length * columns);
  if (k == 0) return kept;
  std::vector<double> rows(count * length), transposed(length * count), scores(count * columns);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < length; ++j)
      transposed[j * count + i] = rows[i * length + j] =
          procedure == PcaProcedure::principal ? p.components[i * length + j] : p.components[j * length + i];
  const Input<double> values(calculator, {m.values, extent_of(m.rows, m.stride, m.columns)}),
      first(calculator, rows), second(calculator, transposed);
  const Output<double> middle(calculator, scores), result(calculator, kept);
  weighted_sums(calculator, {nullptr, values.get(), nullptr, m.rows, m.stride, m.columns}, first.get(), k,
                middle.get());
  weighted_sums(calculator, {nullptr, middle.get(), nullptr, k, m.columns, m.columns}, second.get(),
                p.variables, result.get());
  result.fetch();
  return kept;
}

}  // namespace shoal
