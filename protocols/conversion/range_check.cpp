// One bit about all values that were compared since the last check: whether each was in its range.
//
// This project. The evidence is what selections gather: ciphertexts of 0 where all is well, else of sums with
// random factors.
//   E -> K  [u S], S the sum of the evidence, u a uniform unit of Z_n        K -> E  nothing, where u S = 0
// Where it is not 0, K refuses, ends the session and counts it as it does any value out of range: a check
// that only said so would be a zero test of whatever an evaluator that deviates likes to send.
// Ranges   none: S is taken mod n. It is 0 for evidence of zeros, and else with probability 2^-sigma at most.
// Views    K: 0, or a uniform unit of Z_n.  E: the bit.
#include "protocols/conversion/range_check.h"

#include "protocols/protocol.h"

namespace smlp {

namespace {

constexpr auto wire_name = "conversion/range-check";

void answer_check(Answering& answering) {
  const FixedIntegers sum = answering.open(1, "the evidence of ranges");
  answering.observe("u S", sum);
  Limb any = 0;
  for (const Limb limb : sum[0]) any |= limb;
  refuse_where(any, refuse_out_of_range);
}

}  // namespace

void check_ranges(const Evaluator& evaluator, const Place& place) {
  if (!evaluator.evidence || evaluator.evidence->sums.empty()) return;
  const std::vector<Ciphertext> sums = std::move(evaluator.evidence->sums);
  evaluator.evidence->sums.clear();
  RequestBody body(evaluator);
  body.add(blind_sum(evaluator, place, sums));
  AnswerBody(evaluator, evaluator.header(wire_name, 0, place, {{1}, {1}}), body).finish();
}

extern constexpr Descriptor range_check_descriptor{
    .family = Family::conversion,
    .name = "range-check",
    .paper = "this project",
    .flow = "E -> K [u S], S = 0 where every compared value was in range;  K -> E nothing, or a refusal",
    .handlers = {answer_check},
    .declared =
        [](const Work&, const Sizes& sizes) {
          return Declaration{.to_key_holder = {.ciphertexts = 1},
                             .beside = {.products = 1.2 * static_cast<double>(sizes.budget.modulus_bits())}};
        },
};

}  // namespace smlp
