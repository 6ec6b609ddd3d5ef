// Products and squares by the size of their modulus, and what they take at least.
#pragma once

#include <array>
#include <memory>

#include "bench/samples.h"
#include "paillier/keys.h"
#include "paillier/lanes.h"
#include "protocols/protocol.h"

namespace smlp::bench {

/// Sizes of moduli under a key of b bits.
enum Size : std::size_t {
  half,   ///< b / 2: a prime
  whole,  ///< b: n of DGK, the square of a prime
  twice,  ///< 2 b: n^2
};
inline constexpr std::size_t sizes = 3;

/// Of one residue.
struct Count {
  std::array<double, sizes> products{}, squares{};

  Count& operator+=(const Count& other);
  friend Count operator*(double factor, Count count);
  double all() const;
};

/// What `work` has the lanes do, over `units` of it.
template <typename Work>
Count count_of(const Lanes& lanes, Size size, std::size_t units, Work&& work) {
  const OperationCount before = lanes.count();
  work();
  const OperationCount after = lanes.count();
  Count count;
  count.products[size] = static_cast<double>(after.products - before.products) / static_cast<double>(units);
  count.squares[size] = static_cast<double>(after.squares - before.squares) / static_cast<double>(units);
  return count;
}

/// Counts of the operations that protocols declare, for an element among many, by calls of the same kernels
/// with numbers of the same sizes.
struct OperationCounts {
  Count rerandomisation, encryption, decryption;         ///< Paillier; encryption by the key holder
  Count bit_rerandomisation, bit_encryption, zero_test;  ///< DGK
  explicit OperationCounts(const SecretKeys& keys);
  Count of(const Operations& operations) const;
};

/// Arithmetic of each size under a key.
std::array<std::shared_ptr<const Lanes>, sizes> lanes_of(const SecretKeys& keys);

/// 64 products (or squares) one after the other of full blocks in Montgomery form; a unit is one residue.
Task product_task(std::shared_ptr<const Lanes> lanes, bool square = false);

}  // namespace smlp::bench
