// The paper's comparison by affine masking. LEAKS; to be asked for by name.
//
// Bellafqira et al. 2018 (arXiv 1806.02709), secure comparison inside the secure maximum, against 0.
//   E -> K  [rho z + r], [r]               K -> E  its bit t = [rho z + r >= r], sealed
// The bit is the key holder's share, 0 the evaluator's. One rho a ciphertext (the paper: one a value).
// Ranges   rho: uniform in 1 .. 2^sigma; rho z: L + sigma + 1 bits under r, sigma bits wider, below 2^(S-1).
// Leakage  To K: the sign of every z, whether it is 0, and rho z: its size and its divisors; with several
// values a ciphertext
//          also the ratios of those that share one.
#include "paillier/parallel.h"
#include "protocols/comparison/affine_masking.h"
#include "protocols/comparison/sign_state.h"

namespace smlp {

namespace {

constexpr auto wire_name = "comparison/affine";

class AffineComparison : public Comparison {
 public:
  SignShares sign(const Evaluator& evaluator, const OperationId& operation,
                  const EncryptedMatrix& z) const override {
    const RequestBody body = affine_request(evaluator, operation, z);
    AnswerBody answer(evaluator, evaluator.header(wire_name, 0, operation, z.layout()), body);
    SealedState sealed = answer.sealed(SignState::encoded_size(z.rows() * z.cols()));
    answer.finish();
    return {Matrix<std::uint8_t>(z.rows(), z.cols()), std::move(sealed), wire_name, {}};
  }
};

void answer_sign(Responder& responder) {
  const Matrix<std::uint8_t> bits = open_affine_signs(responder);
  responder.put_sealed(SignState{bits}.encode());
}

}  // namespace

extern constexpr Descriptor affine_comparison_descriptor{
    .family = Family::comparison,
    .name = "affine",
    .paper = "Bellafqira et al. 2018, secure comparison",
    .flow = "E -> K [rho z + r], [r];  K -> E its bit, sealed",
    .leakage = affine_leakage,
    .handlers = {answer_sign},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          Declaration out = declared_affine(work.left, sizes.budget);
          out.waits = out.to_key_holder;
          out.to_evaluator.bytes = sealed_overhead + SignState::encoded_size(cell_count(work.left));
          return out;
        },
    .make = made<AffineComparison>,
};

}  // namespace smlp
