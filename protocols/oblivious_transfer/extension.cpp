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

}  // namespace

TransferChooser::TransferChooser(std::span<const Block> seeds, const Label& label, AesUnit unit)
    : unit_(unit), streams_(streams_of(seeds, 2 * transfer_bits, label, unit)) {}

void TransferChooser::extend(std::span<const std::uint8_t> choices, Bytes& corrections,
                             std::span<Block> labels) {
  if (labels.size() != choices.size())
    throw Error(std::to_string(choices.size()) + " choices do not give " + std::to_string(labels.size()) +
                " labels");
  const std::size_t blocks = blocks_for(choices.size()), bytes = (choices.size() + 7) / 8;
  const SecretBlocks packed = packed_bits(choices);
  SecretBlocks columns(transfer_bits * blocks), other(blocks);
  std::size_t at = corrections.size();
  corrections.resize(at + transfer_bits * bytes);
  for (std::size_t i = 0; i < transfer_bits; ++i, at += bytes) {
    const std::span<Block> column = std::span(columns).subspan(i * blocks, blocks);
    streams_[2 * i].fill(position_, column);
    streams_[2 * i + 1].fill(position_, other);
    for (std::size_t k = 0; k < blocks; ++k) other[k] ^= column[k] ^ packed[k];
    std::memcpy(corrections.data() + at, other.data(), bytes);
  }
  position_ += blocks;
  rows_of(columns, labels, unit_);
}

void TransferChooser::labels(std::span<Block> labels) {
  const std::size_t blocks = blocks_for(labels.size());
  SecretBlocks columns(transfer_bits * blocks);
  for (std::size_t i = 0; i < transfer_bits; ++i)
    streams_[2 * i].fill(position_, std::span(columns).subspan(i * blocks, blocks));
  position_ += blocks;
  rows_of(columns, labels, unit_);
}

void TransferChooser::skip(std::size_t transfers) {
  position_ += blocks_for(transfers);
}

OffsetHolder::OffsetHolder(const Block& offset, std::span<const Block> seeds, const Label& label,
                           AesUnit unit)
    : unit_(unit), offset_{offset}, streams_(streams_of(seeds, transfer_bits, label, unit)) {}

void OffsetHolder::extend(std::span<const std::uint8_t> corrections, std::span<Block> labels) {
  if (corrections.size() != correction_bytes(labels.size()))
    throw Error("the corrections of " + std::to_string(labels.size()) + " transfers have " +
                std::to_string(corrections.size()) + " bytes, expected are " +
                std::to_string(correction_bytes(labels.size())));
  const std::size_t blocks = blocks_for(labels.size()), bytes = (labels.size() + 7) / 8;
  SecretBlocks columns(transfer_bits * blocks);
  std::vector<Block> correction(blocks);
  for (std::size_t i = 0; i < transfer_bits; ++i) {
    const std::span<Block> column = std::span(columns).subspan(i * blocks, blocks);
    streams_[i].fill(position_, column);
    std::memcpy(correction.data(), corrections.data() + i * bytes, bytes);
    const Block chosen = block_mask(offset_[0].bit(i));
    for (std::size_t k = 0; k < blocks; ++k) column[k] ^= correction[k] & chosen;
  }
  position_ += blocks;
  rows_of(columns, labels, unit_);
}

void OffsetHolder::skip(std::size_t transfers) {
  position_ += blocks_for(transfers);
}

}  // namespace smlp
