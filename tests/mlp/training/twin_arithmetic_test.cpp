// The twin's rounding: unbiased, and off by less than one.
#include "mlp/training/twin_arithmetic.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace smlp;

TEST_CASE("a product rounds to a neighbour, up with the probability of the dropped fraction") {
  const BitBudget budget({20, 10, 40}, 16, 512);
  TwinArithmetic twin(budget, RandomSource::from_seed(8));
  IntegerMatrix a(1, 2), b(2, 1);
  a(0, 0) = 700, a(0, 1) = -5, b(0, 0) = 333, b(1, 0) = 77;
  const double exact = (700.0 * 333 - 5.0 * 77) / 1024;  // 227.26..
  double sum = 0;
  constexpr std::uint32_t draws = 4000;
  for (std::uint32_t step = 0; step < draws; ++step) {
    const double got = twin.product({step, 0, Direction::forward}, a, b)(0, 0).get_d();
    CHECK((got == std::floor(exact) || got == std::floor(exact) + 1));
    sum += got;
  }
  // Standard error 0.44 / sqrt(4000) = 0.007; five of them.
  CHECK(std::abs(sum / draws - exact) < 0.035);
}

TEST_CASE("exact multiples never move") {
  const BitBudget budget({20, 10, 40}, 16, 512);
  TwinArithmetic twin(budget, RandomSource::from_seed(9));
  IntegerMatrix a(1, 1, 1024), b(1, 1, -37);
  for (std::uint32_t step = 0; step < 100; ++step)
    CHECK(twin.product({step, 0, Direction::forward}, a, b)(0, 0) == -37);
}
