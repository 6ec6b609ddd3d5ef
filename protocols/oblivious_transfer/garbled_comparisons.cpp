// Batches of garbled comparisons, piece by piece.
#include "protocols/oblivious_transfer/garbled_comparisons.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

namespace {

/// step(first, count) for each piece.
template <typename Step>
void in_pieces(std::size_t comparisons, const Step& step) {
  for (std::size_t first = 0; first < comparisons; first += comparisons_in_piece)
    step(first, std::min(comparisons_in_piece, comparisons - first));
}

/// Another than the seed, under which the labels are.
Block gates_key(const Block& seed) {
  return hash_key("gates", {reinterpret_cast<const std::uint8_t*>(&seed), sizeof seed});
}

}  // namespace

RequestBody& RequestBody::add(const GarbledComparisons& comparisons) {
  bytes_.insert(bytes_.end(), comparisons.bytes().begin(), comparisons.bytes().end());
  return *this;
}

GarbledComparisons garble(const EvaluatorTransfers& transfers, const Label& label,
                          std::span<const std::uint8_t> corrections, const Block& seed, std::size_t bits,
                          std::span<const std::uint64_t> r) {
  if (corrections.size() != key_holder_corrections(r.size() * bits))
    throw Error("the corrections of " + std::to_string(r.size()) + " comparisons have " +
                std::to_string(corrections.size()) + " bytes, expected are " +
                std::to_string(key_holder_corrections(r.size() * bits)));
  OffsetHolder holder = transfers.offset_holder(label);
  ComparisonGarbler garbler(transfers.offset(), gates_key(seed), seed, bits);
  GarbledComparisons out;
  out.shares_.resize(r.size());
  out.bytes_.reserve(garbled_bytes(r.size(), bits));
  append_blocks({&seed, 1}, out.bytes_);
  SecretBlocks zeros(comparisons_in_piece * bits);
  std::vector<Block> tables(comparisons_in_piece * table_blocks(bits));
  in_pieces(r.size(), [&](std::size_t first, std::size_t count) {
    const std::span<Block> labels = std::span(zeros).first(count * bits),
                           gates = std::span(tables).first(count * table_blocks(bits));
    holder.extend(
        corrections.subspan(key_holder_corrections(first * bits), key_holder_corrections(count * bits)),
        labels);
    garbler.garble(labels, r.subspan(first, count), gates, std::span(out.shares_).subspan(first, count));
    append_blocks(gates, out.bytes_);
  });
  return out;
}

Bytes choose_bits(TransferChooser chooser, std::size_t bits, std::span<const std::uint64_t> d) {
  Bytes corrections;
  corrections.reserve(chooser.correction_bytes(d.size() * bits));
  std::vector<std::uint8_t, WipingAllocator<std::uint8_t>> choices(comparisons_in_piece * bits);
  SecretBlocks labels(choices.size());
  in_pieces(d.size(), [&](std::size_t first, std::size_t count) {
    for (std::size_t j = 0; j < count; ++j)
      for (std::size_t i = 0; i < bits; ++i)
        choices[j * bits + i] = static_cast<std::uint8_t>(d[first + j] >> i & 1);
    chooser.extend(std::span(choices).first(count * bits), corrections,
                   std::span(labels).first(count * bits));
  });
  return corrections;
}

std::vector<std::uint8_t> evaluate(TransferChooser chooser, std::size_t bits, std::size_t comparisons,
                                   std::span<const std::uint8_t> garbled) {
  if (garbled.size() != garbled_bytes(comparisons, bits))
    throw Error(std::to_string(comparisons) + " garbled comparisons have " + std::to_string(garbled.size()) +
                " bytes, expected are " + std::to_string(garbled_bytes(comparisons, bits)));
  const Block seed = to_block(garbled);
  ComparisonEvaluator evaluator(gates_key(seed), seed, bits);
  std::vector<std::uint8_t> shares(comparisons);
  SecretBlocks active(comparisons_in_piece * bits);
  std::vector<Block> tables(comparisons_in_piece * table_blocks(bits));
  const std::size_t each = table_blocks(bits);
  in_pieces(comparisons, [&](std::size_t first, std::size_t count) {
    const std::span<Block> labels = std::span(active).first(count * bits);
    chooser.labels(labels);
    const auto bytes = garbled.subspan((1 + first * each) * sizeof(Block), count * each * sizeof(Block));
    if (!bytes.empty()) std::memcpy(tables.data(), bytes.data(), bytes.size());
    evaluator.evaluate(labels, std::span(tables).first(count * each),
                       std::span(shares).subspan(first, count));
  });
  return shares;
}

}  // namespace smlp
