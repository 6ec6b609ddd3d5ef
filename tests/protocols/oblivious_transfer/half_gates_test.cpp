// Garbled comparisons: every pair of small numbers, and tables against a garbler of half gates that goes gate
// by gate and hashes by OpenSSL alone.
#include "protocols/oblivious_transfer/half_gates.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

const Block key = random_blocks(1, 11).front(), seed = random_blocks(1, 12).front();

Block odd_offset() {
  Block offset = random_blocks(1, 13).front();
  offset.low |= 1;
  return offset;
}

struct Garbled {
  std::vector<Block> tables;
  Bytes s, t;
};

/// In pieces of `piece`. K's labels from the zero labels, as transfers would give them.
Garbled compare(const std::vector<std::uint64_t>& d, const std::vector<std::uint64_t>& r, std::size_t bits,
                std::span<const Block> zeros, const Block& offset, std::size_t piece,
                AesUnit unit = best_aes_unit()) {
  Garbled out{std::vector<Block>(d.size() * table_blocks(bits)), Bytes(d.size()), Bytes(d.size())};
  std::vector<Block> active(zeros.begin(), zeros.end());
  for (std::size_t j = 0; j < d.size(); ++j)
    for (std::size_t i = 0; i < bits; ++i) active[j * bits + i] ^= offset & block_mask(d[j] >> i & 1);
  ComparisonGarbler garbler(offset, key, seed, bits, unit);
  ComparisonEvaluator evaluator(key, seed, bits, unit);
  for (std::size_t first = 0; first < d.size(); first += piece) {
    const std::size_t count = std::min(piece, d.size() - first), table = table_blocks(bits);
    const auto tables = std::span(out.tables).subspan(first * table, count * table);
    garbler.garble(zeros.subspan(first * bits, count * bits), std::span(r).subspan(first, count), tables,
                   std::span(out.s).subspan(first, count));
    evaluator.evaluate(std::span<const Block>(active).subspan(first * bits, count * bits), tables,
                       std::span(out.t).subspan(first, count));
  }
  return out;
}

}  // namespace

TEST_CASE("half gates: every pair of 6-bit numbers") {
  constexpr std::size_t bits = 6;
  std::vector<std::uint64_t> d, r;
  for (std::uint64_t i = 0; i < 64; ++i)
    for (std::uint64_t j = 0; j < 64; ++j) {
      d.push_back(i | j << 40);  // beyond the low bits nothing counts
      r.push_back(j | i << 30);
    }
  const Garbled out = compare(d, r, bits, random_blocks(d.size() * bits, 1), odd_offset(), 100);
  std::size_t wrong = 0, ones = 0;
  for (std::size_t j = 0; j < d.size(); ++j) {
    wrong += (out.s[j] ^ out.t[j]) != ((d[j] - r[j]) >> (bits - 1) & 1);
    ones += out.t[j];
  }
  CHECK(wrong == 0);
  CHECK(ones > 1800);  // of 4,096: the key holder's share alone is a coin
  CHECK(ones < 2300);
}

TEST_CASE("half gates: any width, and the same bytes in any pieces and on any unit") {
  const Block offset = odd_offset();
  for (const std::size_t bits : {1U, 2U, 3U, 24U, 63U, 64U}) {
    std::vector<std::uint64_t> d, r;
    for (const Block& block : random_blocks(70, bits)) {
      d.push_back(block.low);
      r.push_back(block.high);
    }
    const std::vector<Block> zeros = random_blocks(d.size() * bits, 2);
    const Garbled whole = compare(d, r, bits, zeros, offset, d.size());
    for (std::size_t j = 0; j < d.size(); ++j)
      CHECK((whole.s[j] ^ whole.t[j]) == ((d[j] - r[j]) >> (bits - 1) & 1));
    for (const AesUnit unit : {AesUnit::openssl, AesUnit::aes_ni, AesUnit::vaes256, AesUnit::vaes512}) {
      if (!is_available(unit)) continue;
      const Garbled pieces = compare(d, r, bits, zeros, offset, 33, unit);
      CHECK(pieces.tables == whole.tables);
      CHECK(pieces.s == whole.s);
      CHECK(pieces.t == whole.t);
    }
  }
}

TEST_CASE("half gates: the tables are those of Zahur, Rosulek and Evans, figure 2") {
  constexpr std::size_t bits = 5, comparisons = 40;
  const Block offset = odd_offset();
  std::vector<std::uint64_t> d(comparisons), r;
  for (const Block& block : random_blocks(comparisons, 9)) r.push_back(block.low);
  const std::vector<Block> zeros = random_blocks(comparisons * bits, 3);
  const Garbled out = compare(d, r, bits, zeros, offset, comparisons);
  for (std::size_t j = 0; j < comparisons; ++j) {
    Block carry;
    for (std::size_t i = 0; i < bits; ++i) {
      const Block x = zeros[j * bits + i];
      Block y = independent_aes(seed, {j * bits + i, 0});
      if (r[j] >> i & 1) y ^= offset;
      if (i + 1 == bits) {
        CHECK(out.s[j] == ((x ^ y ^ carry).low & 1));
        break;
      }
      const Block a = x ^ offset ^ carry, b = y ^ carry;
      const std::uint64_t gate = j * (bits - 1) + i;
      const auto hash = [&](const Block& label, std::uint64_t half) {
        return independent_hash(key, label, {2 * gate + half, 0});
      };
      Block generated = hash(a, 0) ^ hash(a ^ offset, 0);
      if (b.low & 1) generated ^= offset;
      const Block evaluated = hash(b, 1) ^ hash(b ^ offset, 1) ^ a;
      Block zero = hash(a, 0) ^ hash(b, 1);
      if (a.low & 1) zero ^= generated;
      if (b.low & 1) zero ^= evaluated ^ a;
      CHECK(out.tables[2 * gate] == generated);
      CHECK(out.tables[2 * gate + 1] == evaluated);
      carry ^= zero;
    }
  }
}

TEST_CASE("half gates: refuses what does not fit") {
  const Block even{2, 0};
  CHECK(error_of([&] { ComparisonGarbler(even, key, seed, 6); }) == "the lowest bit of an offset must be 1");
  CHECK(error_of([&] { ComparisonEvaluator(key, seed, 65); }) ==
        "a garbled comparison of 65 bits; it takes from 1 to 64");
  std::vector<Block> labels(11), tables(20);
  Bytes shares(2);
  CHECK(error_of([&] { ComparisonEvaluator(key, seed, 6).evaluate(labels, tables, shares); }) ==
        "2 comparisons of 6 bits got 11 labels and 20 blocks of tables");
}
