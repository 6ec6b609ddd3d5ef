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
  /// Part of the rows that were answered right.
  double accuracy() const;
  /// A table, one line a class, with a heading; long names are cut.
  std::vector<std::string> lines() const;
};

}  // namespace smlp
