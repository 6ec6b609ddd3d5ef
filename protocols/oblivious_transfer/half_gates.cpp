// Garbling and evaluating comparisons, several side by side: gate i of all of them at once.
#include "protocols/oblivious_transfer/half_gates.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t most = comparisons_in_flight;

unsigned colour(const Block& label) {
  return static_cast<unsigned>(label.low & 1);
}

void check_bits(std::size_t bits) {
  if (bits < 1 || bits > 64)
    throw Error("a garbled comparison of " + std::to_string(bits) + " bits; it takes from 1 to 64");
}

void check_sizes(std::size_t comparisons, std::size_t bits, std::size_t labels, std::size_t tables) {
  if (labels != comparisons * bits || tables != comparisons * table_blocks(bits))
    throw Error(std::to_string(comparisons) + " comparisons of " + std::to_string(bits) + " bits got " +
                std::to_string(labels) + " labels and " + std::to_string(tables) + " blocks of tables");
}

}  // namespace

ComparisonGarbler::ComparisonGarbler(const Block& offset, const Block& hash_key, const Block& label_seed,
                                     std::size_t bits, AesUnit unit)
    : offset_{offset}, hash_(hash_key, unit), labels_(label_seed, unit), bits_(bits) {
  check_bits(bits);
  if (colour(offset) != 1) throw Error("the lowest bit of an offset must be 1");
}

void ComparisonGarbler::garble(std::span<const Block> zeros, std::span<const std::uint64_t> r,
                               std::span<Block> tables, std::span<std::uint8_t> shares) {
  check_sizes(r.size(), bits_, zeros.size(), tables.size());
  if (shares.size() != r.size()) throw Error("comparisons and shares differ in number");
  const Block delta = offset_[0];
  SecretBlocks own(most * bits_), borrow(most), hashed(4 * most);
  std::vector<Block> tweaks(4 * most);
  for (std::size_t first = 0; first < r.size(); first += most) {
    const std::size_t count = std::min(most, r.size() - first);
    labels_.counter((done_ + first) * bits_, std::span(own).first(count * bits_));
    std::fill(borrow.begin(), borrow.end(), Block{});
    for (std::size_t i = 0; i < bits_; ++i) {
      const bool last = i + 1 == bits_;
      for (std::size_t j = 0; j < count; ++j) {
        const Block x = zeros[(first + j) * bits_ + i];
        const auto bit = static_cast<unsigned>(r[first + j] >> i & 1);
        const Block y = own[j * bits_ + i] ^ (delta & block_mask(bit));
        if (last) {
          shares[first + j] = static_cast<std::uint8_t>(colour(x ^ y ^ borrow[j]));
          continue;
        }
        const Block a = x ^ delta ^ borrow[j], b = y ^ borrow[j];
        hashed[4 * j] = a;
        hashed[4 * j + 1] = a ^ delta;
        hashed[4 * j + 2] = b;
        hashed[4 * j + 3] = b ^ delta;
        const std::uint64_t gate = (done_ + first + j) * (bits_ - 1) + i;
        tweaks[4 * j] = tweaks[4 * j + 1] = {2 * gate, 0};
        tweaks[4 * j + 2] = tweaks[4 * j + 3] = {2 * gate + 1, 0};
      }
      if (last) break;
      hash_.hash(std::span(hashed).first(4 * count), std::span(tweaks).first(4 * count));
      for (std::size_t j = 0; j < count; ++j) {
        const Block x = zeros[(first + j) * bits_ + i];
        const auto bit = static_cast<unsigned>(r[first + j] >> i & 1);
        const Block y = own[j * bits_ + i] ^ (delta & block_mask(bit));
        const Block a = x ^ delta ^ borrow[j], b = y ^ borrow[j];
        const Block generated = hashed[4 * j] ^ hashed[4 * j + 1] ^ (delta & block_mask(colour(b)));
        const Block evaluated = hashed[4 * j + 2] ^ hashed[4 * j + 3] ^ a;
        const std::size_t gate = (first + j) * (bits_ - 1) + i;
        tables[2 * gate] = generated;
        tables[2 * gate + 1] = evaluated;
        borrow[j] ^= hashed[4 * j] ^ (generated & block_mask(colour(a))) ^ hashed[4 * j + 2] ^
                     ((evaluated ^ a) & block_mask(colour(b)));
      }
    }
  }
  done_ += r.size();
}

ComparisonEvaluator::ComparisonEvaluator(const Block& hash_key, const Block& label_seed, std::size_t bits,
                                         AesUnit unit)
    : hash_(hash_key, unit), labels_(label_seed, unit), bits_(bits) {
  check_bits(bits);
}

void ComparisonEvaluator::evaluate(std::span<const Block> labels, std::span<const Block> tables,
                                   std::span<std::uint8_t> shares) {
  check_sizes(shares.size(), bits_, labels.size(), tables.size());
  SecretBlocks others(most * bits_), borrow(most), hashed(2 * most);
  std::vector<Block> tweaks(2 * most);
  for (std::size_t first = 0; first < shares.size(); first += most) {
    const std::size_t count = std::min(most, shares.size() - first);
    labels_.counter((done_ + first) * bits_, std::span(others).first(count * bits_));
    std::fill(borrow.begin(), borrow.end(), Block{});
    for (std::size_t i = 0; i < bits_; ++i) {
      const bool last = i + 1 == bits_;
      for (std::size_t j = 0; j < count; ++j) {
        const Block x = labels[(first + j) * bits_ + i], y = others[j * bits_ + i];
        if (last) {
          shares[first + j] = static_cast<std::uint8_t>(colour(x ^ y ^ borrow[j]));
          continue;
        }
        hashed[2 * j] = x ^ borrow[j];
        hashed[2 * j + 1] = y ^ borrow[j];
        const std::uint64_t gate = (done_ + first + j) * (bits_ - 1) + i;
        tweaks[2 * j] = {2 * gate, 0};
        tweaks[2 * j + 1] = {2 * gate + 1, 0};
      }
      if (last) break;
      hash_.hash(std::span(hashed).first(2 * count), std::span(tweaks).first(2 * count));
      for (std::size_t j = 0; j < count; ++j) {
        const Block a = labels[(first + j) * bits_ + i] ^ borrow[j], b = others[j * bits_ + i] ^ borrow[j];
        const std::size_t gate = (first + j) * (bits_ - 1) + i;
        borrow[j] ^= hashed[2 * j] ^ (tables[2 * gate] & block_mask(colour(a))) ^ hashed[2 * j + 1] ^
                     ((tables[2 * gate + 1] ^ a) & block_mask(colour(b)));
      }
    }
  }
  done_ += shares.size();
}

}  // namespace smlp
