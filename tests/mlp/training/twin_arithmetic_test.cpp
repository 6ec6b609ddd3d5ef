// The twin's rounding: unbiased, and off by less than one.
#include "mlp/training/twin_arithmetic.h"

#include <doctest/doctest.h>

#include <cmath>

#include "mlp/training/fixed_point.h"

using namespace smlp;

TEST_CASE("a product rounds to a neighbour, up with the probability of the dropped fraction") {
  const BitBudget budget({20, 10, 40}, 16, 512);
  TwinArithmetic twin(budget, RandomSource::from_seed(8));
  WordMatrix a(1, 2), b(2, 1);
  a(0, 0) = 700, a(0, 1) = -5, b(0, 0) = 333, b(1, 0) = 77;
  const double exact = (700.0 * 333 - 5.0 * 77) / 1024;  // 227.26..
  double sum = 0;
  constexpr std::uint32_t draws = 4000;
  for (std::uint32_t step = 0; step < draws; ++step) {
    const double got = static_cast<double>(twin.product({step, 0, Direction::forward}, a, b)(0, 0));
    CHECK((got == std::floor(exact) || got == std::floor(exact) + 1));
    sum += got;
  }
  // Standard error 0.44 / sqrt(4000) = 0.007; five of them.
  CHECK(std::abs(sum / draws - exact) < 0.035);
}

TEST_CASE("exact multiples never move") {
  const BitBudget budget({20, 10, 40}, 16, 512);
  TwinArithmetic twin(budget, RandomSource::from_seed(9));
  WordMatrix a(1, 1, 1024), b(1, 1, -37);
  for (std::uint32_t step = 0; step < 100; ++step)
    CHECK(twin.product({step, 0, Direction::forward}, a, b)(0, 0) == -37);
}

TEST_CASE("sums that two words cannot hold are exact, and told when they leave their range") {
  const BitBudget budget({60, 10, 40}, 64, 1024);
  TwinArithmetic twin(budget, RandomSource::from_seed(10));
  constexpr std::int64_t large = std::int64_t{1} << 58;
  WordMatrix a(1, 64, large), b(64, 1, large);
  CHECK_THROWS_WITH_AS(twin.product({0, 0, Direction::forward}, a, b),
                       "the forward product of layer 1 in step 1 reaches 5192296858534827628530496329220096, "
                       "outside the 60 bits of --value-bits; raise --value-bits, lower --fraction-bits or "
                       "--learning-rate, or scale the data",
                       LeftRange);  // 64 2^58 2^58 / 2^10
  twin.forget_widest_bits();
  for (std::size_t i = 0; i < 64; i += 2) b(i, 0) = -large;
  b(0, 0) = 3 - large;
  CHECK(twin.product({1, 0, Direction::forward}, a, b)(0, 0) == 3 * (large >> 10));
}
