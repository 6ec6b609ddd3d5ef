// One bit about all values that were compared since the last check: whether each was in its range.
//
// This project. The evidence is what selections gather: ciphertexts of 0 where all is well, else of sums with
// random factors.
//   E -> K  [u S + rho], H(rho): S the sum of the evidence, u of 128 random bits, rho uniform in Z_n
//   K -> E  nothing, where H(u S + rho) is the same
// Where it is another, K refuses, ends the session and counts it as it does any value out of range: a check
// that only said so would be a zero test of whatever an evaluator that deviates likes to send.
// Ranges   none: S is taken mod n. It is 0 for evidence of zeros, and else with probability 2^-sigma at most;
//          u S is 0 where S is, as u is below either prime.
// Views    K: a uniform number, and whether S is 0: to learn more of another S it has to find rho by its
//          SHA-256, 128 random bits from what it sees.  E: the bit.
#include "protocols/conversion/range_check.h"

#include "protocols/protocol.h"

namespace smlp {

namespace {

constexpr auto wire_name = "conversion/range-check";

void answer_check(Responder& responder) {
  const FixedIntegers sum = responder.open(1, "the evidence of ranges");
  responder.observe("u S + rho", sum);
  const auto expected = responder.read_bytes(sizeof(Digest), "the digest of rho");
  responder.observe("H(rho)", expected);
  const Digest digest = sum_digest(sum[0]);
  Limb different = 0;
  for (std::size_t i = 0; i < digest.size(); ++i) different |= static_cast<Limb>(digest[i] ^ expected[i]);
  refuse_where(different, refuse_out_of_range);
}

}  // namespace

void check_ranges(const Evaluator& evaluator, const OperationId& operation) {
  check_ranges_later(evaluator, operation)();
}

std::function<void()> check_ranges_later(const Evaluator& evaluator, const OperationId& operation) {
  if (!evaluator.evidence || evaluator.evidence->sums.empty()) return [] {};
  const std::vector<Ciphertext> sums = std::move(evaluator.evidence->sums);
  evaluator.evidence->sums.clear();
  RequestBody body(evaluator);
  body.add(blind_sum(evaluator, operation, sums));
  const auto answer =
      std::make_shared<AnswerBody>(evaluator, evaluator.header(wire_name, 0, operation, {{1}, {1}}), body);
  return [answer] { answer->finish(); };
}

extern constexpr Descriptor range_check_descriptor{
    .family = Family::conversion,
    .name = "range-check",
    .paper = "this project",
    .flow =
        "E -> K [u S + rho], SHA-256 of rho, S = 0 where every compared value was in range;  K -> E nothing, "
        "or a refusal",
    .handlers = {answer_check},
    .declared =
        [](const Work&, const Sizes&) {
          return Declaration{.to_key_holder = {.ciphertexts = 1, .bytes = sizeof(Digest)},
                             .beside = {.products = 1.2 * BlindedSum::factor_bits}};
        },
};

}  // namespace smlp
