// The few kernels that all ciphertext cost goes through. Everything above calls these and nothing else for
// modular powers, so faster arithmetic changes this unit alone.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

class Montgomery;

/// Montgomery arithmetic modulo one odd modulus > 1. Immutable, shared between threads.
/// Residues are in [0, modulus); the Montgomery form lives inside the calls.
class ModularContext {
 public:
  explicit ModularContext(const Integer& modulus);
  ~ModularContext();
  ModularContext(const ModularContext&) = delete;
  ModularContext& operator=(const ModularContext&) = delete;

  const Integer& modulus() const;

  /// a b mod modulus.
  Integer multiply(const Integer& a, const Integer& b) const;

  /// base^exponent, exponent >= 0. Variable time in the exponent.
  Integer power_var(const Integer& base, const Integer& exponent) const;

  /// base^exponent, exponent > 0, in time that depends on the sizes alone (mpz_powm_sec).
  Integer power_secret(const Integer& base, const SecretInteger& exponent) const;

  /// prod_k bases[k]^exponents[k], exponents >= 0; squarings shared (Straus). Variable time.
  Integer multi_power_var(std::span<const Integer> bases, std::span<const Integer> exponents) const;

  /// out[i * outputs + j] = prod_k bases[i * inner + k]^exponents[k * outputs + j], exponents >= 0: rows x
  /// inner bases times inner x outputs exponents. Window tables of a base are shared by all outputs.
  /// Parallel. Variable time.
  std::vector<Integer> matrix_power_var(std::span<const Integer> bases, std::span<const Integer> exponents,
                                        std::size_t rows, std::size_t inner, std::size_t outputs) const;

  /// The inverses of units, by one inversion and three products each. Throws Error naming `what` if one is no
  /// unit.
  std::vector<Integer> inverses(std::span<const Integer> values, const char* what) const;

 private:
  friend class FixedBase;
  const Montgomery& montgomery() const;
  struct State;
  std::unique_ptr<const State> state_;
};

/// Powers of one base with exponents of at most `exponent_bits` bits, from a table (comb of radix 2^w): one
/// product for every w bits, no squaring. The table is public; each power reads one entry per window whatever
/// the exponent.
class FixedBase {
 public:
  /// Cost: about exponent_bits / w * 2^w products; memory the same number of residues (at most 16 MiB).
  FixedBase(std::shared_ptr<const ModularContext> context, const Integer& base, std::size_t exponent_bits);
  ~FixedBase();
  FixedBase(const FixedBase&) = delete;
  FixedBase& operator=(const FixedBase&) = delete;

  std::size_t exponent_bits() const;
  /// base^exponent, 0 <= exponent < 2^exponent_bits. Throws Error outside.
  Integer power(const Integer& exponent) const;
  /// factor base^exponent, factor in [0, modulus): at the cost of power(exponent) alone.
  Integer multiply_power(const Integer& factor, const Integer& exponent) const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace smlp
