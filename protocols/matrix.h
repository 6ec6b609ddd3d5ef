// A dense row-major matrix of plain values.
#pragma once

#include <cstddef>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "paillier/error.h"
#include "paillier/integer.h"

namespace smlp {

template <typename T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::size_t rows, std::size_t cols, T value = T())
      : rows_(rows), cols_(cols), cells_(rows * cols, value) {}

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t size() const { return cells_.size(); }
  T& operator()(std::size_t row, std::size_t col) { return cells_[row * cols_ + col]; }
  const T& operator()(std::size_t row, std::size_t col) const { return cells_[row * cols_ + col]; }
  std::vector<T>& cells() { return cells_; }
  const std::vector<T>& cells() const { return cells_; }
  bool operator==(const Matrix&) const = default;

  /// Throws Error for more rows than there are.
  Matrix first_rows(std::size_t count) const {
    if (count > rows_)
      throw Error("a matrix of " + std::to_string(rows_) + " rows has no first " + std::to_string(count));
    Matrix out(count, cols_);
    for (std::size_t cell = 0; cell < out.size(); ++cell) out.cells_[cell] = cells_[cell];
    return out;
  }

  /// `count` rows from `first` on. Throws Error where there are fewer.
  Matrix rows_from(std::size_t first, std::size_t count) const {
    if (first > rows_ || count > rows_ - first)
      throw Error("a matrix of " + std::to_string(rows_) + " rows has no " + std::to_string(count) +
                  " from row " + std::to_string(first) + " on");
    Matrix out(count, cols_);
    for (std::size_t cell = 0; cell < out.size(); ++cell) out.cells_[cell] = cells_[first * cols_ + cell];
    return out;
  }

  Matrix transposed() const {
    Matrix out(cols_, rows_);
    for (std::size_t i = 0; i < rows_; ++i)
      for (std::size_t j = 0; j < cols_; ++j) out(j, i) = (*this)(i, j);
    return out;
  }

 private:
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::vector<T> cells_;
};

using IntegerMatrix = Matrix<Integer>;

/// The matrices under each other; none give 0 x 0. Throws Error when their columns differ in number.
template <std::ranges::forward_range Matrices>
std::ranges::range_value_t<Matrices> stacked(const Matrices& parts) {
  const std::size_t cols = std::ranges::empty(parts) ? 0 : (*std::ranges::begin(parts)).cols();
  std::size_t rows = 0, next = 0;
  for (const auto& part : parts) {
    if (part.cols() != cols)
      throw Error("matrices of " + std::to_string(cols) + " and " + std::to_string(part.cols()) +
                  " columns cannot be stacked");
    rows += part.rows();
  }
  std::ranges::range_value_t<Matrices> out(rows, cols);
  for (const auto& part : parts)
    for (const auto& cell : part.cells()) out.cells()[next++] = cell;
  return out;
}

}  // namespace smlp
