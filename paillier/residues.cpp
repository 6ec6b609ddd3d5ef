// Decoding of residues: every element is checked, the greatest common divisors are shared.
#include "paillier/residues.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {

std::vector<Integer> decode_units(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t width,
                                  const Integer& modulus, const Integer& n, std::string_view what) {
  const std::string name(what);
  if (bytes.size() % width != 0 || bytes.size() / width != count)
    throw Error(name + ": " + std::to_string(bytes.size()) + " bytes do not hold " + std::to_string(count) +
                " ciphertexts of " + std::to_string(width) + " bytes");
  constexpr std::size_t chunk = 64;
  std::vector<Integer> out(count);
  parallel_for((count + chunk - 1) / chunk, [&](std::size_t c) {
    const std::size_t first = c * chunk;
    const std::size_t last = std::min(first + chunk, count);
    Integer product = 1;
    for (std::size_t i = first; i < last; ++i) {
      out[i] = from_little_endian(bytes.subspan(i * width, width));
      if (sgn(out[i]) == 0 || out[i] >= modulus)
        throw Error(name + ": ciphertext " + std::to_string(i) + " is zero or not below its modulus");
      product = product * (out[i] % n) % n;
    }
    if (gcd(product, n) == 1) return;
    std::size_t bad = first;
    while (gcd(out[bad], n) == 1) ++bad;
    throw Error(name + ": ciphertext " + std::to_string(bad) + " shares a factor with the modulus");
  });
  return out;
}

}  // namespace smlp
