// Both halves of a batch of garbled comparisons on what the messages hold: correlated transfers of the bits
// of d (extension.h), then tables (half_gates.h). In pieces, so that labels take little memory whatever the
// batch is.
//
//   K -> E  corrections for the L bits of each d, piece by piece
//   E -> K  a seed, then the tables
// From the seed follow the labels of the evaluator's bits and the key of the hash. It is for one batch.
#pragma once

#include "protocols/oblivious_transfer/half_gates.h"
#include "protocols/oblivious_transfer/session.h"

namespace smlp {

/// Their transfers fill whole squares of the transpose, and whole bytes of corrections.
inline constexpr std::size_t comparisons_in_piece = 128;

/// Bytes of the tables and seed of so many comparisons of `bits` bits.
constexpr std::size_t garbled_bytes(std::size_t comparisons, std::size_t bits) {
  return sizeof(Block) + comparisons * table_blocks(bits) * sizeof(Block);
}

// Evaluator.

/// Tables and the seed of the labels, as they are sent, and the evaluator's share of each bit.
class GarbledComparisons {
 public:
  const Bytes& bytes() const { return bytes_; }
  const std::vector<std::uint8_t>& shares() const { return shares_; }

 private:
  friend GarbledComparisons garble(const EvaluatorTransfers&, const Label&, std::span<const std::uint8_t>,
                                   const Block&, std::size_t, std::span<const std::uint64_t>);
  Bytes bytes_;
  std::vector<std::uint8_t> shares_;
};

/// Bit `bits` - 1 of d - r for each r, of which the lowest `bits` bits count. `seed`: secret_for the request,
/// the answer that the corrections came in, and r. Throws Error unless there are key_holder_corrections of
/// them.
GarbledComparisons garble(const EvaluatorTransfers& transfers, const Label& label,
                          std::span<const std::uint8_t> corrections, const Block& seed, std::size_t bits,
                          std::span<const std::uint64_t> r);

// Key holder.

/// Corrections for the bits of each d.
Bytes choose_bits(TransferChooser chooser, std::size_t bits, std::span<const std::uint64_t> d);

/// The key holder's shares, from garbled_bytes. The chooser is one of the same ticket and label.
std::vector<std::uint8_t> evaluate(TransferChooser chooser, std::size_t bits, std::size_t comparisons,
                                   std::span<const std::uint8_t> garbled);

}  // namespace smlp
