// Montgomery products on rows of machine words, over GMP's public mpn layer: the path of every processor.
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

  /// out = a b / R; out may be a or b.
  void multiply(Limb* out, const Limb* a, const Limb* b) const;
  /// out = a a / R; out may be a.
  void square(Limb* out, const Limb* a) const;
  /// The plain limbs of x, padded with zeros. Throws Error when x is not in [0, m).
  void load(Limb* out, const Integer& x) const;
  /// out = the number in [0, m) that is a mod m, for a < 4 m. All that comes from load, one, r_squared and
  /// products is: it is below R < 4 m, or, for R >= 4 m, below 2 m, which products keep.
  void store(Limb* out, const Limb* a) const;
  /// The Montgomery form of 1.
  const Limb* one() const { return one_.data(); }
  /// The form of R: a product with it puts a plain number into Montgomery form.
  const Limb* r_squared() const { return r_squared_.data(); }

 private:
  template <typename Body>
  void with_scratch(Body body) const;
  /// Adds a multiple of m's lowest n limbs to the 2 n limbs of x that makes its lowest n limbs zero (they
  /// keep no value), and writes its n limbs to `quotient`. Returns the carry, 0 or 1. Overwrites n limbs of
  /// scratch.
  Limb clear(Limb* x, mp_size_t n, Limb* quotient, Limb* scratch) const;
  /// out = product / R, of a product of 2 n limbs, which are overwritten as are 2 n of scratch.
  void reduce(Limb* out, Limb* product, Limb* scratch) const;

  Integer modulus_;
  std::size_t limbs_;
  std::vector<Limb> m_, one_, r_squared_;
  Limb negative_inverse_;  // -1/m mod 2^64
};

}  // namespace smlp
