// Batches of garbled comparisons from corrections to shares, whatever their size.
#include "protocols/oblivious_transfer/garbled_comparisons.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "tests/support/blocks.h"
#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("garbled comparisons: shares of bit L-1 of d - r in batches of any size and width") {
  TwoParties parties;
  const EvaluatorTransfers& transfers = parties.evaluator().transfers(parties.next_operation());
  const SecretBlocks leaves = key_holder_leaves(transfers.ticket(), toy_keys().sealing_secret());
  for (const std::size_t bits : {1U, 2U, 24U, 64U})
    for (const std::size_t count : {1U, 127U, 128U, 129U, 700U}) {
      CAPTURE(bits);
      CAPTURE(count);
      const Label label = transfer_label(
          "test", sha256(Bytes{static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(count)}));
      std::vector<std::uint64_t> d, r;
      for (const Block& block : random_blocks(count, bits)) {
        d.push_back(block.low);
        r.push_back(block.high);
      }
      const Bytes corrections = choose_bits({leaves, key_holder_depth, label}, bits, d);
      CHECK(corrections.size() == key_holder_corrections(count * bits));
      const Block seed = transfers.secret_for(label, sha256(corrections), r);
      const GarbledComparisons garbled = garble(transfers, label, corrections, seed, bits, r);
      CHECK(garbled.bytes().size() == garbled_bytes(count, bits));
      const auto shares = evaluate({leaves, key_holder_depth, label}, bits, count, garbled.bytes());
      std::size_t wrong = 0;
      for (std::size_t j = 0; j < count; ++j)
        wrong += (garbled.shares()[j] ^ shares[j]) != ((d[j] - r[j]) >> (bits - 1) & 1);
      CHECK(wrong == 0);
      Bytes longer = corrections;
      longer.push_back(0);
      CHECK(error_of([&] { garble(transfers, label, longer, seed, bits, r); }).find("bytes, expected are") !=
            std::string::npos);
      Bytes shorter = garbled.bytes();
      shorter.pop_back();
      CHECK(error_of([&] {
              evaluate({leaves, key_holder_depth, label}, bits, count, shorter);
            }).find("bytes, expected are") != std::string::npos);
    }
}
