// The bound of a run.
#include "protocols/statistical_distance.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

/// log2(2^a + 2^b).
double log2_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  if (std::isinf(b)) return a;
  return a + std::log2(1 + std::exp2(b - a));
}

}  // namespace

Shown& Shown::operator+=(const Shown& other) {
  masks += other.masks;
  rerandomisations += other.rerandomisations;
  return *this;
}

Shown operator+(Shown a, const Shown& b) {
  return a += b;
}

Shown operator*(double times, Shown shown) {
  return {times * shown.masks, times * shown.rerandomisations};
}

Shown shown(const Operations& operations) {
  return {operations.masked_values, operations.rerandomisations + operations.bit_rerandomisations};
}

double distance_bits(const Shown& shown, std::size_t sigma) {
  const auto bits = static_cast<double>(sigma);
  // Squares of Hellinger distances add up: those of masks, of exponents.
  const double squared =
      log2_sum(2 * std::log2(1.09) + std::log2(shown.masks) - 2 * bits,
               std::log2(shown.rerandomisations) - 2 * (bits + double{PaillierPublicKey::exponent_margin}));
  // Blocks of a counter mode never repeat under one key: B of them are within B^2 / 2^129 of random. A mask
  // and what goes with it, or an exponent and its unit, are at most three streams of at most 64 blocks.
  const double blocks = std::log2(3 * 64) + std::log2(shown.masks + shown.rerandomisations);
  return std::min(0.0, log2_sum(squared / 2, 2 * blocks - 129));
}

std::size_t least_sigma(std::size_t bound, const std::function<double(std::size_t sigma)>& distance) {
  constexpr std::size_t least = 40, most = 128;
  for (std::size_t sigma = std::max(least, bound); sigma <= most; ++sigma)
    if (distance(sigma) <= -static_cast<double>(bound)) return sigma;
  throw Error("no sigma up to " + std::to_string(most) + " keeps this run below 2^-" + std::to_string(bound) +
              "; lower --statistical-bound or --epochs");
}

}  // namespace smlp
