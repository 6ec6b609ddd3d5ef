// What the key holder remembers of a comparison, as the bytes that it seals.
#pragma once

#include <optional>

#include "paillier/fixed_width.h"
#include "protocols/protocol.h"

namespace smlp {

/// The key holder's share t of each bit and, where the comparison opened z + r itself, those values: a
/// selection of z on them needs no second mask and no second decryption. Written and read in the same steps
/// whatever they are.
struct SignState {
  Matrix<std::uint8_t> bits;
  std::optional<FixedIntegers> opened;  ///< d = z + r, |d| < 2^(guarded mask bits + 2), row by row

  /// Fixed width, by shape and budget alone.
  static std::size_t encoded_size(std::size_t cells, bool has_opened, const BitBudget& budget);
  Bytes encode(const BitBudget& budget) const;
  /// Throws Error when the bytes are not of this shape.
  static SignState decode(std::span<const std::uint8_t> bytes, std::size_t rows, std::size_t cols,
                          bool has_opened, const BitBudget& budget);
};

/// By which a request names the comparison that sealed its shares: the first eight bytes of SHA-256 of its
/// wire name, the same in every version of the program.
std::int64_t comparison_word(std::string_view wire_name);
/// The comparison of that word. Throws Error when there is none.
const Descriptor& comparison_by_word(std::int64_t word);

}  // namespace smlp
