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

Descriptor packed_truncation_descriptor() {
  Descriptor d = division_descriptor();
  d.name = "packed";
  d.paper = "Bellafqira et al. 2018, secure division, on packed values";
  d.flow =
      "E -> K [x + rho] (, [C + R_C]);  K -> E [floor((scale (x + rho) + C + R_C) / 2^shift)] in both "
      "packings";
  d.make = [](const ProtocolSet&) -> std::shared_ptr<const Protocol> {
    return std::make_shared<MaskedDivision>("truncation/packed");
  };
  return d;
}

}  // namespace smlp
