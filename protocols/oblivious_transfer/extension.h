// Correlated oblivious transfers from 128 base transfers (Asharov, Lindell, Schneider, Zohner 2013, section
// 5.3; Ishai, Kilian, Nissim, Petrank 2003): semi-honest, kappa = 128.
//
// The chooser has bits c_j, the other side an offset. The chooser gets labels t_j, the other side q_j, with
//   t_j = q_j ^ c_j offset.
// The one message are the chooser's corrections u_i = G(k_i^0) ^ G(k_i^1) ^ c, a column of bits for each of
// the 128 seed pairs; base transfers gave the other side the seeds k_i^(bit i of the offset). G is the stream
// of a seed for a label.
//
// A label is for one batch of bits: a second batch under it would show the other side the XOR of both. So it
// holds the digest of what the bits follow from. Both sides cut a batch into the same pieces.
#pragma once

#include "protocols/oblivious_transfer/aes.h"

namespace smlp {

inline constexpr std::size_t transfer_bits = 128;  ///< kappa

/// Bytes of the corrections for a piece of so many transfers.
constexpr std::size_t correction_bytes(std::size_t transfers) {
  return transfer_bits * ((transfers + 7) / 8);
}

class TransferChooser {
 public:
  /// Seeds k_i^0 and k_i^1 at 2i and 2i + 1. Throws Error unless there are 256.
  TransferChooser(std::span<const Block> seeds, const Label& label, AesUnit unit = best_aes_unit());
  /// The next transfers: appends the corrections for `choices` (each 0 or 1) and gives the labels t_j.
  void extend(std::span<const std::uint8_t> choices, Bytes& corrections, std::span<Block> labels);
  /// The same labels alone: they do not depend on the choices.
  void labels(std::span<Block> labels);
  /// Past a piece of so many transfers.
  void skip(std::size_t transfers);

 private:
  AesUnit unit_;
  std::vector<SeedStream> streams_;
  std::uint64_t position_ = 0;
};

class OffsetHolder {
 public:
  /// The seed of each pair that the offset chose. Throws Error unless there are 128.
  OffsetHolder(const Block& offset, std::span<const Block> seeds, const Label& label,
               AesUnit unit = best_aes_unit());
  /// The next transfers: reads their corrections and gives the labels q_j. Throws Error unless there are
  /// correction_bytes of them.
  void extend(std::span<const std::uint8_t> corrections, std::span<Block> labels);
  /// Past a piece of so many transfers.
  void skip(std::size_t transfers);

 private:
  AesUnit unit_;
  SecretBlocks offset_;
  std::vector<SeedStream> streams_;
  std::uint64_t position_ = 0;
};

}  // namespace smlp
