// Ciphertext types. A local one may be the product of public operations; only a fresh one may leave for a
// peer.
#pragma once

#include <utility>

#include "paillier/integer.h"

namespace smlp {

/// A ciphertext that stays with its holder: its randomness may tell how it was made. `Scheme` is Paillier or
/// Dgk.
template <typename Scheme>
class BasicCiphertext {
 public:
  /// The residue, for arithmetic inside the scheme and for tests.
  const Integer& residue() const { return residue_; }
  bool operator==(const BasicCiphertext&) const = default;

 private:
  friend Scheme;
  explicit BasicCiphertext(Integer residue) : residue_(std::move(residue)) {}
  Integer residue_;
};

/// A ciphertext whose randomness was drawn just now. The codec takes nothing else.
template <typename Scheme>
class BasicFreshCiphertext {
 public:
  const BasicCiphertext<Scheme>& local() const { return ciphertext_; }

 private:
  friend Scheme;
  explicit BasicFreshCiphertext(BasicCiphertext<Scheme> ciphertext) : ciphertext_(std::move(ciphertext)) {}
  BasicCiphertext<Scheme> ciphertext_;
};

}  // namespace smlp
