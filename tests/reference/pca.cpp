#include "tests/reference/pca.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace reference {

Matrix zeros(int rows, int columns) {
  return {rows, columns, std::vector<Real>(static_cast<std::size_t>(rows) * columns)};
}

std::vector<Real> column_means(const Matrix& x) {
  std::vector<Real> means(x.columns);
  for (int c = 0; c < x.columns; ++c) {
    for (int r = 0; r < x.rows; ++r) means[c] += x.at(r, c);
    means[c] /= x.rows;
  }
  return means;
}

Matrix minus(const Matrix& x, const std::vector<Real>& means) {
  Matrix out = x;
  for (int r = 0; r < x.rows; ++r)
    for (int c = 0; c < x.columns; ++c) out.at(r, c) -= means[c];
  return out;
}

Matrix transposed(const Matrix& x) {
  Matrix out = zeros(x.columns, x.rows);
  for (int r = 0; r < x.rows; ++r)
    for (int c = 0; c < x.columns; ++c) out.at(c, r) = x.at(r, c);
  return out;
}

Matrix times(const Matrix& a, const Matrix& b) {
  Matrix out = zeros(a.rows, b.columns);
  for (int i = 0; i < a.rows; ++i)
    for (int k = 0; k < a.columns; ++k)
      for (int j = 0; j < b.columns; ++j) out.at(i, j) += a.at(i, k) * b.at(k, j);
  return out;
}

Eigenpairs jacobi(Matrix a) {
  const int n = a.rows;
  Matrix v = zeros(n, n);
  for (int i = 0; i < n; ++i) v.at(i, i) = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    Real off = 0, all = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) (i == j ? all : off) += a.at(i, j) * a.at(i, j);
    if (off <= all * 1e-40L) break;
    for (int p = 0; p < n; ++p)
      for (int q = p + 1; q < n; ++q) {
        if (a.at(p, q) == 0) continue;
        const Real theta = (a.at(q, q) - a.at(p, p)) / (2 * a.at(p, q));
        const Real t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const Real c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (int k = 0; k < n; ++k) {
          const Real x = a.at(k, p), y = a.at(k, q);
          a.at(k, p) = c * x - s * y, a.at(k, q) = s * x + c * y;
        }
        for (int k = 0; k < n; ++k) {
          const Real x = a.at(p, k), y = a.at(q, k);
          a.at(p, k) = c * x - s * y, a.at(q, k) = s * x + c * y;
          const Real u = v.at(p, k), w = v.at(q, k);
          v.at(p, k) = c * u - s * w, v.at(q, k) = s * u + c * w;
        }
      }
  }
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int i, int j) { return a.at(i, i) > a.at(j, j); });
  Eigenpairs result{{}, zeros(n, n)};
  for (int i = 0; i < n; ++i) {
    result.values.push_back(a.at(order[i], order[i]));
    for (int k = 0; k < n; ++k) result.vectors.at(i, k) = v.at(order[i], k);
  }
  return result;
}

Distances residuals(const Matrix& centred, const Matrix& directions, int k) {
  Distances d;
  for (int r = 0; r < centred.rows; ++r) {
    std::vector<Real> left(centred.columns);
    for (int c = 0; c < centred.columns; ++c) left[c] = centred.at(r, c);
    for (int i = 0; i < k; ++i) {
      Real score = 0;
      for (int c = 0; c < centred.columns; ++c) score += centred.at(r, c) * directions.at(i, c);
      for (int c = 0; c < centred.columns; ++c) left[c] -= score * directions.at(i, c);
    }
    Real square = 0;
    for (const Real x : left) square += x * x;
    d.squared += square / centred.rows;
    d.plain += std::sqrt(square) / centred.rows;
  }
  return d;
}

}  // namespace reference
