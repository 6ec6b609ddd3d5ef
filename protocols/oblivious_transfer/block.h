// Blocks of 128 bits: the labels, offsets, seeds and pads of oblivious transfers.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "paillier/secret_text.h"

namespace smlp {

/// Sixteen bytes, the first of them the lowest of `low`.
struct alignas(16) Block {
  std::uint64_t low = 0, high = 0;

  bool operator==(const Block&) const = default;
  friend constexpr Block operator^(Block a, Block b) { return {a.low ^ b.low, a.high ^ b.high}; }
  friend constexpr Block operator&(Block a, Block b) { return {a.low & b.low, a.high & b.high}; }
  Block& operator^=(Block other) { return *this = *this ^ other; }
  unsigned bit(std::size_t i) const {
    return static_cast<unsigned>((i < 64 ? low >> i : high >> (i - 64)) & 1);
  }
};
static_assert(std::endian::native == std::endian::little, "blocks travel as bytes, lowest first");

/// All ones for the bit 1, zero for 0.
constexpr Block block_mask(unsigned bit) {
  const std::uint64_t word = 0 - static_cast<std::uint64_t>(bit);
  return {word, word};
}

/// The first sixteen bytes.
inline Block to_block(std::span<const std::uint8_t> bytes) {
  Block block;
  std::memcpy(&block, bytes.first(sizeof block).data(), sizeof block);
  return block;
}

inline void append_blocks(std::span<const Block> blocks, Bytes& out) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(blocks.data());
  out.insert(out.end(), bytes, bytes + blocks.size_bytes());
}

/// Secret blocks; wiped at the end.
using SecretBlocks = std::vector<Block, WipingAllocator<Block>>;

}  // namespace smlp
