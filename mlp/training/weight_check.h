// How the ranges of weights are checked without a comparison of each: by one signed sum of the weights of a
// neuron.
//
// For weights |w_i| <= 2^(l-1) and k fair signs, |sum +-w_i| is at most k 2^(l-1), and by Hoeffding's
// inequality at least T 2^(l-1), T = sqrt(2 k ln(2 m 2^40)), in any of m sums with probability 2^-40 at most.
// So the sum is scaled by 2^guard_bits / min(k, T), and is then in the L bits that a range check admits. A
// weight |w| >= min(k, T) 2^(l-1) is found with probability 1/2 at least: of the two sums that differ in its
// sign alone, one is as large as w.
#pragma once

#include <cstdint>

#include "paillier/random.h"
#include "protocols/bit_budget.h"
#include "protocols/matrix.h"

namespace smlp {

struct SignedSum {
  double threshold;          ///< min(k, T): in units of 2^(l-1)
  std::int64_t coefficient;  ///< +-c; below 2^(l-1)
  std::size_t shift;         ///< c / 2^shift is the scale, a little less than 2^guard_bits / threshold

  /// A row of k coefficients with signs drawn from `random`.
  IntegerMatrix coefficients(std::size_t inputs, RandomStream random) const;
};

/// For a layer of `inputs` >= 1 weights for each of `outputs` >= 1 neurons.
SignedSum signed_sum(std::size_t inputs, std::size_t outputs, const Numbers& numbers);

}  // namespace smlp
