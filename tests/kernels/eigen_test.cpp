// Eigenvectors of symmetric matrices and orthonormal rows: ops that call a library, which may be missing.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "kernels/eigen.h"
#include "kernels/lapack.h"
#include "kernels/orthonormalize.h"
#include "tests/kernels/arena.h"
#include "tests/kernels/tolerance.h"
#include "tests/reference/pca.h"
#include "tests/reference/random.h"

namespace shoal::test {
namespace {

constexpr double kUnit = 0x1p-53;

/// Whether this machine's eigenvalues need a library that is not here, which is said. A GPU needs cuSOLVER.
bool lacks_library(const TestMachine& machine) {
  if (machine.name != "cuda") {
    if (!lapack::why_not().empty()) MESSAGE("skipped on " << machine.name << ": " << lapack::why_not());
    return !lapack::why_not().empty();
  }
  Arena arena(machine);
  const EigenTask one{arena.put(std::vector<double>{1.0}, "matrix"), arena.room<double>(1, "value"), 1};
  try {
    machine.statistics.eigen({&one, 1, 0}, arena.stream());
  } catch (const DeviceError& e) {
    if (std::string(e.what()).find("libcusolver") == std::string::npos) throw;
    MESSAGE("skipped on cuda: " << e.what());
    return true;
  }
  return false;
}

TEST_CASE("eigen: values ascend, vectors are orthonormal and belong to them, sizes may differ") {
  for (const TestMachine& machine : machines()) {
    if (lacks_library(machine)) continue;
    for (const int vectors : {1, 0}) {
      CAPTURE(machine.name);
      Arena arena(machine);
      reference::Draws draws(11);
      std::vector<reference::Matrix> matrices;
      std::vector<EigenTask> tasks;
      for (const int n : {1, 2, 5, 33, 33}) {
        reference::Matrix m = reference::zeros(n, n);
        for (int i = 0; i < n; ++i)
          for (int j = 0; j <= i; ++j) m.at(i, j) = m.at(j, i) = draws.uniform(-1.0, 1.0);
        std::vector<double> values;
        for (const auto v : m.values) values.push_back(static_cast<double>(v));
        tasks.push_back(
            {arena.put(values, "matrix"), arena.room<double>(static_cast<std::size_t>(n), "values"), n});
        matrices.push_back(std::move(m));
      }
      machine.statistics.eigen({tasks.data(), static_cast<int>(tasks.size()), vectors}, arena.stream());
      Worst worst;
      for (std::size_t t = 0; t < tasks.size(); ++t) {
        const int n = tasks[t].size;
        const reference::Eigenpairs expected = reference::jacobi(matrices[t]);
        const std::vector<double> values = arena.get(tasks[t].values), v = arena.get(tasks[t].matrix);
        const double size = std::max(std::abs(static_cast<double>(expected.values.front())),
                                     std::abs(static_cast<double>(expected.values.back())));
        const double tolerance = 10 * n * kUnit * size;  // LAPACK Users' Guide, section 4.7, with p(n) = 10 n
        for (int i = 0; i < n; ++i) {
          worst.see(values[static_cast<std::size_t>(i)],
                    static_cast<double>(expected.values[static_cast<std::size_t>(n - 1 - i)]), tolerance,
                    static_cast<int>(t), 0, 0, i);
          if (!vectors) continue;
          for (int j = 0; j < n; ++j) {
            long double product = 0, image = 0;
            for (int k = 0; k < n; ++k) {
              product += static_cast<long double>(v[static_cast<std::size_t>(i * n + k)]) *
                         v[static_cast<std::size_t>(j * n + k)];
              image += matrices[t].at(j, k) * v[static_cast<std::size_t>(i * n + k)];
            }
            worst.see(static_cast<double>(product), i == j ? 1.0 : 0.0, 10 * n * kUnit, static_cast<int>(t),
                      1, i, j);
            worst.see(static_cast<double>(image),
                      values[static_cast<std::size_t>(i)] * v[static_cast<std::size_t>(i * n + j)],
                      2 * tolerance, static_cast<int>(t), 2, i, j);
          }
        }
      }
      CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
      CHECK(arena.touched() == "");
    }
  }
}

TEST_CASE("orthonormalize: rows at right angles, the first ones kept, also where they repeat") {
  for (const TestMachine& machine : machines()) {
    if (lacks_library(machine)) continue;
    CAPTURE(machine.name);
    Arena arena(machine);
    const int count = 6, length = 40;
    reference::Draws draws(13);
    std::vector<double> given;
    for (int i = 0; i < count * length; ++i) given.push_back(draws.uniform(-1.0, 1.0));
    for (int c = 0; c < length; ++c) {
      given[static_cast<std::size_t>(3 * length + c)] = given[static_cast<std::size_t>(c)];  // repeated
      given[static_cast<std::size_t>(5 * length + c)] = 0.0;                                 // nothing
    }
    double* rows = arena.put(given, "rows");
    machine.statistics.orthonormalize({rows, count, length}, arena.stream());
    const std::vector<double> q = arena.get(rows);
    Worst worst;
    for (int i = 0; i < count; ++i)
      for (int j = 0; j < count; ++j) {
        long double product = 0;
        for (int k = 0; k < length; ++k)
          product += static_cast<long double>(q[static_cast<std::size_t>(i * length + k)]) *
                     q[static_cast<std::size_t>(j * length + k)];
        worst.see(static_cast<double>(product), i == j ? 1.0 : 0.0, 10 * length * kUnit, 0, 0, i, j);
      }
    long double norm = 0, along = 0;
    for (int k = 0; k < length; ++k) {
      norm +=
          static_cast<long double>(given[static_cast<std::size_t>(k)]) * given[static_cast<std::size_t>(k)];
      along += static_cast<long double>(given[static_cast<std::size_t>(k)]) * q[static_cast<std::size_t>(k)];
    }
    worst.see(std::abs(static_cast<double>(along)), static_cast<double>(std::sqrt(norm)), 10 * length * kUnit,
              0, 1, 0, 0);
    CHECK_MESSAGE(worst.ok(), worst.where, ", ", worst.ratio, " tolerances");
    CHECK(arena.touched() == "");
  }
}

}  // namespace
}  // namespace shoal::test
