// Fixed-width integers against GMP's, at every edge of a limb.
#include "paillier/fixed_width.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "paillier/error.h"
#include "paillier/random.h"

using namespace smlp;

namespace {

/// Around the edges of limbs, of both signs, within 190 bits.
std::vector<Integer> edges() {
  std::vector<Integer> out{0};
  for (const std::size_t bits : {0U, 1U, 62U, 63U, 64U, 65U, 127U, 128U, 189U})
    for (const int beside : {-1, 0, 1}) {
      out.emplace_back(power_of_two(bits) + beside);
      out.emplace_back(-out.back());
    }
  RandomStream random = RandomSource::from_seed(1).stream({});
  for (int i = 0; i < 6; ++i) out.emplace_back(random.bits(190) - random.bits(189));
  return out;
}

WordBuffer row(const Integer& value, std::size_t limbs) {
  WordBuffer out(limbs);
  std::ranges::copy(limbs_of(value), out.data());
  return out;
}

}  // namespace

TEST_CASE("fixed width: words of a number at every offset") {
  RandomStream random = RandomSource::from_seed(2).stream({});
  for (const Integer& x : {Integer(0), Integer(1), Integer(power_of_two(128) - 1), random.bits(300)})
    for (std::size_t lowest = 0; lowest < 330; ++lowest)
      CHECK(Integer(word_at(limbs_of(x), lowest)) == (x >> lowest) % power_of_two(64));
}

TEST_CASE("fixed width: integers come back, and one that does not fit is refused") {
  const std::vector<Integer> values = edges();
  const FixedIntegers fixed(values, 3);
  CHECK(fixed.size() == values.size());
  CHECK(fixed.integers() == values);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(fixed.integer(i) == values[i]);
  CHECK_THROWS_WITH_AS(FixedIntegers(std::vector<Integer>{power_of_two(127)}, 2),
                       "an integer of 128 bits does not fit 2 limbs with its sign", Error);
}

TEST_CASE("fixed width: a refusal by any bit") {
  const auto refuse = [] { throw Error("refused"); };
  CHECK_NOTHROW(refuse_where(0, refuse));
  for (const std::size_t bit : {0U, 17U, 63U})
    CHECK_THROWS_WITH_AS(refuse_where(Limb{1} << bit, refuse), "refused", Error);
}

TEST_CASE("fixed width: shifted sums and negations, chosen by a mask") {
  const std::vector<Integer> values = edges();
  for (const Integer& a : values)
    for (const Integer& b : {values[3], values[22], values.back(), Integer(-values.back()), Integer(-1)})
      for (const std::size_t shift : {0U, 1U, 63U, 64U, 65U, 130U}) {
        FixedIntegers sums(std::vector<Integer>{a, a}, 6);
        const FixedIntegers term({&b, 1}, 4);
        add_shifted(sums[0], term[0], shift, mask_of(1));
        add_shifted(sums[1], term[0], shift, mask_of(0));
        CHECK(sums.integer(0) == a + (b << shift));
        CHECK(sums.integer(1) == a);
        negate_where(sums[0], mask_of(0));
        negate_where(sums[1], mask_of(1));
        CHECK(sums.integer(0) == a + (b << shift));
        CHECK(sums.integer(1) == -a);
      }
}

TEST_CASE("fixed width: division, products and joined remainders by a secret modulus") {
  RandomStream random = RandomSource::from_seed(3).stream({});
  for (const std::size_t bits : std::initializer_list<std::size_t>{3, 63, 64, 65, 128, 191, 512}) {
    const Integer p = 2 * random.bits(bits - 2) + 1 + power_of_two(bits - 1), q = p + 2;
    const SecretModulus modulus(p), other(q);
    const std::size_t n = modulus.limbs();
    Scratch scratch;
    for (const Integer& x :
         {Integer(0), Integer(p - 1), p, Integer(p * p - 1), random.below(Integer(p * p))}) {
      const std::size_t size = std::max<std::size_t>(1, limbs_of(x).size());
      FixedIntegers out(3, 2 * n + 2);
      modulus.reduce(out[0].data(), row(x, size).data(), size, scratch);
      CHECK(out.integer(0) == x % p);
      modulus.divide(out[1].data(), out[2].data(), row(x, size).data(), size, scratch);
      CHECK(out.integer(1) == x / p);
      CHECK(out.integer(2) == x % p);
    }
    const Integer a = random.below(p), b = random.below(q), p_q = p * q;
    FixedIntegers product(2, 2 * n + 2);
    modulus.multiply(product[0].data(), row(a, n).data(), row(a, n).data(), scratch);
    CHECK(product.integer(0) == a * a % p);
    for (const auto& [u, v] :
         {std::pair(a, b), std::pair(Integer(0), Integer(0)), std::pair(Integer(p - 1), Integer(q - 1))}) {
      join_remainders(product[1].first(limbs_of(p_q).size()), row(u, n).data(), modulus,
                      row(v, other.limbs()).data(), other, p_q, scratch);
      const Integer sum = u * q + v * p;
      CHECK(product.integer(1) == (sum < p_q ? sum : Integer(sum - p_q)));
    }
  }
  CHECK_THROWS_AS(SecretModulus(0), Error);
}
