// What a run shows the key holder, and how far that is from a view that shows nothing. The proof is in
// docs/protocols.md.
#pragma once

#include <cstddef>
#include <functional>

#include "protocols/protocol.h"

namespace smlp {

/// Draws of the evaluator that stand between a run and the key holder's view. Those of several runs, or of
/// several parts of one, add up.
struct Shown {
  double masks = 0;             ///< values under masks of their own
  double rerandomisations = 0;  ///< of Paillier and DGK ciphertexts
  Shown& operator+=(const Shown& other);
  bool operator==(const Shown&) const = default;
};
Shown operator+(Shown a, const Shown& b);
Shown operator*(double times, Shown shown);
/// What operations show.
Shown shown(const Operations& operations);

/// log2 of an upper bound on the statistical distance, at most 1, between the key holder's view and one that
/// depends on no value, for draws of this sigma: by Hellinger distances 1.09 sqrt(masks) 2^-sigma +
/// sqrt(rerandomisations) 2^-(sigma + 24) at most, and what AES-256-CTR differs from random. Computed in
/// logarithms: nothing overflows.
double distance_bits(const Shown& shown, std::size_t sigma);

/// The least sigma from 40 to 128 whose distance, in bits, is at most -`bound`. Throws Error where there is
/// none.
std::size_t least_sigma(std::size_t bound, const std::function<double(std::size_t sigma)>& distance);

}  // namespace smlp
