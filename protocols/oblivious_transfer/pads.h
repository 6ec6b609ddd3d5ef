// Pads of transfers, as long as a message: a stream of blocks from each label.
//
// Block b of transfer j is H(label, tweak b + 2^64 j), H the TMMO hash of Guo, Katz, Wang, Yu 2020 (section
// 7.4), x = pi(label):  pi(x ^ tweak) ^ x. x is made once a label, so a block takes one AES and a label one
// more. A key of the hash is for one batch, in which each transfer has a number of its own: two contents
// under one key and number would show their difference.
#pragma once

#include "protocols/oblivious_transfer/aes.h"

namespace smlp {

class TransferPads {
 public:
  /// The key is public.
  explicit TransferPads(const Block& key, AesUnit unit = best_aes_unit()) : hash_(key, unit) {}
  /// Labels become what their pads are made from, in place.
  void prepare(std::span<Block> labels) const { hash_.encrypt(labels); }
  /// The first blocks of the pad of a prepared label.
  void pad(const Block& prepared, std::uint64_t transfer, std::span<Block> out) const {
    hash_.pad(prepared ^ Block{0, transfer}, prepared, out);
  }

 private:
  Aes128 hash_;
};

}  // namespace smlp
