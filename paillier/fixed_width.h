// Integers of a fixed number of limbs, for secrets: what is done with them takes the same steps and reads the
// same memory whatever their bits are. GMP's mpn_sec functions beneath.
#pragma once

#include <gmp.h>

#include <cstddef>
#include <span>

#include "paillier/integer.h"
#include "paillier/lanes.h"

namespace smlp {

using Limb = mp_limb_t;
inline constexpr std::size_t limb_bits = 64;
static_assert(GMP_NUMB_BITS == limb_bits, "limbs of 64 bits without nails");

/// Limbs that hold `bits` bits.
constexpr std::size_t limbs_for(std::size_t bits) {
  return (bits + limb_bits - 1) / limb_bits;
}

/// The limbs of |value|; none for 0.
inline std::span<const Limb> limbs_of(const Integer& value) {
  return {mpz_limbs_read(value.get_mpz_t()), mpz_size(value.get_mpz_t())};
}

/// 64 bits of a non-negative number from bit `lowest` on; beyond its limbs it is 0.
inline Limb word_at(std::span<const Limb> limbs, std::size_t lowest) {
  const std::size_t at = lowest / limb_bits, offset = lowest % limb_bits;
  const Limb low = at < limbs.size() ? limbs[at] : 0, high = at + 1 < limbs.size() ? limbs[at + 1] : 0;
  return low >> offset | high << 1 << (limb_bits - 1 - offset);
}

/// All ones for the bit 1, zero for 0.
constexpr Limb mask_of(unsigned bit) {
  return 0 - static_cast<Limb>(bit);
}

/// `size()` signed integers of `limbs()` limbs each, in two's complement; zero at first.
class FixedIntegers {
 public:
  FixedIntegers() = default;
  FixedIntegers(std::size_t count, std::size_t limbs) : count_(count), width_(limbs), all_(count * limbs) {}
  /// Throws Error where a value needs more. Time depends on the lengths and signs of the values.
  FixedIntegers(std::span<const Integer> values, std::size_t limbs);

  std::size_t size() const { return count_; }
  std::size_t limbs() const { return width_; }
  std::span<Limb> operator[](std::size_t i) { return {all_.data() + i * width_, width_}; }
  std::span<const Limb> operator[](std::size_t i) const { return {all_.data() + i * width_, width_}; }
  /// Integer i. Time depends on its length and sign.
  Integer integer(std::size_t i) const;
  std::vector<Integer> integers() const;

 private:
  std::size_t count_ = 0, width_ = 0;
  WordBuffer all_;
};

/// The signed integer that two's complement limbs hold. Time depends on its length and sign.
Integer signed_integer(std::span<const Limb> limbs);

/// sum += the bits of `term` that `mask` has (all or none), times 2^shift, modulo the length of sum. The sign
/// of `term` goes on.
void add_shifted(std::span<Limb> sum, std::span<const Limb> term, std::size_t shift, Limb mask);
/// value = -value where `mask` is all ones, and stays where it is zero.
void negate_where(std::span<Limb> value, Limb mask);

/// The one branch that secrets decide: refusal() where any bit of `wrong` is set, once all of them have been
/// looked at. That it happens is told to the other end. Never inlined: tests/ctime excuses it by its name.
template <typename Refusal>
[[gnu::noinline]] void refuse_where(Limb wrong, const Refusal& refusal) {
  if (wrong != 0) refusal();
}

/// Memory of one thread for one call after another; wiped at the end.
class Scratch {
 public:
  Limb* limbs(std::size_t count) {
    if (words_.size() < count) words_ = WordBuffer(count);
    return words_.data();
  }

 private:
  WordBuffer words_;
};

/// A secret modulus, with divisions that take the same time whatever is divided.
class SecretModulus {
 public:
  explicit SecretModulus(const Integer& modulus);

  std::size_t limbs() const { return limbs_.size(); }
  const Limb* data() const { return limbs_.data(); }
  /// out (of limbs()) = x mod m, for x of `size` limbs.
  void reduce(Limb* out, const Limb* x, std::size_t size, Scratch& scratch) const;
  /// The same, and x / m rounded down to max(size, limbs()) - limbs() + 1 limbs.
  void divide(Limb* quotient, Limb* remainder, const Limb* x, std::size_t size, Scratch& scratch) const;
  /// out = a b mod m, of limbs() each; out may be a or b.
  void multiply(Limb* out, const Limb* a, const Limb* b, Scratch& scratch) const;

 private:
  WordBuffer limbs_;
};

/// out = a q + b p, less p q if it is not below that: the x in [0, p q) with x = a q mod p and x = b p mod q,
/// for a in [0, p) and b in [0, q). out has as many limbs as p q.
void join_remainders(std::span<Limb> out, const Limb* a, const SecretModulus& p, const Limb* b,
                     const SecretModulus& q, const Integer& p_q, Scratch& scratch);

}  // namespace smlp
