// Signed sums of weights.
#include "mlp/training/weight_check.h"

#include <algorithm>
#include <cmath>

namespace smlp {

IntegerMatrix SignedSum::coefficients(std::size_t inputs, RandomStream random) const {
  const Integer signs = random.bits(inputs);
  IntegerMatrix row(1, inputs);
  for (std::size_t i = 0; i < inputs; ++i)
    row.cells()[i] = mpz_tstbit(signs.get_mpz_t(), i) != 0 ? coefficient : -coefficient;
  return row;
}

SignedSum signed_sum(std::size_t inputs, std::size_t outputs, const Numbers& numbers) {
  const auto k = static_cast<double>(inputs), m = static_cast<double>(outputs);
  const double bound = std::sqrt(2 * k * (std::log(2 * m) + 40 * std::log(2.0)));
  const double threshold = std::min(k, bound);
  const int bits = static_cast<int>(numbers.value_bits);
  // c < 2^(l-2), and as near to that as a power of two: exact enough for any threshold.
  const int shift =
      bits - 2 - static_cast<int>(guard_bits) + static_cast<int>(std::floor(std::log2(threshold)));
  // A little less than the scale that fills L bits: the rescaled sum has an error of one unit.
  const double fill = 1 - std::ldexp(1.0, -std::min(bits - 1, 40));
  return {threshold,
          static_cast<std::int64_t>(std::ldexp(fill / threshold, static_cast<int>(guard_bits) + shift)),
          static_cast<std::size_t>(shift)};
}

}  // namespace smlp
