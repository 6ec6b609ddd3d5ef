// Montgomery products at the edges of their range, against plain GMP.
#include "paillier/montgomery.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "paillier/random.h"

using namespace smlp;

namespace {

using Limbs = std::vector<Montgomery::Limb>;

Limbs limbs_of(const Integer& x, std::size_t count) {
  Limbs out(count);
  mpz_export(out.data(), nullptr, -1, sizeof(Montgomery::Limb), 0, 0, x.get_mpz_t());
  return out;
}

Integer integer_of(const Limbs& limbs) {
  Integer x;
  mpz_import(x.get_mpz_t(), limbs.size(), -1, sizeof(Montgomery::Limb), 0, 0, limbs.data());
  return x;
}

// Moduli whose top limb is full, nearly empty or in between; sizes on both sides of GMP's thresholds.
std::vector<Integer> moduli() {
  std::vector<Integer> out = {3, 5, 9, power_of_two(64) - 1, power_of_two(64) + 13, power_of_two(127) + 29};
  RandomStream random = RandomSource::from_seed(64).stream({});
  for (const std::size_t bits : std::initializer_list<std::size_t>{128, 192, 1024, 2048, 4096, 6144, 8192}) {
    out.push_back(power_of_two(bits) - 159);
    out.push_back(power_of_two(bits) + 1);
    out.push_back(random.bits(bits) / 2 * 2 + 1);
  }
  return out;
}

}  // namespace

TEST_CASE("products of unreduced operands") {
  RandomStream random = RandomSource::from_seed(1).stream({});
  for (const Integer& m : moduli()) {
    const Montgomery montgomery(m);
    const std::size_t n = montgomery.limbs();
    const Integer r = power_of_two(64 * n);
    Limbs out(n);
    const Integer operands[] = {0, 1, Integer(m - 1), m, Integer(r - 1), random.below(r), random.below(r)};
    for (const Integer& a : operands) {
      for (const Integer& b : operands) {
        montgomery.multiply(out.data(), limbs_of(a, n).data(), limbs_of(b, n).data());
        CHECK((integer_of(out) * r - a * b) % m == 0);
      }
      out = limbs_of(a, n);
      montgomery.square(out.data(), out.data());
      CHECK((integer_of(out) * r - a * a) % m == 0);
    }
  }
}

namespace {

Integer stored(const Montgomery& montgomery, const Montgomery::Limb* a) {
  Limbs out(montgomery.limbs());
  montgomery.store(out.data(), a);
  return integer_of(out);
}

}  // namespace

TEST_CASE("loading and storing gives reduced residues") {
  RandomStream random = RandomSource::from_seed(2).stream({});
  for (const Integer& m : moduli()) {
    const Montgomery montgomery(m);
    const std::size_t n = montgomery.limbs();
    const Integer r = power_of_two(64 * n);
    Limbs a(n);
    for (const Integer& x : {Integer(0), Integer(1), Integer(m - 1), random.below(m)}) {
      montgomery.load(a.data(), x);
      CHECK(stored(montgomery, a.data()) == x);
      montgomery.multiply(a.data(), a.data(), montgomery.one());  // x R / R
      CHECK(stored(montgomery, a.data()) == x);
      montgomery.multiply(a.data(), a.data(), montgomery.r_squared());
      CHECK(stored(montgomery, a.data()) == x * r % m);
    }
    for (const Integer& unreduced : {m, Integer(2 * m - 1), Integer(3 * m + 1), Integer(4 * m - 1)})
      if (unreduced < r) CHECK(stored(montgomery, limbs_of(unreduced, n).data()) == unreduced % m);
  }
}

TEST_CASE("bad moduli and residues are refused") {
  for (const Integer& m : {Integer(0), Integer(1), Integer(-7), Integer(8)})
    CHECK_THROWS_WITH_AS(Montgomery{m}, "a Montgomery modulus must be odd and greater than 1", Error);
  const Montgomery seven(7);
  Limbs out(1);
  CHECK_THROWS_AS(seven.load(out.data(), 7), Error);
  CHECK_THROWS_AS(seven.load(out.data(), -1), Error);
}
