// Garbled comparison by half gates (Zahur, Rosulek, Evans 2015): two blocks an AND gate, XOR and NOT free.
//
// The circuit takes d = w + r and r modulo 2^L, the lowest bit first, and gives bit L-1 of w = d - r:
//   w_i = d_i ^ r_i ^ b_i,   b_(i+1) = (not d_i ^ b_i) (r_i ^ b_i) ^ b_i,   b_0 = 0,
// one AND a bit, L - 1 in all. The evaluator garbles: it holds r, and the labels of d's zeros from correlated
// transfers. The key holder evaluates: it holds d, and the labels of its bits. The labels of r's bits are the
// stream of a seed, which the evaluator sends. Their colours (lowest bits) at the end are XOR shares of the
// bit.
//
// The lowest bit of the offset is 1. The hash is TMMO with the tweaks 2g and 2g + 1 of gate g, under a key
// for one batch: comparison j has the gates j (L-1), .., and the labels j L, .. of the stream. Two batches
// under one key and offset, or two values of r under one seed, would show the offset.
#pragma once

#include "protocols/oblivious_transfer/aes.h"

namespace smlp {

/// Comparisons that are garbled together: as many hashes are in flight.
inline constexpr std::size_t comparisons_in_flight = 32;

/// What a comparison of `bits` bits (L) takes.
constexpr std::size_t table_blocks(std::size_t bits) {
  return 2 * (bits - 1);
}

/// Both parties' half of a batch of comparisons, taken in pieces. Secrets choose by masks alone.
class ComparisonGarbler {
 public:
  /// 1 <= bits <= 64. Throws Error otherwise, and for an offset whose lowest bit is 0.
  ComparisonGarbler(const Block& offset, const Block& hash_key, const Block& label_seed, std::size_t bits,
                    AesUnit unit = best_aes_unit());
  /// The next r.size() comparisons, of which the low `bits` bits count. `zeros`: the label of 0 of bit i of d
  /// j at j * bits + i. Gives table_blocks(bits) blocks a comparison and the shares s.
  void garble(std::span<const Block> zeros, std::span<const std::uint64_t> r, std::span<Block> tables,
              std::span<std::uint8_t> shares);

 private:
  SecretBlocks offset_;
  Aes128 hash_, labels_;
  std::size_t bits_;
  std::uint64_t done_ = 0;
};

class ComparisonEvaluator {
 public:
  ComparisonEvaluator(const Block& hash_key, const Block& label_seed, std::size_t bits,
                      AesUnit unit = best_aes_unit());
  /// The next shares.size() comparisons: labels of the bits of d, tables; gives the shares t.
  void evaluate(std::span<const Block> labels, std::span<const Block> tables, std::span<std::uint8_t> shares);

 private:
  Aes128 hash_, labels_;
  std::size_t bits_;
  std::uint64_t done_ = 0;
};

}  // namespace smlp
