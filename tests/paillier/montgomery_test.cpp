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
  for (const std::size_t bits : std::initializer_list<std::size_t>{128, 192, 1024, 2048, 4096}) {
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
    Limbs scratch(montgomery.scratch_limbs()), out(n);
    const Integer operands[] = {0, 1, Integer(m - 1), m, Integer(r - 1), random.below(r), random.below(r)};
    for (const Integer& a : operands) {
      for (const Integer& b : operands) {
        montgomery.multiply(out.data(), limbs_of(a, n).data(), limbs_of(b, n).data(), scratch.data());
        CHECK((integer_of(out) * r - a * b) % m == 0);
      }
      out = limbs_of(a, n);
      montgomery.square(out.data(), out.data(), scratch.data());
      CHECK((integer_of(out) * r - a * a) % m == 0);
    }
  }
}

TEST_CASE("entering and leaving gives reduced residues") {
  RandomStream random = RandomSource::from_seed(2).stream({});
  for (const Integer& m : moduli()) {
    const Montgomery montgomery(m);
    const std::size_t n = montgomery.limbs();
    const Integer r = power_of_two(64 * n);
    Limbs scratch(montgomery.scratch_limbs()), a(n);
    const Integer y = random.below(m);
    for (const Integer& x : {Integer(0), Integer(1), Integer(m - 1), random.below(m)}) {
      montgomery.enter(a.data(), x, scratch.data());
      CHECK(montgomery.leave(a.data(), scratch.data()) == x);
      CHECK(montgomery.leave_times(a.data(), y, scratch.data()) == x * y % m);
    }
    CHECK(montgomery.leave(montgomery.one(), scratch.data()) == 1);
    // The largest unreduced form, and a form of 0 that is not 0.
    CHECK(montgomery.leave(limbs_of(r - 1, n).data(), scratch.data()) * r % m == (r - 1) % m);
    CHECK(montgomery.leave(limbs_of(m, n).data(), scratch.data()) == 0);
    CHECK(montgomery.leave_times(limbs_of(r - 1, n).data(), Integer(m - 1), scratch.data()) < m);
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
