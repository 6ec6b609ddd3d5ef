// What the outputs of a network are to be, row by row.
#pragma once

#include <cstddef>
#include <vector>

#include "mlp/task.h"
#include "protocols/bit_budget.h"
#include "protocols/matrix.h"

namespace smlp {

/// A class of each row, or with regression a scaled number; neither without labels.
struct Targets {
  Task task = Task::classification;
  std::size_t outputs = 0;           ///< classes, or 1 with regression; 0 without labels
  std::vector<std::size_t> classes;  ///< indices
  std::vector<double> numbers;

  bool operator==(const Targets&) const = default;
  std::size_t rows() const { return task == Task::classification ? classes.size() : numbers.size(); }
  bool empty() const { return rows() == 0; }
  /// Of these rows: rows x outputs, one-hot or the number.
  Matrix<double> of_rows(const std::vector<std::size_t>& rows) const;
  /// Of every row.
  Matrix<double> all() const;
  /// Throws Error naming the row: a class that is none of `outputs`, a number outside l bits.
  void check(const Numbers& numbers) const;
};

Targets class_targets(std::vector<std::size_t> classes, std::size_t count);
Targets number_targets(std::vector<double> numbers);

}  // namespace smlp
