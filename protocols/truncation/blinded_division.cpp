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

Descriptor blinded_division_descriptor() {
  Descriptor d = division_descriptor();
  d.name = "blinded-division";
  d.paper = "Bellafqira et al. 2018, secure division";
  d.flow = "E -> K [a + r] (, [C + R_C]);  K -> E [floor((scale (a + r) + C + R_C) / d)]";
  d.single_value = true;
  d.make = [](const ProtocolSet&) -> std::shared_ptr<const Protocol> {
    return std::make_shared<MaskedDivision>("truncation/blinded-division");
  };
  return d;
}

}  // namespace smlp
