// Correlated transfers against their definition, and against streams and columns made one bit at a time.
#include "protocols/oblivious_transfer/extension.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

struct Base {
  Block offset = random_blocks(1, 1).front();
  std::vector<Block> pairs = random_blocks(256, 2), chosen;
  Base() {
    for (std::size_t i = 0; i < 128; ++i) chosen.push_back(pairs[2 * i + offset.bit(i)]);
  }
};

Bytes random_bits(std::size_t count, std::uint64_t seed) {
  Bytes bits;
  for (const Block& block : random_blocks(count, seed)) bits.push_back(block.low & 1);
  return bits;
}

}  // namespace

TEST_CASE("extension: t = q ^ c offset in pieces of every size, on every unit alike") {
  const Base base;
  const Label label = transfer_label("digits", sha256(Bytes{7}));
  std::vector<Bytes> transcripts;
  for (const AesUnit unit : {AesUnit::openssl, AesUnit::aes_ni, AesUnit::vaes256, AesUnit::vaes512}) {
    if (!is_available(unit)) continue;
    TransferChooser chooser(base.pairs, label, unit);
    OffsetHolder holder(base.offset, base.chosen, label, unit);
    Bytes transcript;
    for (const std::size_t count : {1U, 8U, 127U, 128U, 129U, 640U, 1000U}) {
      const Bytes choices = random_bits(count, count);
      std::vector<Block> t(count), q(count);
      Bytes corrections;
      chooser.extend(choices, corrections, t);
      holder.extend(corrections, q);
      std::size_t wrong = 0;
      for (std::size_t j = 0; j < count; ++j)
        wrong += t[j] != (q[j] ^ (base.offset & block_mask(choices[j])));
      CHECK(wrong == 0);
      CHECK(corrections.size() == correction_bytes(count));
      transcript.insert(transcript.end(), corrections.begin(), corrections.end());
    }
    transcripts.push_back(std::move(transcript));
  }
  for (const Bytes& transcript : transcripts) CHECK(transcript == transcripts.front());
}

TEST_CASE("extension: labels and corrections are those of the definition") {
  const Base base;
  const Label label = transfer_label("share", sha256(Bytes{8}));
  constexpr std::size_t count = 200;
  const Bytes choices = random_bits(count, 5);
  TransferChooser chooser(base.pairs, label);
  std::vector<Block> t(count);
  Bytes corrections;
  chooser.extend(choices, corrections, t);
  const auto stream_bit = [&](const Block& seed, std::size_t j) {
    Bytes text(reinterpret_cast<const std::uint8_t*>(&seed),
               reinterpret_cast<const std::uint8_t*>(&seed) + 16);
    text.insert(text.end(), label.begin(), label.end());
    return independent_aes(to_block(sha256(text)), {j / 128, 0}).bit(j % 128);
  };
  std::size_t wrong = 0;
  for (const std::size_t i : {0U, 1U, 63U, 64U, 127U})
    for (std::size_t j = 0; j < count; ++j) {
      const unsigned zero = stream_bit(base.pairs[2 * i], j), one = stream_bit(base.pairs[2 * i + 1], j);
      const unsigned u = static_cast<unsigned>(corrections[i * ((count + 7) / 8) + j / 8] >> (j % 8)) & 1U;
      wrong += t[j].bit(i) != zero;
      wrong += u != (zero ^ one ^ choices[j]);
    }
  CHECK(wrong == 0);
}

TEST_CASE("extension: a label used for two batches shows their XOR, as a test of this test") {
  const Base base;
  const Label label = transfer_label("digits", sha256(Bytes{9}));
  const Bytes first = random_bits(128, 1), second = random_bits(128, 2);
  const auto corrections_of = [&](const Bytes& choices, const Label& of) {
    Bytes corrections;
    std::vector<Block> labels(choices.size());
    TransferChooser(base.pairs, of).extend(choices, corrections, labels);
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
  const Base base;
  const Label label{};
  CHECK(error_of([&] { TransferChooser(base.chosen, label); }) ==
        "an extension of transfers got 128 seeds, it needs 256");
  CHECK(error_of([&] { OffsetHolder(base.offset, base.pairs, label); }) ==
        "an extension of transfers got 256 seeds, it needs 128");
  std::vector<Block> labels(9);
  Bytes corrections(128 * 2 - 1);
  CHECK(error_of([&] { OffsetHolder(base.offset, base.chosen, label).extend(corrections, labels); }) ==
        "the corrections of 9 transfers have 255 bytes, expected are 256");
  CHECK(error_of([&] { TransferChooser(base.pairs, label).extend(Bytes(8), corrections, labels); }) ==
        "8 choices do not give 9 labels");
}
