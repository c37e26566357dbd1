// The ops under a principal component analysis, each against long double: Gram matrices, weighted sums of
// rows, residuals for every k. Eigenvectors and orthonormal rows: eigen_test.cpp.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "kernels/covariance.h"
#include "kernels/residuals.h"
#include "tests/kernels/arena.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/pca.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

constexpr double kUnit = 0x1p-53;

/// A sum of n products of centred values, in runs: in any order off by at most this share of the sum of the
/// products' sizes. Centring rounds each factor once.
double product_tolerance(double n, double magnitude) { return (n + 4) * kUnit * magnitude + 1e-300; }

/// Which of an op's arrays hold the matrix.
enum class Kind { floats, doubles };

/// A matrix on a machine, with a stride beyond its columns, and the same in long double.
struct Data {
  Data(Arena& arena, int rows, int columns, Kind kind, std::uint64_t seed) {
    const int stride = columns + 3;
    reference::Draws draws(seed);
    std::vector<float> floats(static_cast<std::size_t>(rows) * static_cast<std::size_t>(stride), NAN);
    std::vector<double> doubles(floats.size(), NAN), means;
    values = reference::zeros(rows, columns);
    for (int c = 0; c < columns; ++c) means.push_back(draws.uniform(-2.0, 2.0));
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c) {
        const auto at =
            static_cast<std::size_t>(r) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(c);
        doubles[at] = draws.uniform(-1.0, 1.0) * (1 + c % 3) + means[static_cast<std::size_t>(c)];
        floats[at] = static_cast<float>(doubles[at]);
        const double value = kind == Kind::floats ? static_cast<double>(floats[at]) : doubles[at];
        values.at(r, c) = static_cast<long double>(value) - means[static_cast<std::size_t>(c)];
      }
    matrix = {kind == Kind::floats ? arena.put(floats, "floats") : nullptr,
              kind == Kind::doubles ? arena.put(doubles, "doubles") : nullptr,
              arena.put(means, "means"),
              rows,
              stride,
              columns};
  }
  CentredMatrix matrix;
  reference::Matrix values;  // centred
};

reference::Matrix magnitudes(reference::Matrix m) {
  for (auto& v : m.values) v = std::abs(v);
  return m;
}

struct Shape {
  int rows, columns;
};

/// Tiles of one edge, on and below the diagonal.
std::vector<GramTile> tiles_of(int task, int size, int edge) {
  std::vector<GramTile> tiles;
  for (int r = 0; r < size; r += edge)
    for (int c = 0; c <= r; c += edge) tiles.push_back({task, r, c});
  return tiles;
}

double* scratch_of(Arena& arena, const TestMachine& machine, std::size_t doubles) {
  return machine.is_device ? nullptr : arena.room<double>(doubles, "scratch");
}

TEST_CASE("covariance: Gram matrices of columns and of rows, many in one launch") {
  for (const TestMachine& machine : machines())
    for (const int by_rows : {0, 1}) {
      CAPTURE(machine.name);
      CAPTURE(by_rows);
      Arena arena(machine);
      std::vector<Shape> shapes = {{1, 1}, {2, 3}, {7, 16}, {16, 7}, {130, 17}, {65, 64}, {33, 66}};
      if (!machine.is_emulated) shapes.insert(shapes.end(), {{300, 193}, {200, 385}, {257, 48}});
      const int edge = machine.is_device ? kGramEdgeDevice : kGramEdgeCpu;
      std::vector<Data> data;
      std::vector<GramTask> tasks;
      std::vector<GramTile> tiles;
      for (const Shape& s : shapes) {
        const int task = static_cast<int>(tasks.size()), size = by_rows ? s.rows : s.columns;
        data.emplace_back(arena, s.rows, s.columns, task % 2 ? Kind::doubles : Kind::floats, 100 + task);
        double* gram =
            arena.room<double>(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), "gram");
        tasks.push_back({data.back().matrix, gram, size, by_rows});
        for (const GramTile& t : tiles_of(task, size, edge)) tiles.push_back(t);
      }
      machine.statistics.covariance(
          {arena.put(tasks, "tasks"), arena.put(tiles, "tiles"), static_cast<int>(tiles.size()),
           scratch_of(arena, machine, kGramScratch)},
          arena.stream());
      Worst worst;
      bool mirrored = true;
      for (std::size_t t = 0; t < tasks.size(); ++t) {
        const reference::Matrix x = by_rows ? reference::transposed(data[t].values) : data[t].values;
        const reference::Matrix expected = reference::times(reference::transposed(x), x);
        const reference::Matrix size = reference::times(reference::transposed(magnitudes(x)), magnitudes(x));
        const std::vector<double> gram = arena.get(tasks[t].gram);
        for (int i = 0; i < tasks[t].size; ++i)
          for (int j = 0; j < tasks[t].size; ++j) {
            const auto at = static_cast<std::size_t>(i * tasks[t].size + j);
            // A value of up to 5 around a mean of up to 2 is centred with a rounding of its own size.
            worst.see(gram[at], static_cast<double>(expected.at(i, j)),
                      product_tolerance(x.rows, static_cast<double>(size.at(i, j)) + x.rows),
                      static_cast<int>(t), 0, i, j);
            mirrored &= gram[at] == gram[static_cast<std::size_t>(j * tasks[t].size + i)];
          }
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      CHECK(mirrored);
      CHECK(arena.touched() == "");
    }
}

TEST_CASE("covariance: the bits of an element do not depend on the tiles beside it or on the schedule") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    std::vector<std::vector<double>> results;
    for (int schedule = 0; schedule < (machine.is_emulated ? kSchedules : 2); ++schedule) {
      const Schedule order(machine, schedule);
      Arena arena(machine);
      const Data data(arena, 150, 70, Kind::floats, 7);
      double* gram = arena.room<double>(70 * 70, "gram");
      const GramTask task{data.matrix, gram, 70, 0};
      std::vector<GramTile> tiles = tiles_of(0, 70, machine.is_device ? kGramEdgeDevice : kGramEdgeCpu);
      if (schedule % 2) tiles = {tiles.rbegin(), tiles.rend()};
      const GramTask* tasks = arena.put(std::vector<GramTask>{task}, "tasks");
      const GramTile* placed = arena.put(tiles, "tiles");
      double* scratch = scratch_of(arena, machine, kGramScratch);
      if (machine.is_device)
        machine.statistics.covariance({tasks, placed, static_cast<int>(tiles.size()), scratch},
                                      arena.stream());
      else
        for (std::size_t i = 0; i < tiles.size(); ++i)
          machine.statistics.covariance({tasks, placed + i, 1, scratch}, arena.stream());
      results.push_back(arena.get(gram));
    }
    for (const auto& r : results)
      CHECK(std::memcmp(r.data(), results[0].data(), r.size() * sizeof(double)) == 0);
  }
}

TEST_CASE("combine: weighted sums of the rows") {
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Arena arena(machine);
    const int edge = machine.is_device ? kGramEdgeDevice : kGramEdgeCpu;
    std::vector<Data> data;
    std::vector<CombineTask> tasks;
    std::vector<CombineTile> tiles;
    std::vector<reference::Matrix> weights;
    std::vector<Shape> shapes = {{2, 5}, {17, 70}, {66, 67}, {130, 140}};
    if (!machine.is_emulated) shapes.push_back({200, 400});
    reference::Draws draws(5);
    for (const Shape& s : shapes) {
      const int task = static_cast<int>(tasks.size()), count = s.rows - task % 2;
      data.emplace_back(arena, s.rows, s.columns, task % 2 ? Kind::floats : Kind::doubles, 200 + task);
      weights.push_back(reference::zeros(count, s.rows));
      std::vector<double> w;
      for (auto& v : weights.back().values) w.push_back(draws.uniform(-1.0, 1.0)), v = w.back();
      tasks.push_back(
          {data.back().matrix, arena.put(w, "weights"),
           arena.room<double>(static_cast<std::size_t>(count) * static_cast<std::size_t>(s.columns), "sums"),
           count});
      for (int r = 0; r < count; r += edge)
        for (int c = 0; c < s.columns; c += edge) tiles.push_back({task, r, c});
    }
    machine.statistics.combine({arena.put(tasks, "tasks"), arena.put(tiles, "tiles"),
                                static_cast<int>(tiles.size()), scratch_of(arena, machine, kGramScratch)},
                               arena.stream());
    Worst worst;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const reference::Matrix expected = reference::times(weights[t], data[t].values);
      const reference::Matrix size = reference::times(magnitudes(weights[t]), magnitudes(data[t].values));
      const std::vector<double> sums = arena.get(tasks[t].sums);
      for (int i = 0; i < expected.rows; ++i)
        for (int j = 0; j < expected.columns; ++j)
          worst.see(sums[static_cast<std::size_t>(i * expected.columns + j)],
                    static_cast<double>(expected.at(i, j)),
                    product_tolerance(data[t].values.rows,
                                      static_cast<double>(size.at(i, j)) + data[t].values.rows),
                    static_cast<int>(t), 0, i, j);
    }
    CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    CHECK(arena.touched() == "");
  }
}

/// Orthonormal rows: the eigenvectors of some symmetric matrix.
reference::Matrix directions_of(int n, std::uint64_t seed) {
  reference::Draws draws(seed);
  reference::Matrix m = reference::zeros(n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) m.at(i, j) = m.at(j, i) = draws.uniform(-1.0, 1.0);
  return reference::jacobi(m).vectors;
}

TEST_CASE("residuals: distances to the first k directions, for every k") {
  for (const TestMachine& machine : machines())
    for (const int by_columns : {0, 1}) {
      CAPTURE(machine.name);
      CAPTURE(by_columns);
      Arena arena(machine);
      const int block_rows = machine.is_device ? kResidualRowsDevice : kResidualRowsCpu;
      std::vector<Data> data;
      std::vector<reference::Matrix> directions;
      std::vector<ResidualTask> tasks;
      std::vector<ResidualBlock> blocks;
      std::vector<Shape> shapes = {{1, 1}, {3, 5}, {40, 17}, {9, 48}, {33, 65}};
      if (!machine.is_emulated) shapes.insert(shapes.end(), {{500, 25}, {385, 49}});
      int most = 0;
      for (const Shape& s : shapes) {
        const int task = static_cast<int>(tasks.size()), count = s.columns;
        most = std::max(most, count);
        data.emplace_back(arena, s.rows, s.columns, task % 2 ? Kind::floats : Kind::doubles, 300 + task);
        directions.push_back(directions_of(s.columns, 400 + task));
        const reference::Matrix placed =
            by_columns ? reference::transposed(directions.back()) : directions.back();
        std::vector<double> v;
        for (const auto x : placed.values) v.push_back(static_cast<double>(x));
        const int number = (s.rows + block_rows - 1) / block_rows;
        const auto width = 2 * (static_cast<std::size_t>(count) + 1);
        tasks.push_back({data.back().matrix, arena.put(v, "directions"), count, by_columns,
                         arena.room<double>(static_cast<std::size_t>(number) * width, "partials"),
                         arena.room<double>(width, "totals")});
        for (int b = 0; b < number; ++b) blocks.push_back({task, b * block_rows});
      }
      const ResidualTask* placed = arena.put(tasks, "tasks");
      machine.statistics.residuals(
          {placed, arena.put(blocks, "blocks"), static_cast<int>(blocks.size()),
           scratch_of(arena, machine, static_cast<std::size_t>(residual_scratch(most)))},
          arena.stream());
      machine.statistics.residual_sums({placed, static_cast<int>(tasks.size()), block_rows}, arena.stream());
      Worst worst;
      for (std::size_t t = 0; t < tasks.size(); ++t) {
        const std::vector<double> totals = arena.get(tasks[t].totals);
        const reference::Matrix& x = data[t].values;
        const double n = x.rows, d = x.columns;
        const int count = tasks[t].count;
        for (int k = 0; k <= count; k += 1 + count / 20) {
          const reference::Distances expected = reference::residuals(x, directions[t], k);
          // A score is off by the roundings of d products and of its direction, all below 6 sqrt(d) in size:
          // so is the length of what is left; its square by twice the length times that.
          const double off = (d + 8) * kUnit * 6 * std::sqrt(d) * std::sqrt(d),
                       length = static_cast<double>(expected.plain);
          worst.see(totals[static_cast<std::size_t>(k)], n * static_cast<double>(expected.squared),
                    n * (2 * off * std::sqrt(static_cast<double>(expected.squared)) + off * off +
                         (n + d) * kUnit * static_cast<double>(expected.squared)),
                    static_cast<int>(t), 0, 0, k);
          worst.see(totals[static_cast<std::size_t>(count + 1 + k)], n * length,
                    n * (off + (n + d) * kUnit * length), static_cast<int>(t), 1, 0, k);
        }
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      CHECK(arena.touched() == "");
    }
}

TEST_CASE("residuals: what is left of nearly nothing does not cancel") {
  // Two directions carry 1, a third 1e-9 of it: what the first two leave is 1e-18 of the variance, which a
  // difference of variances would lose entirely.
  for (const TestMachine& machine : machines()) {
    CAPTURE(machine.name);
    Arena arena(machine);
    reference::Draws draws(9);
    const int rows = 40;
    std::vector<double> values;
    long double squares = 0;
    for (int r = 0; r < rows; ++r) {
      values.insert(values.end(), {draws.uniform(-1, 1), draws.uniform(-1, 1), 1e-9 * draws.uniform(-1, 1)});
      squares += static_cast<long double>(values.back()) * values.back();
    }
    const int block_rows = machine.is_device ? kResidualRowsDevice : kResidualRowsCpu;
    const int number = (rows + block_rows - 1) / block_rows;
    const ResidualTask task{
        {nullptr, arena.put(values, "values"), arena.put(std::vector<double>(3, 0.0), "means"), rows, 3, 3},
        arena.put(std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1}, "directions"),
        3,
        0,
        arena.room<double>(static_cast<std::size_t>(number) * 8, "partials"),
        arena.room<double>(8, "totals")};
    std::vector<ResidualBlock> blocks;
    for (int b = 0; b < number; ++b) blocks.push_back({0, b * block_rows});
    const ResidualTask* placed = arena.put(std::vector<ResidualTask>{task}, "tasks");
    machine.statistics.residuals({placed, arena.put(blocks, "blocks"), number,
                                  scratch_of(arena, machine, static_cast<std::size_t>(residual_scratch(3)))},
                                 arena.stream());
    machine.statistics.residual_sums({placed, 1, block_rows}, arena.stream());
    const std::vector<double> totals = arena.get(task.totals);
    CHECK(std::abs(totals[2] / static_cast<double>(squares) - 1) <= rows * 4 * kUnit);
    CHECK(totals[3] == 0.0);
    CHECK(totals[7] == 0.0);
  }
}

}  // namespace
}  // namespace shoal::test
