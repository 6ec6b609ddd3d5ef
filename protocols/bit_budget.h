// Widths: how many bits a value, its masks and a slot have, and the proof that every operation stays inside
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

/// A mask of b bits is the sum of three uniforms in [0, 2^b), so below 2^(b + mask_sum_bits): N such masks
/// hide by sqrt(N) what N uniform ones would hide by N (docs/protocols.md). Its low b bits are uniform.
inline constexpr std::size_t mask_sum_bits = 2;

/// Bits by which an activation may outgrow l before its sign is wrong.
inline constexpr std::size_t guard_bits = 4;

/// Fixed-point numbers: a value is a signed integer of l = value_bits bits, of which f = fraction_bits stand
/// behind the point.
struct Numbers {
  std::size_t value_bits = 20;
  std::size_t fraction_bits = 10;
  /// Bits by which each of the three uniforms of a mask is wider than what it hides. This default keeps ten
  /// epochs on MNIST (60,000 x 784, 784-128-10) below 2^-40.
  std::size_t sigma = 56;

  bool operator==(const Numbers&) const = default;
  /// Throws Error unless 8 <= l <= 60 (the comparison serves 64 bits), 1 <= f <= l - 2, 40 <= sigma <= 128.
  void check() const;
};

/// A public multiplier scale / 2^shift, applied with one rounding down.
struct Rescale {
  std::int64_t scale = 1;
  std::size_t shift = 0;
  bool operator==(const Rescale&) const = default;
};

/// Everything that follows from numbers, the widest inner dimension and the key size.
class BitBudget {
 public:
  /// `slots` = 0 takes as many as fit; 1 is the paper's representation, one value a ciphertext. Throws Error
  /// when not even one slot fits, or when `slots` do not, naming the option that helps.
  BitBudget(const Numbers& numbers, std::size_t max_inner, std::size_t modulus_bits, std::size_t slots = 0);

  const Numbers& numbers() const { return numbers_; }
  std::size_t max_inner() const { return max_inner_; }
  std::size_t modulus_bits() const { return modulus_bits_; }
  std::size_t slot_bits() const { return slot_bits_; }  ///< S = 2l + 2 sigma + ceil(log2 max_inner) + 6
  std::size_t slots() const { return slots_; }
  /// As many as a plaintext holds, whatever `slots` says.
  std::size_t fitting_slots() const { return (modulus_bits_ - 2) / slot_bits_; }
  bool operator==(const BitBudget&) const = default;

  // Widths of contents x (signed, |x| < 2^bits) and of the masks r that hide them (sigma bits wider):
  // 0 <= r < 3 2^b for a mask of b bits, so |x + r| < 2^(b + mask_sum_bits). With q = 2^(2l + 2 sigma) k':
  //   A' = A + R_A     |A| <= 2^(l-1), R_A < 3 2^(l + sigma)
  //   T' = A R_B + R_T |A R_B| <= 1.5 q 2^-sigma, R_T < 12 q: hence two bits more in the mask than for A B
  //   U' = R_A B' - R_T - rho, above -12 q (1 + 2^-sigma) and below 9 q (1 + 2^-sigma)
  // with k' = 2^ceil(log2 k) for an inner dimension k. So |T'|, |U'| < 16 q = 2^(S - 2): a slot has one bit
  // of head-room and the sign.
  std::size_t value_mask_bits() const { return numbers_.value_bits + numbers_.sigma; }  ///< R_A, R_B
  /// Two of A + R_A fit one slot, the second this much higher: with |A + R_A| < 2^(w + 2), w =
  /// value_mask_bits, each has w + 3 bits with its sign, and the pair 2 w + 6 <= S.
  std::size_t pair_shift() const { return value_mask_bits() + mask_sum_bits + 1; }
  std::size_t product_bits() const { return 2 * numbers_.value_bits + log_inner_; }  ///< A B
  std::size_t product_mask_bits() const { return product_bits() + numbers_.sigma; }  ///< rho
  std::size_t cross_term_mask_bits() const {                                         ///< R_T
    return product_bits() + 2 * numbers_.sigma + mask_sum_bits;
  }
  std::size_t guarded_bits() const { return numbers_.value_bits + guard_bits; }  ///< L
  std::size_t guarded_mask_bits() const { return guarded_bits() + numbers_.sigma; }
  /// Of k = floor((scale (x + rho) + C + R_C) / 2^shift) and e = floor((scale rho + R_C) / 2^shift), the
  /// rescaled form of what is opened under rho of `mask_bits` and R_C of `addend_mask_bits` (0: none): the b
  /// with |e| <= 3 2^b and, where |x| and |C| are below 2^-sigma of their masks, |k| < 2^(b + 2). With
  /// |scale| <= 2^c a sum is at most 3 2^(c + mask_bits) in size, or twice the larger of two.
  std::size_t rescaled_mask_bits(std::size_t mask_bits, const Rescale& rescale,
                                 std::size_t addend_mask_bits = 0) const;

  /// Throws Error naming `where`, the bound and the option that would fix it, unless a product of this inner
  /// dimension with this multiplier fits: inner <= max_inner, |scale| <= 2^shift.
  void check_product(const std::string& where, std::size_t inner, const Rescale& rescale) const;
  /// Throws Error unless what is opened under a mask of these bits fits a slot in a selection, whose parts
  /// are below 2^(bits + 5).
  void check_opened(const std::string& where, std::size_t mask_bits) const;
  /// Throws Error unless an addend of these bits and its mask fit a slot beside the product.
  void check_addend(const std::string& where, std::size_t addend_bits) const;

 private:
  Numbers numbers_;
  std::size_t max_inner_;
  std::size_t modulus_bits_;
  std::size_t log_inner_;
  std::size_t slot_bits_;
  std::size_t slots_;
};

/// `count` cells in as few groups of at most `slots` as possible, sizes differing by at most one, larger ones
/// first.
std::vector<std::size_t> balanced_groups(std::size_t count, std::size_t slots);

/// sum_i values[i] 2^(slot_bits i). Throws Error when some |value| >= 2^(slot_bits - 1).
Integer pack(const std::vector<Integer>& values, std::size_t slot_bits);
/// The inverse; throws Error when `packed` holds more than `count` slots.
std::vector<Integer> unpack(const Integer& packed, std::size_t count, std::size_t slot_bits);

}  // namespace smlp
