// Decoding of residues: every element is checked, the greatest common divisors are shared.
#include "paillier/residues.h"

#include <algorithm>
#include <string>

#include "paillier/error.h"
#include "paillier/parallel.h"

namespace smlp {

namespace {

/// A number that shares a factor with the modulus if and only if one of the residues does: their product, but
/// for a power of the R of Montgomery products, which is a unit.
Integer product_of(std::span<const Integer> residues, const Lanes& lanes) {
  const Integer& modulus = lanes.modulus();
  const std::size_t width = lanes.lanes(), full = residues.size() / width * width;
  Integer product = 1;
  std::vector<Integer> rest(residues.begin() + static_cast<std::ptrdiff_t>(full), residues.end());
  if (full > 0) {
    WordBuffer block(lanes.block_words()), products(lanes.block_words());
    lanes.load(products.data(), residues.first(width));
    for (std::size_t first = width; first < full; first += width) {
      lanes.load(block.data(), residues.subspan(first, width));
      lanes.multiply(products.data(), products.data(), block.data());
    }
    rest.resize(rest.size() + width);
    lanes.store(std::span(rest).last(width), products.data());
  }
  for (const Integer& residue : rest) product = product * residue % modulus;
  return product;
}

}  // namespace

std::vector<Integer> decode_units(std::span<const std::uint8_t> bytes, std::size_t count, std::size_t width,
                                  const Lanes& lanes, const Integer& n, std::string_view what) {
  const std::string name(what);
  if (bytes.size() % width != 0 || bytes.size() / width != count)
    throw Error(name + ": " + std::to_string(bytes.size()) + " bytes do not hold " + std::to_string(count) +
                " ciphertexts of " + std::to_string(width) + " bytes");
  std::vector<Integer> out(count);
  parallel_blocks(count, 128, [&](std::size_t first, std::size_t size) {
    for (std::size_t i = first; i < first + size; ++i) {
      out[i] = from_little_endian(bytes.subspan(i * width, width));
      if (sgn(out[i]) == 0 || out[i] >= lanes.modulus())
        throw Error(name + ": ciphertext " + std::to_string(i) + " is zero or not below its modulus");
    }
    if (gcd(product_of(std::span(out).subspan(first, size), lanes), n) == 1) return;
    std::size_t bad = first;
    while (gcd(out[bad], n) == 1) ++bad;
    throw Error(name + ": ciphertext " + std::to_string(bad) + " shares a factor with the modulus");
  });
  return out;
}

}  // namespace smlp
