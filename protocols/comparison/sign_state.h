// What the key holder remembers of a comparison, as the bytes that it seals.
#pragma once

#include <string_view>

#include "paillier/secret_text.h"
#include "protocols/protocol.h"

namespace smlp {

/// The key holder's share t of each bit, row by row. Wiped.
struct SignState {
  Matrix<std::uint8_t> bits;
  ~SignState() { wipe_memory(bits.cells().data(), bits.size()); }

  static std::size_t encoded_size(std::size_t cells) { return cells; }
  SecretBytes encode() const { return {bits.cells().begin(), bits.cells().end()}; }
  /// Throws Error when the bytes are not of this shape.
  static SignState decode(std::span<const std::uint8_t> bytes, std::size_t rows, std::size_t cols);
};

/// By which a request names the comparison that sealed its shares: the first eight bytes of SHA-256 of its
/// wire name, the same in every version of the program.
std::int64_t comparison_word(std::string_view wire_name);
/// The comparison of that word. Throws Error when there is none.
const Descriptor& comparison_by_word(std::int64_t word);

}  // namespace smlp
