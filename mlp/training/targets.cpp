// Targets of rows.
#include "mlp/training/targets.h"

#include <numeric>

#include "mlp/training/fixed_point.h"

namespace smlp {

Matrix<double> Targets::of_rows(const std::vector<std::size_t>& rows) const {
  Matrix<double> out(rows.size(), outputs);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (task == Task::classification)
      out(i, classes[rows[i]]) = 1;
    else
      out(i, 0) = numbers[rows[i]];
  }
  return out;
}

Matrix<double> Targets::all() const {
  std::vector<std::size_t> every(rows());
  std::iota(every.begin(), every.end(), std::size_t{0});
  return of_rows(every);
}

void Targets::check(const Numbers& bits) const {
  if (outputs == 0) throw Error("a table with labels needs at least one class");
  if (task == Task::regression) return check_encodable(all(), bits, {"label"});
  for (std::size_t i = 0; i < classes.size(); ++i)
    if (classes[i] >= outputs)
      throw Error("row " + std::to_string(i + 1) + " is of class number " + std::to_string(classes[i]) +
                  ", there are " + std::to_string(outputs));
}

Targets class_targets(std::vector<std::size_t> classes, std::size_t count) {
  return {Task::classification, count, std::move(classes), {}};
}

Targets number_targets(std::vector<double> numbers) {
  return {Task::regression, 1, {}, std::move(numbers)};
}

}  // namespace smlp
