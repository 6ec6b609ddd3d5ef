// A dense row-major matrix of plain values.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

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

}  // namespace smlp
