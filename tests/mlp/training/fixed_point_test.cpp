// Fixed point: rounding, range, one-hot labels.
#include "mlp/training/fixed_point.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {
constexpr Numbers narrow{.value_bits = 12, .fraction_bits = 4, .sigma = 40};  // |v| < 128
}

TEST_CASE("a value becomes the nearest multiple of 2^-f") {
  CHECK(encode(1.0, narrow, "x") == 16);
  CHECK(encode(-1.5, narrow, "x") == -24);
  CHECK(encode(0.03, narrow, "x") == 0);
  CHECK(encode(0.04, narrow, "x") == 1);
  CHECK(encode(1.0 / 32, narrow, "x") == 1);  // a half goes away from zero
  CHECK(encode(-1.0 / 32, narrow, "x") == -1);
  CHECK(encode(-0.0, narrow, "x") == 0);
  CHECK(decode(-24, narrow) == -1.5);
  for (int i = -2047; i <= 2047; i += 13) CHECK(encode(decode(i, narrow), narrow, "x") == i);
}

TEST_CASE("a value outside l bits is refused by name") {
  CHECK(encode(127.9375, narrow, "x") == 2047);
  CHECK(encode(-127.9375, narrow, "x") == -2047);
  for (const double value : {128.0, -128.0, 127.97, 1e300, static_cast<double>(INFINITY), std::nan("")})
    CHECK(contains(message_of([&] { encode(value, narrow, "the weight"); }), "the weight is "));
  const std::string message = message_of([&] { encode(128, narrow, "x"); });
  CHECK(message ==
        "x is 128, its magnitude must be below 128; encrypt the training table with more --value-bits, "
        "fewer --fraction-bits or another --scaling");

  Matrix<double> values(2, 3);
  values(1, 2) = 500;
  CHECK(contains(message_of([&] {
                   encode(values, narrow, {"a", "b", "age"});
                 }),
                 "row 2, column 'age' is 500"));
  CHECK(contains(message_of([&] { encode(values, narrow); }), "row 2, column 3 is 500"));
  CHECK(contains(message_of([&] { check_encodable(values, narrow); }), "row 2, column 3 is 500"));
  values(1, 2) = 5;
  CHECK_NOTHROW(check_encodable(values, narrow));
}

TEST_CASE("the widest numbers are exact to a double's digits") {
  const Numbers wide{.value_bits = 60, .fraction_bits = 58, .sigma = 40};
  const double value = 1.9999999999999998;  // 2 - 2^-52
  CHECK(encode(value, wide, "x") == power_of_two(59) - power_of_two(6));
  CHECK(decode(encode(value, wide, "x"), wide) == value);
  CHECK_THROWS_AS(encode(2.0, wide, "x"), Error);
  // 53 bits stay, further ones go toward zero.
  CHECK(decode(power_of_two(53) - 1, wide) == std::ldexp(9007199254740991.0, -58));
  CHECK(decode(power_of_two(59) - 1, wide) == value);
  CHECK(decode(1 - power_of_two(59), wide) == -value);
}

TEST_CASE("matrices and one-hot labels") {
  Matrix<double> values(2, 2);
  values.cells() = {0.5, -0.5, 2, 0};
  const IntegerMatrix encoded = encode(values, narrow);
  CHECK(encoded.cells() == std::vector<Integer>{8, -8, 32, 0});
  CHECK(decode(encoded, narrow) == values);
}
