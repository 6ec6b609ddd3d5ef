// Correlated oblivious transfers from 128 base transfers: semi-honest, kappa = 128. SoftSpokenOT (Roy 2022)
// with trees of `depth` levels; with depth 1 it is that of Asharov, Lindell, Schneider,
// Zohner 2013 (section 5.3) and Ishai, Kilian, Nissim, Petrank 2003.
//
// The chooser has bits c_j, the other side an offset. The chooser gets labels t_j, the other side q_j, with
//   t_j = q_j ^ c_j offset.
// There are 128 / depth trees. Of tree i the chooser has the seeds of all 2^depth leaves, the other side
// those of all but one: leaf y = not D, D the bits i depth, .. of the offset (base_transfers.h). G is the
// stream of a seed for a label, a column of bits.
//   corrections   u_i = c ^ sum of all G(leaf y), the one message: a column for each tree
//   column b      t: sum of G(leaf y) where bit b of y is 0
//                 q: sum of G(leaf y) where bit b of y is that of D, and u_i besides where that is 1
// Twice the depth halves the corrections. At depth 2 the chooser takes as many streams for them as at depth
// 1, and for labels alone, as the other side, half as many again.
//
// A label is for one batch of bits: a second batch under it would show the other side the XOR of both. So it
// holds the digest of what the bits follow from. Both sides cut a batch into the same pieces.
#pragma once

#include "protocols/oblivious_transfer/aes.h"

namespace smlp {

inline constexpr std::size_t transfer_bits = 128;  ///< kappa

/// Bytes of the corrections for a piece of so many transfers, on trees of this depth.
constexpr std::size_t correction_bytes(std::size_t depth, std::size_t transfers) {
  return transfer_bits / depth * ((transfers + 7) / 8);
}
/// Leaves of all trees.
constexpr std::size_t leaf_count(std::size_t depth) {
  return transfer_bits / depth << depth;
}

/// What the holder of the offset has of these leaves: of each tree those other than y = not D, in the order
/// of their difference from it, (y ^ not D) = 1, .. For samples and tests: parties have it by base transfers.
SecretBlocks known_leaves(const Block& offset, std::span<const Block> leaves, std::size_t depth);

class TransferChooser {
 public:
  /// Leaf y of tree i at 2^depth i + y. Throws Error unless there are leaf_count(depth).
  TransferChooser(std::span<const Block> leaves, std::size_t depth, const Label& label,
                  AesUnit unit = best_aes_unit());
  std::size_t correction_bytes(std::size_t transfers) const {
    return smlp::correction_bytes(depth_, transfers);
  }
  /// The next transfers: appends the corrections for `choices` (each 0 or 1) and gives the labels t_j.
  void extend(std::span<const std::uint8_t> choices, Bytes& corrections, std::span<Block> labels);
  /// The same labels alone: they do not depend on the choices.
  void labels(std::span<Block> labels);
  /// Past a piece of so many transfers.
  void skip(std::size_t transfers);

 private:
  AesUnit unit_;
  std::size_t depth_;
  std::vector<SeedStream> streams_;
  std::uint64_t position_ = 0;
};

class OffsetHolder {
 public:
  /// Those of known_leaves(). Throws Error unless there are as many.
  OffsetHolder(const Block& offset, std::span<const Block> known, std::size_t depth, const Label& label,
               AesUnit unit = best_aes_unit());
  /// The next transfers: reads their corrections and gives the labels q_j. Throws Error unless there are
  /// correction_bytes of them.
  void extend(std::span<const std::uint8_t> corrections, std::span<Block> labels);
  /// Past a piece of so many transfers.
  void skip(std::size_t transfers);

 private:
  AesUnit unit_;
  std::size_t depth_;
  SecretBlocks offset_;
  std::vector<SeedStream> streams_;
  std::uint64_t position_ = 0;
};

}  // namespace smlp
