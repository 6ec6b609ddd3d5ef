// Truncation in any packing: division by a power of two with a public multiplier and an addend, one round
// trip.
//
// After Bellafqira et al. 2018 (arXiv 1806.02709), secure division, on packed values.
//   E -> K  [x + rho] (, [C + R_C])        K -> E  [floor((scale (x + rho) + C + R_C) / 2^shift)] in both
//   packings E       subtracts floor((scale rho + R_C) / 2^shift): off by 0 or 1
// Ranges   x: content bits under rho, sigma bits wider; C likewise.
// Views    K: x + rho, C + R_C.  E: ciphertexts.
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

struct PackedTruncation : MaskedDivision {
  PackedTruncation() : MaskedDivision("truncation/packed") {}
};

}  // namespace

extern constexpr Descriptor packed_truncation_descriptor{
    .family = Family::truncation,
    .name = "packed",
    .paper = "Bellafqira et al. 2018, secure division, on packed values",
    .flow =
        "E -> K [x + rho] (, [C + R_C]);  K -> E [floor((scale (x + rho) + C + R_C) / 2^shift)] in both "
        "packings",
    .handlers = {answer_division},
    .declared = declared_division,
    .make = made<PackedTruncation>,
};

}  // namespace smlp
