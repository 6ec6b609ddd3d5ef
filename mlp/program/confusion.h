// How a classifier confuses classes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protocols/matrix.h"

namespace smlp {

struct Confusion {
  std::vector<std::string> names;  ///< of the classes
  Matrix<std::size_t> counts;      ///< row: true class; column: answer

  /// Throws Error when the lists differ in length or name a class that there is not.
  Confusion(std::vector<std::string> class_names, const std::vector<std::size_t>& truth,
            const std::vector<std::size_t>& answers);
  /// The counts, a list for each true class.
  std::vector<std::vector<std::size_t>> count_rows() const;
  /// Part of the rows that were answered right.
  double accuracy() const;
  /// Part of the rows of the class that were answered right, and of the answers of the class that are right;
  /// nan where there are no such rows or answers.
  double recall(std::size_t of_class) const;
  double precision(std::size_t of_class) const;
  /// Harmonic mean of both: 2 right / (rows + answers); nan where there are neither.
  double f1(std::size_t of_class) const;
  std::size_t rows(std::size_t of_class) const;
  std::size_t answers(std::size_t of_class) const;
  /// A table, one line a class, with a heading; long names are cut.
  std::vector<std::string> lines() const;
  /// Rows, recall, precision and F1 of each class, one line a class, with a heading.
  std::vector<std::string> class_lines() const;
};

}  // namespace smlp
