// The paper's secure division: one value a ciphertext, blinded by an addition, divided in the clear.
//
// Bellafqira et al. 2018 (arXiv 1806.02709), secure division.
//   E -> K  [a + r] (, [C + R_C])          K -> E  [floor((scale (a + r) + C + R_C) / d)], d = 2^shift
//   E       subtracts floor((scale r + R_C) / d): off by 0 or 1
// Deviation: r is sigma bits wider than the dividend (2l + log k bits after a product), not l + sigma; the
//            public multiplier and the addend are this project's.
//   Views    K: a + r, C + R_C.  E: ciphertexts.
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

struct BlindedDivision : MaskedDivision {
  BlindedDivision() : MaskedDivision("truncation/blinded-division") {}
};

}  // namespace

extern constexpr Descriptor blinded_division_descriptor{
    .family = Family::truncation,
    .name = "blinded-division",
    .paper = "Bellafqira et al. 2018, secure division",
    .flow = "E -> K [a + r] (, [C + R_C]);  K -> E [floor((scale (a + r) + C + R_C) / d)]",
    .single_value = true,
    .handlers = {answer_division},
    .declared = declared_division,
    .make = made<BlindedDivision>,
};

}  // namespace smlp
