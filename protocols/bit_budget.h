// Widths: how many bits a value, its masks and a slot have, and the proof that every operation stays inside
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

/// Bits by which an activation may outgrow l before its sign is wrong.
inline constexpr std::size_t guard_bits = 4;

/// Fixed-point numbers: a value is a signed integer of l = value_bits bits, of which f = fraction_bits stand
/// behind the point.
struct Numbers {
  std::size_t value_bits = 20;
  std::size_t fraction_bits = 10;
  std::size_t sigma = 40;  ///< statistical security of a mask, bits

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
  std::size_t slot_bits() const { return slot_bits_; }  ///< S = 2l + 2 sigma + ceil(log2 max_inner) + 3
  std::size_t slots() const { return slots_; }
  /// As many as a plaintext holds, whatever `slots` says.
  std::size_t fitting_slots() const { return (modulus_bits_ - 2) / slot_bits_; }
  bool operator==(const BitBudget&) const = default;

  // Widths of contents (signed, |v| < 2^bits) and of the masks that hide them (sigma bits wider).
  std::size_t value_mask_bits() const { return numbers_.value_bits + numbers_.sigma; }  ///< R_A, R_B
  /// Two of A + R_A fit one slot, the second this much higher; 0 where they do not. With |A + R_A| < 2^(w +
  /// 1), w = value_mask_bits, each has w + 2 bits with its sign, and the pair 2 w + 4 <= S.
  std::size_t pair_shift() const {
    const std::size_t shift = value_mask_bits() + 2;
    return 2 * shift <= slot_bits_ ? shift : 0;
  }
  std::size_t product_bits() const { return 2 * numbers_.value_bits + log_inner_; }         ///< A B
  std::size_t product_mask_bits() const { return product_bits() + numbers_.sigma; }         ///< rho
  std::size_t cross_term_mask_bits() const { return product_bits() + 2 * numbers_.sigma; }  ///< R_T
  std::size_t guarded_bits() const { return numbers_.value_bits + guard_bits; }             ///< L
  std::size_t guarded_mask_bits() const { return guarded_bits() + numbers_.sigma; }

  /// Throws Error naming `where`, the bound and the option that would fix it, unless a product of this inner
  /// dimension with this multiplier fits: inner <= max_inner, |scale| <= 2^shift.
  void check_product(const std::string& where, std::size_t inner, const Rescale& rescale) const;
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
