// The modular kernels: exhaustive for tiny moduli, GMP's mpz_powm for large ones.
#include "paillier/kernels.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "paillier/random.h"
#include "tests/paillier/plain_arithmetic.h"

using namespace smlp;

TEST_CASE("all products and powers modulo every odd number to 35") {
  for (int m = 3; m <= 35; m += 2) {
    const ModularContext context{Integer(m)};
    for (int a = 0; a < m; ++a) {
      int power = 1;
      for (int e = 0; e <= 12; ++e) {
        CHECK(context.power_var(a, e) == power);
        const Integer base(a);
        if (e > 0) CHECK(context.power_secret({&base, 1}, SecretInteger(e)) == std::vector<Integer>{power});
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
        CHECK(base.power(SecretInteger(e)) == power);
        Integer value = m - 1;
        base.multiply_powers({&value, 1}, std::vector<SecretInteger>{SecretInteger(e)});
        CHECK(value == (m - power) % m);
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
  for (const std::size_t bits : std::initializer_list<std::size_t>{1, 2, 9, 10, 11, 12, 13, 24, 63, 64, 65,
                                                                   126, 127, 128, 129, 190, 488}) {
    const FixedBase base(context, b, bits);
    for (const Integer& e : {Integer(0), Integer(1), power_of_two(bits - 1), Integer(power_of_two(bits) - 1),
                             random.bits(bits), random.bits(bits)}) {
      CHECK(base.power(SecretInteger(e)) == power(b, e, m));
    }
    // Residues as limbs times powers: a block and one more.
    const Lanes& lanes = context->lanes();
    std::vector<Integer> factors;
    std::vector<SecretInteger> exponents;
    for (std::size_t k = 0; k <= lanes.lanes(); ++k) {
      factors.push_back(random.below(m));
      exponents.emplace_back(random.bits(bits));
    }
    FixedIntegers products(factors, lanes.limbs() + 1);
    WordBuffer residues(factors.size() * lanes.limbs());
    for (std::size_t k = 0; k < factors.size(); ++k)
      std::ranges::copy(products[k].first(lanes.limbs()), residues.data() + k * lanes.limbs());
    base.multiply_powers(residues.data(), exponents);
    for (std::size_t k = 0; k < factors.size(); ++k) {
      std::copy_n(residues.data() + k * lanes.limbs(), lanes.limbs(), products[k].begin());
      CHECK(products.integer(k) == factors[k] * power(b, exponents[k].value(), m) % m);
    }
    CHECK_THROWS_AS(base.power(SecretInteger(power_of_two(bits))), Error);
    CHECK_THROWS_AS(base.power(SecretInteger(-1)), Error);
    std::vector<Integer> outside = {m};
    const std::vector<SecretInteger> one = {SecretInteger(1)};
    CHECK_THROWS_AS(base.multiply_powers(outside, one), Error);
    CHECK_THROWS_WITH_AS(base.multiply_powers(std::span<Integer>(), one),
                         "fixed-base powers got 0 factors and 1 exponents", Error);
  }
  CHECK_THROWS_AS(FixedBase(context, b, 0), Error);
  CHECK_THROWS_AS(FixedBase(context, m, 8), Error);
}

TEST_CASE("fixed bases: a long exponent narrows the window and stays right") {
  RandomStream random = RandomSource::from_seed(21).stream({});
  const Integer m = 2 * random.bits(2046) + 1 + power_of_two(2047);
  const FixedBase base(std::make_shared<const ModularContext>(m), 3, 3000);
  const Integer e = random.bits(3000);
  CHECK(base.power(SecretInteger(e)) == power(3, e, m));
}

TEST_CASE("powers modulo large numbers") {
  RandomStream random = RandomSource::from_seed(22).stream({});
  for (const std::size_t bits : std::initializer_list<std::size_t>{65, 512, 1024, 2048}) {
    const Integer m = 2 * random.bits(bits - 2) + 1 + power_of_two(bits - 1);
    const ModularContext context(m);
    CHECK(context.modulus() == m);
    const Integer a = random.below(m), b = random.below(m), e = random.bits(200);
    CHECK(context.multiply(a, b) == a * b % m);
    CHECK(context.power_var(a, e) == power(a, e, m));
    std::vector<Integer> bases = {a, b, 0, 1, Integer(m - 1)}, powers;
    for (int i = 0; i < 12; ++i) bases.push_back(random.below(m));
    for (const Integer& base : bases) powers.push_back(power(base, e, m));
    CHECK(context.power_secret(bases, SecretInteger(e)) == powers);
  }
  const ModularContext context(35);
  CHECK_THROWS_AS(context.power_var(2, -1), Error);
  const std::vector<Integer> two = {2}, unreduced = {35};
  CHECK_THROWS_AS(context.power_secret(two, SecretInteger(0)), Error);
  CHECK_THROWS_AS(context.power_secret(two, SecretInteger(-3)), Error);
  CHECK_THROWS_AS(context.power_secret(unreduced, SecretInteger(3)), Error);
}

TEST_CASE("powers by every length of a secret exponent across the windows") {
  RandomStream random = RandomSource::from_seed(26).stream({});
  const Integer m = 2 * random.bits(1022) + 1 + power_of_two(1023);
  const ModularContext context(m);
  const std::vector<Integer> bases = {random.below(m), random.below(m), Integer(m - 1)};
  for (const std::size_t bits :
       std::initializer_list<std::size_t>{1, 2, 3, 4, 5, 63, 64, 65, 127, 224, 511, 512, 513, 1024}) {
    for (const Integer& e : {Integer(power_of_two(bits) - 1), power_of_two(bits - 1),
                             Integer(power_of_two(bits - 1) + random.bits(bits) / 2)}) {
      std::vector<Integer> expected;
      for (const Integer& base : bases) expected.push_back(power(base, e, m));
      CHECK(context.power_secret(bases, SecretInteger(e)) == expected);
    }
  }
}

TEST_CASE("powers by a secret exponent: the same operations for all exponents of a length") {
  RandomStream random = RandomSource::from_seed(27).stream({});
  const Integer m = 2 * random.bits(1022) + 1 + power_of_two(1023);
  const ModularContext context(m);
  const std::vector<Integer> bases = {random.below(m)};
  const auto operations = [&](const Integer& e) {
    const OperationCount before = context.lanes().count();
    static_cast<void>(context.power_secret(bases, SecretInteger(e)));
    const OperationCount after = context.lanes().count();
    return std::pair(after.products - before.products, after.squares - before.squares);
  };
  const auto expected = operations(power_of_two(223));
  if (context.lanes().lanes() > 1)
    CHECK(expected.second >= 223);  // else GMP's mpz_powm_sec, which is not counted
  for (const Integer& e : {Integer(power_of_two(224) - 1), Integer(power_of_two(223) + 1),
                           Integer(power_of_two(223) + random.bits(223))})
    CHECK(operations(e) == expected);
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
