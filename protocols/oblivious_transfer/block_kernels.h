// What is done with many blocks on a processor's AES and vector instructions, chosen at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocols/oblivious_transfer/block.h"

namespace smlp {

inline constexpr std::size_t aes_round_keys = 11;

/// Null where there are no AES instructions: Aes128 then asks OpenSSL.
struct BlockKernels {
  void (*expand)(const Block& key, Block* round_keys);
  /// Blocks in place.
  void (*encrypt)(const Block* round_keys, Block* blocks, std::size_t count);
  /// out[i] = pi(first + i).
  void (*counter)(const Block* round_keys, std::uint64_t first, Block* out, std::size_t count);
  /// x = pi(pi(x) ^ tweak) ^ pi(x), in place.
  void (*hash)(const Block* round_keys, Block* x, const Block* tweaks, std::size_t count);
  /// out[b] = pi(b ^ input) ^ mask, b a number of 128 bits.
  void (*pad)(const Block* round_keys, const Block& input, const Block& mask, Block* out, std::size_t count);
  /// 128 columns of `squares` blocks, `stride` blocks apart, to 128 * squares rows.
  void (*transpose)(const Block* columns, std::size_t stride, std::size_t squares, Block* rows);
};

/// Those of one instruction set; null where the compiler or this processor does not have it.
const BlockKernels* aes_ni_kernels();
const BlockKernels* vaes256_kernels();
const BlockKernels* vaes512_kernels();

}  // namespace smlp
