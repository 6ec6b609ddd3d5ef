// Operations that the arithmetics in the clear share, for doubles and integers alike.
#pragma once

#include <string>
#include <vector>

#include "paillier/error.h"
#include "protocols/matrix.h"

namespace smlp {

/// operation(a_ij, b_ij). Throws Error when the shapes differ.
template <typename T, typename Operation>
Matrix<T> cell_by_cell(const Matrix<T>& a, const Matrix<T>& b, Operation&& operation) {
  if (a.rows() != b.rows() || a.cols() != b.cols())
    throw Error("matrices of " + std::to_string(a.rows()) + " x " + std::to_string(a.cols()) + " and " +
                std::to_string(b.rows()) + " x " + std::to_string(b.cols()) + " cells were combined");
  Matrix<T> out(a.rows(), a.cols());
  for (std::size_t i = 0; i < out.size(); ++i) out.cells()[i] = operation(a.cells()[i], b.cells()[i]);
  return out;
}

/// [m | value].
template <typename T>
Matrix<T> with_constant_column(const Matrix<T>& m, const T& value) {
  Matrix<T> out(m.rows(), m.cols() + 1, value);
  for (std::size_t i = 0; i < m.rows(); ++i)
    for (std::size_t j = 0; j < m.cols(); ++j) out(i, j) = m(i, j);
  return out;
}

template <typename T>
Matrix<T> without_last_row(const Matrix<T>& m) {
  Matrix<T> out(m.rows() - 1, m.cols());
  for (std::size_t i = 0; i < out.size(); ++i) out.cells()[i] = m.cells()[i];
  return out;
}

/// The matrices on top of each other. Throws Error when their columns differ in number.
template <typename T>
Matrix<T> stack_plain(const std::vector<Matrix<T>>& parts) {
  std::size_t rows = 0;
  for (const Matrix<T>& part : parts) rows += part.rows();
  const std::size_t cols = parts.empty() ? 0 : parts.front().cols();
  Matrix<T> out(rows, cols);
  std::size_t next = 0;
  for (const Matrix<T>& part : parts) {
    if (part.cols() != cols) throw Error("matrices of different widths were stacked");
    for (const T& cell : part.cells()) out.cells()[next++] = cell;
  }
  return out;
}

}  // namespace smlp
