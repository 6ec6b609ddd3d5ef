// base64url without padding (RFC 4648, section 5), and integers in it as JSON Web Keys write them. Secrets
// are written so: texts are wiped, and bytes are made in one piece, for the caller to wipe.
#pragma once

#include <span>
#include <string_view>

#include "paillier/secret_text.h"

namespace smlp {

SecretText to_base64url(std::span<const std::uint8_t> bytes);
/// Throws Error unless text is the one encoding of some bytes (no padding, no other character, unused bits
/// zero).
Bytes from_base64url(std::string_view text);

/// A non-negative integer by its big-endian octets without leading zeros; 0 is "AA" (RFC 7518, section 2).
SecretText integer_to_base64url(const Integer& value);
/// Throws Error unless text is the one encoding of a non-negative integer.
Integer integer_from_base64url(std::string_view text);

}  // namespace smlp
