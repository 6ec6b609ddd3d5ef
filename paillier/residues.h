// The fixed-width byte form of residues that both cryptosystems share.
#pragma once

#include <string_view>
#include <vector>

#include "paillier/integer.h"
#include "paillier/lanes.h"

namespace smlp {

/// `count` residues from exactly count * width little-endian bytes, each in (0, m) and coprime to n, where
/// m is the modulus of `lanes` and n has the same prime factors. Throws Error naming `what`, the element and
/// the rule.
std::vector<Integer> decode_units(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t width,
                                  const Lanes& lanes, const Integer& n, std::string_view what);

}  // namespace smlp
