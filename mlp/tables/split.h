// Orders and splits of rows.
#pragma once

#include <cstddef>
#include <vector>

#include "paillier/random.h"

namespace smlp {

/// A uniform permutation of 0 .. count-1 (Fisher and Yates).
std::vector<std::size_t> shuffled(std::size_t count, RandomStream& random);

struct Split {
  std::vector<std::size_t> train;  ///< row indices, ascending
  std::vector<std::size_t> test;
};

/// Splits each class by itself: round(fraction * rows of the class) random rows of it go to the test part, at
/// least one to each side where the class has two rows or more; a class of one row stays in training.
/// `classes` is the class of each row. Throws Error unless 0 < fraction < 1 and both parts get a row.
Split stratified_split(const std::vector<std::size_t>& classes, double fraction, const RandomSource& random);

}  // namespace smlp
