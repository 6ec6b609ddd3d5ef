// The few kernels that all ciphertext cost goes through. Everything above calls these and nothing else for
// modular powers, so faster arithmetic changes this unit alone.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "paillier/fixed_width.h"
#include "paillier/integer.h"
#include "paillier/lanes.h"

namespace smlp {

/// Arithmetic modulo one odd modulus > 1 on integers in [0, modulus). Immutable, shared between threads.
class ModularContext {
 public:
  explicit ModularContext(const Integer& modulus)
      : ModularContext(modulus, best_instructions(bit_length(modulus))) {}
  ModularContext(const Integer& modulus, Instructions instructions);

  const Integer& modulus() const { return lanes_.modulus(); }
  const Lanes& lanes() const { return lanes_; }

  /// a b mod modulus.
  Integer multiply(const Integer& a, const Integer& b) const;

  /// base^exponent, exponent >= 0. Variable time in the exponent.
  Integer power_var(const Integer& base, const Integer& exponent) const;

  /// bases^exponent, exponent > 0, in time that depends on the sizes and the exponent's length alone: fixed
  /// windows, each read from its table by masks over all entries; with one lane, GMP's mpz_powm_sec. On the
  /// calling thread.
  std::vector<Integer> power_secret(std::span<const Integer> bases, const SecretInteger& exponent) const;
  /// The same in place, of `count` residues of lanes().limbs() limbs each.
  void power_secret(Limb* residues, std::size_t count, const SecretInteger& exponent) const;

  /// blocks[i] = its inverse in Montgomery form, lane by lane: one inversion and three products a block. On
  /// the calling thread. Returns false, with the blocks in no particular state, when some lane holds no unit.
  bool invert(std::span<WordBuffer* const> blocks) const;

  /// The inverses of units, by one inversion a thread and five products each. Parallel. Throws Error naming
  /// `what` if one is no unit.
  std::vector<Integer> inverses(std::span<const Integer> values, const char* what) const;

 private:
  Lanes lanes_;
};

/// Powers of one base with exponents of at most `exponent_bits` bits, from a table (comb of radix 2^w): one
/// product for every w bits, no squaring. The table is public; each power reads one entry per window whatever
/// the exponent.
class FixedBase {
 public:
  /// Cost: about exponent_bits / w * 2^w products, in parallel; memory the same number of residues (at most
  /// 20 MiB).
  FixedBase(std::shared_ptr<const ModularContext> context, const Integer& base, std::size_t exponent_bits);

  std::size_t exponent_bits() const { return bits_; }
  const ModularContext& context() const { return *context_; }

  /// base^exponent, 0 <= exponent < 2^exponent_bits. Throws Error outside.
  Integer power(const SecretInteger& exponent) const;
  /// values[i] base^exponents[i] in place, values in [0, modulus). On the calling thread, a block of lanes at
  /// a time.
  void multiply_powers(std::span<Integer> values, std::span<const SecretInteger> exponents) const;

  /// The same of residues of lanes().limbs() limbs each, one after another.
  void multiply_powers(Limb* residues, std::span<const SecretInteger> exponents) const;
  /// out = base^exponents[i], residues in Montgomery form one after another. On the calling thread, a block
  /// of lanes at a time.
  void write_powers(std::span<const SecretInteger> exponents, Word* out) const;

 private:
  /// block = base^exponents[k] in lane k, or, if `multiplied`, block times that, in whatever form the block
  /// is.
  void accumulate(Word* block, std::span<const SecretInteger> exponents, bool multiplied) const;
  const Word* entry(std::size_t window, std::size_t digit) const {
    return table_.data() + ((window << window_) + digit) * context_->lanes().words();
  }

  std::shared_ptr<const ModularContext> context_;
  std::size_t bits_, window_, windows_;
  WordBuffer table_;  // windows x 2^window residues in Montgomery form
};

}  // namespace smlp
