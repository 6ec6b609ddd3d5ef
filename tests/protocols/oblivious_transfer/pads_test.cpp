// Pads are the tweaked hash, block by block, on every unit of this processor.
#include "protocols/oblivious_transfer/pads.h"

#include <doctest/doctest.h>

#include "tests/support/blocks.h"

using namespace smlp;
using namespace smlp::testing;

TEST_CASE("pads: block b of transfer j is the hash of the label under the tweak b + 2^64 j") {
  const Block key = random_blocks(1, 1).front();
  const std::vector<Block> labels = random_blocks(3, 2);
  const std::uint64_t transfers[] = {0, 1, ~std::uint64_t{0}};
  for (const AesUnit unit : {AesUnit::openssl, AesUnit::aes_ni, AesUnit::vaes256, AesUnit::vaes512}) {
    if (!is_available(unit)) continue;
    const TransferPads pads(key, unit);
    std::vector<Block> prepared = labels;
    pads.prepare(prepared);
    for (const std::size_t count : {0U, 1U, 2U, 3U, 5U, 8U, 31U, 32U, 70U})
      for (std::size_t j = 0; j < labels.size(); ++j) {
        std::vector<Block> pad(count);
        pads.pad(prepared[j], transfers[j], pad);
        std::size_t wrong = 0;
        for (std::size_t b = 0; b < count; ++b)
          wrong += pad[b] != independent_hash(key, labels[j], {b, transfers[j]});
        CHECK_MESSAGE(wrong == 0, name(unit), ", ", count);
      }
  }
}
