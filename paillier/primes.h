// Primes and group elements for key generation, and what a public modulus must satisfy.
#pragma once

#include <span>

#include "paillier/integer.h"
#include "paillier/random.h"

namespace smlp {

/// Baillie-PSW and 16 further Miller-Rabin rounds (GMP).
bool is_prime(const Integer& candidate);

/// A uniform prime of exactly `bits` bits, bits >= 3.
SecretInteger random_prime(std::size_t bits, RandomStream& random);

/// A prime p of exactly `bits` bits, top two bits set (so two of them multiply to exactly 2 bits' length), p
/// = 1 mod factor. `factor` is odd. Throws Error when bits leave no room above
/// factor.
SecretInteger random_prime_with_factor(std::size_t bits, const Integer& factor, RandomStream& random);

/// base^exponent modulo an odd modulus, for a secret exponent > 0: GMP's constant-time routine.
Integer power_secret(const Integer& base, const Integer& exponent, const Integer& modulus);

/// An element of Z_p* whose order is exactly the product of the distinct primes `factors`, each dividing p
/// - 1.
Integer element_of_order(std::span<const Integer> factors, const Integer& p, RandomStream& random);

/// The largest divisor of value > 0 all of whose prime factors are below 2^16.
Integer smooth_part(const Integer& value);

/// Throws Error naming `what` unless n is positive, odd, of even length, composite, no square, and free of
/// factors below 2^16.
void require_public_modulus(const Integer& n, const char* what);

}  // namespace smlp
