// base64url, canonical in both directions.
#include "paillier/base64.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

SecretText to_base64url(std::span<const std::uint8_t> bytes) {
  SecretText text;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    pending = pending << 8 | byte;
    for (bits += 8; bits >= 6; bits -= 6) text.push_back(alphabet[pending >> (bits - 6) & 63]);
  }
  if (bits > 0) text.push_back(alphabet[pending << (6 - bits) & 63]);
  return text;
}

Bytes from_base64url(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size());
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char character : text) {
    const std::size_t digit = alphabet.find(character);
    if (digit == std::string_view::npos) throw Error("a character outside the base64url alphabet");
    pending = pending << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(pending >> bits));
    }
  }
  if (bits >= 6 || (pending & ((1u << bits) - 1)) != 0) throw Error("a base64url text that is cut short");
  return bytes;
}

SecretText integer_to_base64url(const Integer& value) {
  Bytes bytes;
  append_little_endian(value, std::max<std::size_t>(1, (bit_length(value) + 7) / 8), bytes);
  std::reverse(bytes.begin(), bytes.end());
  SecretText text = to_base64url(bytes);
  wipe_memory(bytes.data(), bytes.size());
  return text;
}

Integer integer_from_base64url(std::string_view text) {
  Bytes bytes = from_base64url(text);
  if (bytes.empty() || (bytes[0] == 0 && bytes.size() > 1))
    throw Error("an integer without octets or with a leading zero");
  std::reverse(bytes.begin(), bytes.end());
  Integer value = from_little_endian(bytes);
  wipe_memory(bytes.data(), bytes.size());
  return value;
}

}  // namespace smlp
