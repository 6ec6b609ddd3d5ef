// Montgomery products on rows of machine words, over GMP's public mpn layer. For the kernels alone.
#pragma once

#include <gmp.h>

#include <cstddef>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

/// Arithmetic modulo one odd modulus m > 1 of n limbs, R = 2^(64 n). A residue x stands as any n-limb number
/// that is x R mod m: not reduced below m between operations (a carry out of R takes one m away, which
/// suffices). Montgomery, Modular multiplication without trial division, Math. Comp. 44, 1985.
class Montgomery {
 public:
  using Limb = mp_limb_t;

  explicit Montgomery(const Integer& modulus);
  Montgomery(const Montgomery&) = delete;
  Montgomery& operator=(const Montgomery&) = delete;
  ~Montgomery();

  const Integer& modulus() const { return modulus_; }
  std::size_t limbs() const { return limbs_; }
  /// Limbs of scratch that the operations below need.
  std::size_t scratch_limbs() const { return 2 * limbs_; }

  /// out = a b / R; out may be a or b.
  void multiply(Limb* out, const Limb* a, const Limb* b, Limb* scratch) const;
  /// out = a a / R.
  void square(Limb* out, const Limb* a, Limb* scratch) const;
  /// out = the Montgomery form of x in [0, m).
  void enter(Limb* out, const Integer& x, Limb* scratch) const;
  /// The x in [0, m) of a Montgomery form.
  Integer leave(const Limb* a, Limb* scratch) const;
  /// The x y in [0, m) of a Montgomery form of x and an ordinary y in [0, m): one product, nothing more.
  Integer leave_times(const Limb* a, const Integer& y, Limb* scratch) const;
  /// The Montgomery form of 1.
  const Limb* one() const { return one_.data(); }

  /// x's limbs, padded with zeros. Throws Error when x is not in [0, m).
  void load(Limb* out, const Integer& x) const;

 private:
  void reduce(Limb* out, Limb* product) const;
  Integer canonical(Limb* a) const;

  Integer modulus_;
  std::size_t limbs_;
  std::vector<Limb> m_, one_, r_squared_;
  Limb negative_inverse_;  // -1/m mod 2^64
};

}  // namespace smlp
