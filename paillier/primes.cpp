// Primes by random candidates and GMP's test; elements of exact order by cofactor powers.
#include "paillier/primes.h"

#include <string>

#include "paillier/error.h"

namespace smlp {
namespace {

constexpr int gmp_rounds = 40;  // Baillie-PSW stands for the first 24
constexpr unsigned long small_bound = 1ul << 16;

}  // namespace

bool is_prime(const Integer& candidate) {
  return candidate > 1 && mpz_probab_prime_p(candidate.get_mpz_t(), gmp_rounds) != 0;
}

SecretInteger random_prime(std::size_t bits, RandomStream& random) {
  if (bits < 3)
    throw Error("a random prime of " + std::to_string(bits) + " bits was asked for; at least 3 are needed");
  for (;;) {
    SecretInteger candidate(power_of_two(bits - 1) + 2 * random.bits(bits - 2) + 1);
    if (is_prime(candidate.value())) return candidate;
  }
}

SecretInteger random_prime_with_factor(std::size_t bits, const Integer& factor, RandomStream& random) {
  if (factor < 1 || mpz_even_p(factor.get_mpz_t())) throw Error("a factor of p - 1 must be odd and positive");
  if (bits < bit_length(factor) + 8)
    throw Error("a prime of " + std::to_string(bits) + " bits has no room for a factor of " +
                std::to_string(bit_length(factor)) + " bits in p - 1");
  // p = 2 factor k + 1 in [3 2^(bits-2), 2^bits), k uniform among those that fit.
  const Integer step = 2 * factor;
  const Integer lowest = (3 * power_of_two(bits - 2) - 1 + step - 1) / step;
  const Integer highest = (power_of_two(bits) - 2) / step;
  for (;;) {
    SecretInteger candidate(step * (lowest + random.below(Integer(highest - lowest + 1))) + 1);
    if (is_prime(candidate.value())) return candidate;
  }
}

Integer power_secret(const Integer& base, const Integer& exponent, const Integer& modulus) {
  Integer result;
  mpz_powm_sec(result.get_mpz_t(), base.get_mpz_t(), exponent.get_mpz_t(), modulus.get_mpz_t());
  return result;
}

Integer element_of_order(std::span<const Integer> factors, const Integer& p, RandomStream& random) {
  Integer order = 1;
  for (const Integer& factor : factors) order *= factor;
  if ((p - 1) % order != 0) throw Error("no element of this order exists: it does not divide p - 1");
  const Integer cofactor = (p - 1) / order;
  for (;;) {
    const Integer y = 2 + random.below(Integer(p - 3));
    const Integer x = power_secret(y, cofactor, p);
    bool exact = true;
    for (const Integer& factor : factors) {
      exact = exact && power_secret(x, Integer(order / factor), p) != 1;
    }
    if (exact) return x;
  }
}

Integer smooth_part(const Integer& value) {
  Integer rest = value;
  for (unsigned long d = 2; d < small_bound; d += d == 2 ? 1 : 2)
    while (mpz_divisible_ui_p(rest.get_mpz_t(), d)) mpz_divexact_ui(rest.get_mpz_t(), rest.get_mpz_t(), d);
  return value / rest;
}

void require_public_modulus(const Integer& n, const char* what) {
  const std::string name(what);
  if (n < 2 || mpz_even_p(n.get_mpz_t()))
    throw Error("the " + name + " modulus n is not an odd integer above 1");
  if (bit_length(n) % 2 != 0)
    throw Error("the " + name + " modulus n has " + std::to_string(bit_length(n)) +
                " bits, not an even number");
  if (smooth_part(n) != 1) throw Error("the " + name + " modulus n has a prime factor below 2^16");
  if (mpz_perfect_square_p(n.get_mpz_t())) throw Error("the " + name + " modulus n is a square");
  if (is_prime(n)) throw Error("the " + name + " modulus n is a prime, not a product of two");
}

}  // namespace smlp
