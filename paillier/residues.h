// The fixed-width byte form of residues that both cryptosystems share.
#pragma once

#include <string_view>
#include <vector>

#include "paillier/integer.h"

namespace smlp {

/// `count` residues from exactly count * width little-endian bytes, each in (0, modulus) and coprime to n,
/// where n has the same prime factors as modulus. Throws Error naming `what`, the element and the rule.
std::vector<Integer> decode_units(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t width,
                                  const Integer& modulus, const Integer& n, std::string_view what);

}  // namespace smlp
