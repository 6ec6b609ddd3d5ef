// The extension of oblivious transfers, piece by piece.
#include "protocols/oblivious_transfer/extension.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

namespace {

std::vector<SeedStream> streams_of(std::span<const Block> seeds, std::size_t expected, const Label& label,
                                   AesUnit unit) {
  if (seeds.size() != expected)
    throw Error("an extension of transfers got " + std::to_string(seeds.size()) + " seeds, it needs " +
                std::to_string(expected));
  std::vector<SeedStream> streams;
  streams.reserve(seeds.size());
  for (const Block& seed : seeds) streams.emplace_back(seed, label, unit);
  return streams;
}

/// Rows of the columns: as many labels as there are transfers, from whole squares.
void rows_of(std::span<const Block> columns, std::span<Block> labels, AesUnit unit) {
  if (labels.size() == columns.size()) return transpose(columns, labels, unit);
  SecretBlocks rows(columns.size());
  transpose(columns, rows, unit);
  std::copy_n(rows.begin(), labels.size(), labels.begin());
}

constexpr std::size_t blocks_for(std::size_t transfers) {
  return (transfers + transfer_bits - 1) / transfer_bits;
}

/// The lowest bit of each byte, eight to a byte, lowest first.
SecretBlocks packed_bits(std::span<const std::uint8_t> bits) {
  SecretBlocks packed(blocks_for(bits.size()));
  for (std::size_t j = 0; j < bits.size(); ++j) {
    Block& block = packed[j / 128];
    const std::uint64_t bit = static_cast<std::uint64_t>(bits[j] & 1) << (j % 64);
    (j % 128 < 64 ? block.low : block.high) |= bit;
  }
  return packed;
}

void add_to(std::span<Block> column, std::span<const Block> other) {
  for (std::size_t k = 0; k < column.size(); ++k) column[k] ^= other[k];
}

/// The columns of a tree, one for each bit of its leaves.
std::span<Block> columns_of(std::span<Block> columns, std::size_t tree, std::size_t depth,
                            std::size_t blocks) {
  return columns.subspan(tree * depth * blocks, depth * blocks);
}

/// Adds the stream of a leaf to those of its tree's columns whose bit is in `bits`.
void add_leaf(std::span<Block> columns, std::size_t bits, std::span<const Block> leaf) {
  for (std::size_t b = 0; b * leaf.size() < columns.size(); ++b)
    if ((bits >> b & 1) == 1) add_to(columns.subspan(b * leaf.size(), leaf.size()), leaf);
}

/// D of a tree.
std::size_t path_of(const Block& offset, std::size_t tree, std::size_t depth) {
  std::size_t path = 0;
  for (std::size_t b = 0; b < depth; ++b) path |= static_cast<std::size_t>(offset.bit(tree * depth + b)) << b;
  return path;
}

}  // namespace

SecretBlocks known_leaves(const Block& offset, std::span<const Block> leaves, std::size_t depth) {
  const std::size_t of_tree = std::size_t{1} << depth;
  SecretBlocks known;
  for (std::size_t tree = 0; tree < transfer_bits / depth; ++tree) {
    const std::size_t unknown = path_of(offset, tree, depth) ^ (of_tree - 1);
    for (std::size_t d = 1; d < of_tree; ++d) known.push_back(leaves[tree * of_tree + (unknown ^ d)]);
  }
  return known;
}

TransferChooser::TransferChooser(std::span<const Block> leaves, std::size_t depth, const Label& label,
                                 AesUnit unit)
    : unit_(unit), depth_(depth), streams_(streams_of(leaves, leaf_count(depth), label, unit)) {}

void TransferChooser::extend(std::span<const std::uint8_t> choices, Bytes& corrections,
                             std::span<Block> labels) {
  if (labels.size() != choices.size())
    throw Error(std::to_string(choices.size()) + " choices do not give " + std::to_string(labels.size()) +
                " labels");
  const std::size_t blocks = blocks_for(choices.size()), bytes = (choices.size() + 7) / 8;
  const SecretBlocks packed = packed_bits(choices);
  SecretBlocks columns(transfer_bits * blocks), leaf(blocks), sum(blocks);
  std::size_t at = corrections.size();
  corrections.resize(at + correction_bytes(choices.size()));
  for (std::size_t tree = 0; tree < transfer_bits / depth_; ++tree, at += bytes) {
    std::ranges::copy(packed, sum.begin());
    for (std::size_t y = 0; y >> depth_ == 0; ++y) {
      streams_[(tree << depth_) + y].fill(position_, leaf);
      add_to(sum, leaf);
      add_leaf(columns_of(columns, tree, depth_, blocks), ~y, leaf);
    }
    std::memcpy(corrections.data() + at, sum.data(), bytes);
  }
  position_ += blocks;
  rows_of(columns, labels, unit_);
}

void TransferChooser::labels(std::span<Block> labels) {
  const std::size_t blocks = blocks_for(labels.size()), all = (std::size_t{1} << depth_) - 1;
  SecretBlocks columns(transfer_bits * blocks), leaf(blocks);
  for (std::size_t tree = 0; tree < transfer_bits / depth_; ++tree)
    for (std::size_t y = 0; y < all; ++y) {
      streams_[(tree << depth_) + y].fill(position_, leaf);
      add_leaf(columns_of(columns, tree, depth_, blocks), ~y, leaf);
    }
  position_ += blocks;
  rows_of(columns, labels, unit_);
}

void TransferChooser::skip(std::size_t transfers) {
  position_ += blocks_for(transfers);
}

OffsetHolder::OffsetHolder(const Block& offset, std::span<const Block> known, std::size_t depth,
                           const Label& label, AesUnit unit)
    : unit_(unit),
      depth_(depth),
      offset_{offset},
      streams_(streams_of(known, leaf_count(depth) - transfer_bits / depth, label, unit)) {}

void OffsetHolder::extend(std::span<const std::uint8_t> corrections, std::span<Block> labels) {
  const std::size_t expected = correction_bytes(depth_, labels.size());
  if (corrections.size() != expected)
    throw Error("the corrections of " + std::to_string(labels.size()) + " transfers have " +
                std::to_string(corrections.size()) + " bytes, expected are " + std::to_string(expected));
  const std::size_t blocks = blocks_for(labels.size()), bytes = (labels.size() + 7) / 8;
  const std::size_t known = (std::size_t{1} << depth_) - 1;
  SecretBlocks columns(transfer_bits * blocks), leaf(blocks);
  std::vector<Block> correction(blocks);
  for (std::size_t tree = 0; tree < transfer_bits / depth_; ++tree) {
    const std::span<Block> of_tree = columns_of(columns, tree, depth_, blocks);
    for (std::size_t d = 1; d <= known; ++d) {
      streams_[tree * known + d - 1].fill(position_, leaf);
      add_leaf(of_tree, d, leaf);
    }
    std::memcpy(correction.data(), corrections.data() + tree * bytes, bytes);
    for (std::size_t b = 0; b < depth_; ++b) {
      const Block chosen = block_mask(offset_[0].bit(tree * depth_ + b));
      const std::span<Block> of_bit = of_tree.subspan(b * blocks, blocks);
      for (std::size_t k = 0; k < blocks; ++k) of_bit[k] ^= correction[k] & chosen;
    }
  }
  position_ += blocks;
  rows_of(columns, labels, unit_);
}

void OffsetHolder::skip(std::size_t transfers) {
  position_ += blocks_for(transfers);
}

}  // namespace smlp
