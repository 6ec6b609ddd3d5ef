// Blocks, AES and the tweaked hash by OpenSSL alone: what the tests compare with.
#pragma once

#include <vector>

#include "protocols/oblivious_transfer/block.h"

namespace smlp::testing {

std::vector<Block> random_blocks(std::size_t count, std::uint64_t seed);
Block independent_aes(const Block& key, const Block& plain);
/// pi(pi(x) ^ tweak) ^ pi(x).
Block independent_hash(const Block& key, const Block& x, const Block& tweak);

}  // namespace smlp::testing
