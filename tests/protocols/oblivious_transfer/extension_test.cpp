// Correlated transfers against their definition, and against streams and columns made one bit at a time.
#include "protocols/oblivious_transfer/extension.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "paillier/error.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

struct Base {
  std::size_t depth;
  Block offset = random_blocks(1, 1).front();
  std::vector<Block> leaves = random_blocks(leaf_count(depth), 2);
  SecretBlocks known = known_leaves(offset, leaves, depth);
  explicit Base(std::size_t of_depth) : depth(of_depth) {}
  TransferChooser chooser(const Label& label, AesUnit unit = best_aes_unit()) const {
    return {leaves, depth, label, unit};
  }
  OffsetHolder holder(const Label& label, AesUnit unit = best_aes_unit()) const {
    return {offset, known, depth, label, unit};
  }
};
constexpr std::size_t depths[] = {1, 2, 4};

Bytes random_bits(std::size_t count, std::uint64_t seed) {
  Bytes bits;
  for (const Block& block : random_blocks(count, seed)) bits.push_back(block.low & 1);
  return bits;
}

}  // namespace

TEST_CASE("extension: t = q ^ c offset in pieces of every size, on every unit alike") {
  const Label label = transfer_label("digits", sha256(Bytes{7}));
  for (const std::size_t depth : depths) {
    const Base base(depth);
    std::vector<Bytes> transcripts;
    for (const AesUnit unit : {AesUnit::openssl, AesUnit::aes_ni, AesUnit::vaes256, AesUnit::vaes512}) {
      if (!is_available(unit)) continue;
      TransferChooser chooser = base.chooser(label, unit), without = base.chooser(label, unit);
      OffsetHolder holder = base.holder(label, unit);
      Bytes transcript;
      for (const std::size_t count : {1U, 8U, 127U, 128U, 129U, 640U, 1000U}) {
        const Bytes choices = random_bits(count, count);
        std::vector<Block> t(count), alone(count), q(count);
        Bytes corrections;
        chooser.extend(choices, corrections, t);
        without.labels(alone);
        holder.extend(corrections, q);
        std::size_t wrong = 0;
        for (std::size_t j = 0; j < count; ++j)
          wrong += t[j] != (q[j] ^ (base.offset & block_mask(choices[j])));
        CHECK(wrong == 0);
        CHECK(alone == t);
        CHECK(corrections.size() == 128 / depth * ((count + 7) / 8));
        transcript.insert(transcript.end(), corrections.begin(), corrections.end());
      }
      transcripts.push_back(std::move(transcript));
    }
    for (const Bytes& transcript : transcripts) CHECK(transcript == transcripts.front());
  }
}

TEST_CASE("extension: labels and corrections are those of the definition") {
  const Label label = transfer_label("share", sha256(Bytes{8}));
  constexpr std::size_t count = 200;
  const Bytes choices = random_bits(count, 5);
  const auto stream_bit = [&](const Block& seed, std::size_t j) {
    Bytes text(reinterpret_cast<const std::uint8_t*>(&seed),
               reinterpret_cast<const std::uint8_t*>(&seed) + 16);
    text.insert(text.end(), label.begin(), label.end());
    return independent_aes(to_block(sha256(text)), {j / 128, 0}).bit(j % 128);
  };
  for (const std::size_t depth : {std::size_t{1}, std::size_t{2}}) {
    const Base base(depth);
    std::vector<Block> t(count);
    Bytes corrections;
    base.chooser(label).extend(choices, corrections, t);
    std::size_t wrong = 0;
    for (const std::size_t tree : {std::size_t{0}, std::size_t{31}, 128 / depth - 1})
      for (std::size_t j = 0; j < count; ++j) {
        unsigned all = 0;
        std::vector<unsigned> of_bit(depth);
        for (std::size_t y = 0; y < std::size_t{1} << depth; ++y) {
          const unsigned bit = stream_bit(base.leaves[(tree << depth) + y], j);
          all ^= bit;
          for (std::size_t b = 0; b < depth; ++b)
            if ((y >> b & 1) == 0) of_bit[b] ^= bit;
        }
        const unsigned u =
            static_cast<unsigned>(corrections[tree * ((count + 7) / 8) + j / 8] >> (j % 8)) & 1U;
        wrong += u != (all ^ choices[j]);
        for (std::size_t b = 0; b < depth; ++b) wrong += t[j].bit(tree * depth + b) != of_bit[b];
      }
    CHECK(wrong == 0);
  }
}

TEST_CASE("extension: what the holder of the offset lacks is one leaf of each tree, that of not D") {
  for (const std::size_t depth : depths) {
    const Base base(depth);
    CHECK(base.known.size() == leaf_count(depth) - 128 / depth);
    std::size_t wrong = 0;
    for (std::size_t tree = 0; tree < 128 / depth; ++tree) {
      std::size_t lacking = 0;
      for (std::size_t b = 0; b < depth; ++b)
        lacking |= static_cast<std::size_t>(base.offset.bit(tree * depth + b) ^ 1U) << b;
      for (std::size_t y = 0; y < std::size_t{1} << depth; ++y)
        wrong += (std::ranges::find(base.known, base.leaves[(tree << depth) + y]) == base.known.end()) !=
                 (y == lacking);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("extension: a label used for two batches shows their XOR, as a test of this test") {
  const Base base(2);
  const Label label = transfer_label("digits", sha256(Bytes{9}));
  const Bytes first = random_bits(128, 1), second = random_bits(128, 2);
  const auto corrections_of = [&](const Bytes& choices, const Label& of) {
    Bytes corrections;
    std::vector<Block> labels(choices.size());
    base.chooser(of).extend(choices, corrections, labels);
    return corrections;
  };
  const auto shown = [&](const Bytes& a, const Bytes& b) {
    for (std::size_t j = 0; j < 128; ++j)
      if (((a[j / 8] ^ b[j / 8]) >> (j % 8) & 1) != (first[j] ^ second[j])) return false;
    return true;
  };
  CHECK(corrections_of(first, label) == corrections_of(first, label));
  CHECK(shown(corrections_of(first, label), corrections_of(second, label)));
  CHECK(!shown(corrections_of(first, label),
               corrections_of(second, transfer_label("digits", sha256(Bytes{10})))));
}

TEST_CASE("extension: refuses what does not fit") {
  const Base base(1);
  const Label label{};
  CHECK(error_of([&] { TransferChooser(base.known, 1, label); }) ==
        "an extension of transfers got 128 seeds, it needs 256");
  CHECK(error_of([&] { OffsetHolder(base.offset, base.leaves, 1, label); }) ==
        "an extension of transfers got 256 seeds, it needs 128");
  CHECK(error_of([&] { OffsetHolder(base.offset, base.known, 2, label); }) ==
        "an extension of transfers got 128 seeds, it needs 192");
  std::vector<Block> labels(9);
  Bytes corrections(128 * 2 - 1);
  CHECK(error_of([&] { base.holder(label).extend(corrections, labels); }) ==
        "the corrections of 9 transfers have 255 bytes, expected are 256");
  CHECK(error_of([&] { base.chooser(label).extend(Bytes(8), corrections, labels); }) ==
        "8 choices do not give 9 labels");
}
