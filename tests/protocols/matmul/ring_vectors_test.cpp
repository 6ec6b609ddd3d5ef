// The vector kernels against those in plain integers, which cross_terms_test.cpp checks against integers.
#include "protocols/matmul/ring_vectors.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

std::vector<std::uint8_t> random_bytes(std::size_t count, std::uint64_t seed) {
  const std::vector<Block> blocks = random_blocks((count + ring_slack) / sizeof(Block) + 1, seed);
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(blocks.data());
  return {bytes, bytes + count + ring_slack};
}

std::vector<Limb> random_words(std::size_t count, std::uint64_t seed) {
  std::vector<Limb> words;
  for (const Block& block : random_blocks(count, seed)) words.push_back(block.low);
  return words;
}

/// What a step leaves: messages, and the words of the cells that their width has.
struct Left {
  std::vector<std::uint8_t> message;
  std::vector<Limb> sum;
  bool operator==(const Left&) const = default;
};

Left run(const RingKernels& kernels, std::size_t cells, std::size_t width, Limb choice) {
  const std::size_t row = ring_row(cells), words = (width + 7) / 8;
  const auto v = random_words(words * row, 1), first = random_words(words * row, 2);
  const auto zero = random_bytes(cells * width, 3), one = random_bytes(cells * width, 4);
  Left out{std::vector<std::uint8_t>(cells * width + ring_slack), first};
  kernels.send({v.data(), zero.data(), one.data(), out.message.data(), out.sum.data()}, cells, width);
  kernels.receive({one.data(), out.message.data(), choice, out.sum.data()}, cells, width);
  out.message.resize(cells * width);
  // What stands above the width has no meaning.
  const std::size_t above = 64 * words - 8 * width;
  for (std::size_t c = 0; c < row; ++c) {
    Limb& last = out.sum[(words - 1) * row + c];
    last = c < cells ? last << above : 0;
    for (std::size_t i = 0; c >= cells && i < words; ++i) out.sum[i * row + c] = 0;
  }
  return out;
}

}  // namespace

TEST_CASE("ring vectors: several cells at once are as one after another, for every width") {
  for (const RingKernels* kernels : {avx512_ring_kernels(), avx2_ring_kernels()})
    for (std::size_t width = 1; kernels != nullptr && width <= 16; ++width)
      for (const std::size_t cells : {1U, 3U, 4U, 5U, 7U, 8U, 9U, 31U, 64U})
        for (const Limb choice : {Limb{0}, ~Limb{0}}) {
          CAPTURE(width);
          CAPTURE(cells);
          CHECK(run(*kernels, cells, width, choice) == run(portable_ring_kernels(), cells, width, choice));
        }
}

TEST_CASE("ring vectors: widths are judged") {
  const auto error = [](std::size_t width) {
    return error_of([&] { portable_ring_kernels().receive({nullptr, nullptr, 0, nullptr}, 0, width); });
  };
  CHECK(error(40).empty());
  for (const std::size_t width : {0U, 41U})
    CHECK(error(width) == "a cell of a message has " + std::to_string(width) + " bytes, allowed are 1 to 40");
  CHECK(&ring_kernels(17) == &portable_ring_kernels());
}
