// Plain matrix products against the schoolbook.
#include "protocols/integer_product.h"

#include <doctest/doctest.h>

#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("integer product: equals the schoolbook product for all sizes and signs") {
  RandomStream random = RandomSource::from_seed(4).stream({});
  for (const auto& [m, k, n] :
       {std::array<std::size_t, 3>{1, 1, 1}, {3, 8, 2}, {5, 4, 7}, {1, 9, 1}, {6, 1, 6}})
    for (const std::size_t bits : {1U, 8U, 57U, 63U, 64U, 65U, 80U, 117U, 118U, 124U, 125U, 128U, 200U}) {
      const IntegerMatrix a = random_matrix(m, k, bits, random);
      const IntegerMatrix b = random_matrix(k, n, bits + 7, random);
      CHECK(integer_product(a, b) == naive_product(a, b));
    }
}

TEST_CASE("integer product: extremes and zeros") {
  const Integer big = power_of_two(300);
  IntegerMatrix a(2, 2);
  a(0, 0) = big;
  a(1, 1) = -big;
  CHECK(integer_product(a, a) == naive_product(a, a));
  CHECK(integer_product(IntegerMatrix(3, 2), IntegerMatrix(2, 4)) == IntegerMatrix(3, 4));
}

TEST_CASE(
    "integer product: the largest words, added up often, of one word and of two, and the first that are "
    "none") {
  const Integer largest = power_of_two(63) - 1;
  for (const Integer& value :
       {largest, Integer(largest + 1), Integer(1 - power_of_two(64)), Integer(power_of_two(124) - 1),
        Integer(-power_of_two(124) + 1), power_of_two(124)}) {
    IntegerMatrix a(2, 1000), b(1000, 2);
    for (std::size_t k = 0; k < 1000; ++k) {
      a(0, k) = value;
      a(1, k) = -value;
      b(k, 0) = value;
      b(k, 1) = k % 2 == 0 ? value : Integer(-value);
    }
    CHECK(integer_product(a, b) == naive_product(a, b));
  }
}

TEST_CASE("integer product: shapes that do not meet are refused") {
  CHECK(error_of([] { integer_product(IntegerMatrix(2, 3), IntegerMatrix(4, 5)); }) ==
        "a product of 2 x 3 and 4 x 5 matrices: inner dimensions differ");
}
