// The paper's ReLU: the secure maximum of z and 0, one value a ciphertext. LEAKS; to be asked for by name.
//
// Bellafqira et al. 2018 (arXiv 1806.02709), secure maximum.
//   E -> K  [rho z + r], [r]               K -> E  [i], i = [z >= 0]
//   E -> K  [i + r_i], [z + r_z]           K -> E  [(i + r_i)(z + r_z)];  E removes the cross terms: [i z] =
//   [max(z, 0)]
// Backward: the secure multiplication of [i] and [delta].
// Deviation: i = [a >= b] (the paper: a > b), so that the derivative at 0 is 1 as everywhere in this project.
// Leakage  that of the affine comparison.
// Stages   0 comparison, 1 multiplication
#include "paillier/error.h"
#include "paillier/fixed_width.h"
#include "protocols/comparison/affine_masking.h"
#include "protocols/matmul/blinded_products.h"

namespace smlp {

namespace {

constexpr auto wire_name = "activation/max";

struct EncryptedBits : ActivationState {
  explicit EncryptedBits(std::vector<Ciphertext> value) : bits(std::move(value)) {}
  std::vector<Ciphertext> bits;
};

class PaperMax : public Activation {
 public:
  Activated forward(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& z,
                    Packings) const override {
    if (!z.layout().single()) throw Error("the protocol activation/max works on one value a ciphertext");
    const RequestBody body = affine_request(evaluator, operation, z);
    AnswerBody answer(evaluator, evaluator.header(wire_name, 0, operation, z.layout()), body);
    auto state =
        std::make_shared<EncryptedBits>(answer.ciphertexts(z.column_packed().size(), "the bits [i]"));
    answer.finish();
    EncryptedMatrix values = select(evaluator, operation, z, *state);
    return {std::move(values), std::move(state)};
  }

  EncryptedMatrix backward(const Evaluator& evaluator, const OperationId& operation,
                           const EncryptedMatrix& delta, const ActivationState& state,
                           Packings) const override {
    const auto* bits = dynamic_cast<const EncryptedBits*>(&state);
    if (bits == nullptr) throw Error("the state of another activation was given to max");
    return select(evaluator, operation, delta, *bits);
  }

 private:
  static EncryptedMatrix select(const Evaluator& evaluator, const OperationId& operation,
                                const EncryptedMatrix& v, const EncryptedBits& state) {
    return multiply_blinded(evaluator, wire_name, 1, operation, v.layout(), 1, state.bits, v.column_packed(),
                            evaluator.budget.guarded_bits());
  }
};

void answer_bits(Responder& responder) {
  const Matrix<std::uint8_t> signs = open_affine_signs(responder);
  FixedIntegers bits(signs.size(), responder.keys().paillier().plaintext_limbs());
  for (std::size_t cell = 0; cell < signs.size(); ++cell) bits[cell][0] = signs.cells()[cell];
  responder.put(bits, RandomnessKind::answer_bits);
}

}  // namespace

extern constexpr Descriptor paper_max_descriptor{
    .family = Family::activation,
    .name = "max",
    .paper = "Bellafqira et al. 2018, secure maximum",
    .flow = "E -> K [rho z + r], [r];  K -> E [i];  E -> K [i + r_i], [z + r_z];  K -> E the product",
    .leakage = affine_leakage,
    .single_value = true,
    .fused = true,
    .handlers = {answer_bits, answer_blinded_products},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          const std::size_t cells = cell_count(work.left);
          Declaration out = declared_blinded_products(cells, 1, sizes.budget.guarded_mask_bits());
          if (work.backward) return out;  // backward: the multiplication alone
          out += declared_affine(work.left, sizes.budget);
          out.to_evaluator.ciphertexts += cells;
          return out;
        },
    .make = made<PaperMax>,
};

}  // namespace smlp
