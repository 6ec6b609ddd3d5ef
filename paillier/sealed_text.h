// A secret text under a pass phrase: scrypt makes the key, AES-256-GCM seals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "paillier/secret_text.h"

namespace smlp {

/// N of scrypt (Percival 2009; RFC 7914), with r = 8 and p = 1: a guess takes 1024 N bytes of memory.
struct ScryptCost {
  static constexpr std::uint64_t r = 8, p = 1;
  static constexpr std::uint64_t least = std::uint64_t{1} << 14, most = std::uint64_t{1} << 18;
  std::uint64_t n = std::uint64_t{1} << 17;
  /// Throws Error unless n is a power of two from `least` to `most`, which is 256 MiB.
  void check() const;
};

/// A sealed text and what opens it beside the pass phrase.
struct SealedText {
  ScryptCost cost;
  std::array<std::uint8_t, 32> salt{};
  std::array<std::uint8_t, 12> nonce{};
  Bytes sealed;  ///< as long as the text, then 16 bytes of tag
};

/// Throws Error, a sentence that begins with `what`, unless it is a line of text of 1 to 1,024 bytes, as one
/// that is typed or stands in a file.
inline constexpr std::size_t longest_pass_phrase = 1024;
void check_pass_phrase(std::string_view pass_phrase, const std::string& what);

/// Seals under a fresh salt and nonce. `context` is bound: who opens must name the same. Throws Error where
/// there is no entropy or not the memory.
SealedText seal_text(std::string_view text, std::string_view pass_phrase, std::string_view context,
                     ScryptCost cost = {});

/// The text. Throws Error, "the pass phrase does not open it": another pass phrase, other bytes or another
/// context.
SecretText open_text(const SealedText& sealed, std::string_view pass_phrase, std::string_view context);

}  // namespace smlp
