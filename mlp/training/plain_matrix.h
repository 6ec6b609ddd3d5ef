// Operations that the arithmetics in the clear share, for doubles and integers alike.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "paillier/error.h"
#include "protocols/matrix.h"
#include "protocols/operation_id.h"

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

/// What is the same in every arithmetic in the clear.
template <typename Cell>
class PlainArithmetic {
 public:
  using Matrix = smlp::Matrix<Cell>;

  /// `one` as its cells have it.
  explicit PlainArithmetic(Cell one) : one_(std::move(one)) {}

  Matrix labels(const OperationId&, std::size_t, const std::vector<Matrix>& parts) const {
    return stacked(parts);
  }
  Matrix features(const OperationId&, const std::vector<std::size_t>&,
                  const std::vector<Matrix>& parts) const {
    return with_bias_input(stacked(parts));
  }
  const Matrix& open_once(const Matrix& m) const { return m; }
  const Matrix& weights_for(const Matrix& m, std::size_t, std::size_t) const { return m; }
  const Matrix& gathered(const OperationId&, const Matrix& m) const { return m; }
  const Matrix& stored(const OperationId&, const Matrix& m) const { return m; }
  Matrix stacked(const std::vector<Matrix>& parts) const { return smlp::stacked(parts); }
  std::vector<Matrix> unstacked(const Matrix& m, std::size_t parts) const {
    return smlp::unstacked(m, parts);
  }
  Matrix with_bias_input(const Matrix& m) const { return with_constant_column(m, one_); }
  Matrix without_bias(const Matrix& m) const { return m.first_rows(m.rows() - 1); }
  Matrix transposed(const Matrix& m) const { return m.transposed(); }
  // Doubles have no ranges; the twin checks every range at once.
  std::function<void()> check_activations(std::uint32_t) const {
    return [] {};
  }
  void check_weights(std::uint32_t, const std::vector<Matrix>&) const {}

 private:
  Cell one_;
};

}  // namespace smlp
