// The modular kernels: exhaustive for tiny moduli, GMP's mpz_powm for large ones.
#include "paillier/kernels.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "paillier/random.h"

using namespace smlp;

namespace {

Integer gmp_power(const Integer& base, const Integer& exponent, const Integer& modulus) {
  Integer result;
  mpz_powm(result.get_mpz_t(), base.get_mpz_t(), exponent.get_mpz_t(), modulus.get_mpz_t());
  return result;
}

std::vector<Integer> gmp_matrix_power(const std::vector<Integer>& bases,
                                      const std::vector<Integer>& exponents, std::size_t rows,
                                      std::size_t inner, std::size_t outputs, const Integer& m) {
  std::vector<Integer> out(rows * outputs, 1);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < outputs; ++j)
      for (std::size_t k = 0; k < inner; ++k)
        out[i * outputs + j] =
            out[i * outputs + j] * gmp_power(bases[i * inner + k], exponents[k * outputs + j], m) % m;
  return out;
}

}  // namespace

TEST_CASE("all products and powers modulo every odd number to 35") {
  for (int m = 3; m <= 35; m += 2) {
    const ModularContext context{Integer(m)};
    for (int a = 0; a < m; ++a) {
      int power = 1;
      for (int e = 0; e <= 12; ++e) {
        CHECK(context.power_var(a, e) == power);
        if (e > 0) CHECK(context.power_secret(a, SecretInteger(e)) == power);
        const Integer base(a), exponent(e);
        CHECK(context.multi_power_var({&base, 1}, {&exponent, 1}) == power);
        power = power * a % m;
      }
      for (int b = 0; b < m; ++b) CHECK(context.multiply(a, b) == a * b % m);
    }
  }
}

TEST_CASE("fixed bases: all exponents modulo small numbers") {
  for (const int m : {3, 9, 35, 101}) {
    const auto context = std::make_shared<const ModularContext>(m);
    for (int a = 0; a < m; ++a) {
      const FixedBase base(context, a, 5);
      CHECK(base.exponent_bits() == 5);
      int power = 1;
      for (int e = 0; e < 32; ++e) {
        CHECK(base.power(e) == power);
        CHECK(base.multiply_power(m - 1, e) == (m - power) % m);
        power = power * a % m;
      }
    }
  }
}

TEST_CASE("fixed bases: every width of exponent across the windows") {
  RandomStream random = RandomSource::from_seed(20).stream({});
  const Integer m = 2 * random.bits(300) + 1;
  const auto context = std::make_shared<const ModularContext>(m);
  const Integer b = random.below(m);
  for (const std::size_t bits :
       std::initializer_list<std::size_t>{1, 2, 8, 9, 10, 63, 64, 65, 126, 127, 128, 129, 190, 488}) {
    const FixedBase base(context, b, bits);
    for (const Integer& e : {Integer(0), Integer(1), power_of_two(bits - 1), Integer(power_of_two(bits) - 1),
                             random.bits(bits), random.bits(bits)}) {
      CHECK(base.power(e) == gmp_power(b, e, m));
      CHECK(base.multiply_power(b, e) == gmp_power(b, Integer(e + 1), m));
    }
    CHECK_THROWS_AS(base.power(power_of_two(bits)), Error);
    CHECK_THROWS_AS(base.power(-1), Error);
    CHECK_THROWS_AS(base.multiply_power(m, 1), Error);
  }
  CHECK_THROWS_AS(FixedBase(context, b, 0), Error);
  CHECK_THROWS_AS(FixedBase(context, m, 8), Error);
}

TEST_CASE("fixed bases: a long exponent narrows the window and stays right") {
  RandomStream random = RandomSource::from_seed(21).stream({});
  const Integer m = 2 * random.bits(2046) + 1 + power_of_two(2047);
  const FixedBase base(std::make_shared<const ModularContext>(m), 3, 3000);
  const Integer e = random.bits(3000);
  CHECK(base.power(e) == gmp_power(3, e, m));
}

TEST_CASE("powers modulo large numbers") {
  RandomStream random = RandomSource::from_seed(22).stream({});
  for (const std::size_t bits : std::initializer_list<std::size_t>{65, 512, 1024, 2048}) {
    const Integer m = 2 * random.bits(bits - 2) + 1 + power_of_two(bits - 1);
    const ModularContext context(m);
    CHECK(context.modulus() == m);
    const Integer a = random.below(m), b = random.below(m), e = random.bits(200);
    CHECK(context.multiply(a, b) == a * b % m);
    CHECK(context.power_var(a, e) == gmp_power(a, e, m));
    CHECK(context.power_secret(a, SecretInteger(e)) == gmp_power(a, e, m));
    CHECK(context.power_secret(0, SecretInteger(e)) == 0);
  }
  const ModularContext context(35);
  CHECK_THROWS_AS(context.power_var(2, -1), Error);
  CHECK_THROWS_AS(context.power_secret(2, SecretInteger(0)), Error);
  CHECK_THROWS_AS(context.power_secret(2, SecretInteger(-3)), Error);
}

TEST_CASE("matrix powers of many shapes and exponent lengths") {
  RandomStream random = RandomSource::from_seed(23).stream({});
  const Integer m = 2 * random.bits(254) + 1 + power_of_two(255);
  const ModularContext context(m);
  const std::size_t shapes[][3] = {{1, 1, 1}, {1, 7, 1},   {1, 1, 9}, {5, 1, 1},
                                   {3, 4, 5}, {2, 30, 16}, {7, 3, 2}};
  for (const auto& [rows, inner, outputs] : shapes) {
    for (const std::size_t bits : std::initializer_list<std::size_t>{1, 2, 17, 60, 84, 200}) {
      std::vector<Integer> bases(rows * inner), exponents(inner * outputs);
      for (Integer& base : bases) base = random.below(m);
      for (Integer& exponent : exponents) exponent = random.bits(bits);
      exponents[0] = 0;
      exponents.back() = power_of_two(bits) - 1;
      CHECK(context.matrix_power_var(bases, exponents, rows, inner, outputs) ==
            gmp_matrix_power(bases, exponents, rows, inner, outputs, m));
    }
  }
}

TEST_CASE("matrix powers: mixed exponent lengths, zero columns, edge bases") {
  const Integer m = power_of_two(192) - 237;
  const ModularContext context(m);
  const std::vector<Integer> bases = {0, 1, Integer(m - 1), 2, Integer(m / 2), 12345};
  const std::vector<Integer> exponents = {0, 1, 0, 0, 2, 3, 0, power_of_two(150)};  // 2 bases x 4 outputs
  const auto got = context.matrix_power_var(bases, exponents, 3, 2, 4);
  CHECK(got == gmp_matrix_power(bases, exponents, 3, 2, 4, m));
  CHECK(got[2] == 1);
}

TEST_CASE("empty matrix powers") {
  const ModularContext context(35);
  CHECK(context.matrix_power_var({}, {}, 2, 0, 3) == std::vector<Integer>(6, 1));
  CHECK(context.matrix_power_var({}, std::vector<Integer>(6, 5), 0, 2, 3).empty());
  CHECK(context.matrix_power_var(std::vector<Integer>(4, 2), {}, 2, 2, 0).empty());
  CHECK(context.multi_power_var({}, {}) == 1);
  CHECK(context.inverses({}, "nothing").empty());
}

TEST_CASE("matrix powers do not depend on the number of threads") {
  RandomStream random = RandomSource::from_seed(24).stream({});
  const Integer m = 2 * random.bits(510) + 1 + power_of_two(511);
  const ModularContext context(m);
  std::vector<Integer> bases(5 * 6), exponents(6 * 4);
  for (Integer& base : bases) base = random.below(m);
  for (Integer& exponent : exponents) exponent = random.bits(60);
  const auto expected = gmp_matrix_power(bases, exponents, 5, 6, 4, m);
  const int before = thread_count();
  for (const int threads : {1, 2, 3, 8}) {
    set_thread_count(threads);
    CHECK(context.matrix_power_var(bases, exponents, 5, 6, 4) == expected);
  }
  set_thread_count(before);
}

TEST_CASE("matrix powers refuse wrong sizes, negative exponents and unreduced bases") {
  const ModularContext context(35);
  const std::vector<Integer> two(2, 3), three(3, 4);
  CHECK_THROWS_WITH_AS(context.matrix_power_var(two, two, 3, 1, 2),
                       "the bases of a matrix power number 2, not 3", Error);
  CHECK_THROWS_WITH_AS(context.matrix_power_var(three, two, 3, 1, 3),
                       "the exponents of a matrix power number 2, not 3", Error);
  CHECK_THROWS_AS(context.multi_power_var(two, three), Error);
  CHECK_THROWS_AS(context.multi_power_var(two, std::vector<Integer>{1, -1}), Error);
  CHECK_THROWS_AS(context.multi_power_var(std::vector<Integer>{2, 35}, two), Error);
}

TEST_CASE("inverses, and the element that has none") {
  RandomStream random = RandomSource::from_seed(25).stream({});
  const Integer p = power_of_two(89) - 1, q = power_of_two(107) - 1, m = p * q;  // Mersenne primes
  const ModularContext context(m);
  std::vector<Integer> values(150);
  for (Integer& value : values) value = 1 + random.below(Integer(p - 1));
  for (const std::size_t count : std::initializer_list<std::size_t>{1, 2, 63, 64, 65, 150}) {
    const auto got = context.inverses(std::span(values).first(count), "values");
    REQUIRE(got.size() == count);
    for (std::size_t i = 0; i < count; ++i) CHECK(got[i] * values[i] % m == 1);
  }
  values[131] = 3 * q;
  CHECK_THROWS_WITH_AS(context.inverses(values, "masks"),
                       "masks: element 131 shares a factor with the modulus", Error);
  values[131] = 0;
  CHECK_THROWS_AS(context.inverses(values, "masks"), Error);
}
