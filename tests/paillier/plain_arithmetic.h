// What the tests of the cryptosystems compare with: powers by GMP, and streams of small seeds.
#pragma once

#include "paillier/keys.h"

namespace smlp {

inline constexpr Variant variants[] = {Variant::standard, Variant::subgroup};

inline RandomStream stream(std::uint64_t seed) {
  return RandomSource::from_seed(seed).stream({});
}

inline Integer power(const Integer& base, const Integer& exponent, const Integer& modulus) {
  Integer result;
  mpz_powm(result.get_mpz_t(), base.get_mpz_t(), exponent.get_mpz_t(), modulus.get_mpz_t());
  return result;
}

}  // namespace smlp
