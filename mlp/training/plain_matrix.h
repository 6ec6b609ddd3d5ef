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

/// So many matrices of as many rows that stand under each other in `m`.
template <typename T>
std::vector<Matrix<T>> unstacked(const Matrix<T>& m, std::size_t parts) {
  std::vector<Matrix<T>> out(parts, Matrix<T>(m.rows() / parts, m.cols()));
  for (std::size_t i = 0; i < m.size(); ++i)
    out[i / out.front().size()].cells()[i % out.front().size()] = m.cells()[i];
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

}  // namespace smlp
