// The paper's secure division: one value a ciphertext, blinded by an addition, divided in the clear.
//
// Bellafqira et al. 2018 (arXiv 1806.02709), secure division.
//   E -> K  [a + r] (, [C + R_C])          K -> E  [floor((scale (a + r) + C + R_C) / d)], d = 2^shift
//   E       subtracts floor((scale r + R_C) / d): off by 0 or 1
// Deviation: r is sigma bits wider than the dividend (2l + log k bits after a product), not l + sigma; the
// public multiplier and the addend are this project's. Views    K: a + r, C + R_C.  E: ciphertexts.
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

class BlindedDivision : public Truncation {
 public:
  EncryptedMatrix rescale(const Evaluator& evaluator, const Place& place, const EncryptedMatrix& x,
                          std::size_t content_bits, const Rescale& factor,
                          const std::optional<Addend>& addend) const override {
    return divide_masked(evaluator, "truncation/blinded-division", place, x, content_bits, factor, addend);
  }
};

}  // namespace

Descriptor blinded_division_descriptor() {
  Descriptor d;
  d.family = Family::truncation;
  d.name = "blinded-division";
  d.paper = "Bellafqira et al. 2018, secure division";
  d.flow = "E -> K [a + r] (, [C + R_C]);  K -> E [floor((scale (a + r) + C + R_C) / d)]";
  d.leakage = "nothing";
  d.handlers = {answer_division};
  d.traffic = division_traffic;
  d.operations = division_operations;
  d.single_value = true;
  d.make = [](const ProtocolSet&) -> std::shared_ptr<const Protocol> {
    return std::make_shared<BlindedDivision>();
  };
  return d;
}

}  // namespace smlp
