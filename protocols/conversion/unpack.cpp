// From several values a ciphertext to one, in one round trip.
//
// This project; the masking of Bellafqira et al. 2018.
//   E -> K  [x + r], packed                K -> E  [x_i + r_i], one value a ciphertext;  E subtracts r_i
// Ranges   x: L = l + guard bits under L + sigma.
// Views    K: x + r.  E: ciphertexts.
#include "protocols/conversion/unpack.h"

#include "paillier/parallel.h"

namespace smlp {

namespace {

constexpr auto wire_name = "conversion/unpack";

Layout one_a_ciphertext(const Layout& layout) {
  return {std::vector<std::size_t>(layout.rows(), 1), std::vector<std::size_t>(layout.cols(), 1)};
}

void answer_values(Responder& responder) {
  const Layout& layout = responder.header().layout;
  const FixedIntegers x =
      responder.open_column_packed(layout, responder.budget().guarded_mask_bits(), "x + r");
  FixedIntegers plaintexts(x.size(), responder.keys().paillier().plaintext_limbs());
  for (std::size_t i = 0; i < x.size(); ++i) add_shifted(plaintexts[i], x[i], 0, mask_of(1));
  responder.put(plaintexts, RandomnessKind::answer_column_packed);
}

}  // namespace

std::vector<Ciphertext> unpack_cells(const Evaluator& evaluator, const OperationId& operation,
                                     const std::vector<Ciphertext>& column_packed, const Layout& layout) {
  const BitBudget& budget = evaluator.budget;
  const std::size_t rows = layout.rows(), cols = layout.cols();
  const Mask r = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_conversion), rows, cols,
                             budget.guarded_mask_bits());
  RequestBody body(evaluator);
  body.add(mask_column_packed(evaluator, column_packed, layout, r, budget.guarded_bits(), operation));
  AnswerBody answer(evaluator, evaluator.header(wire_name, 0, operation, layout), body);
  const auto masked = answer.ciphertexts(rows * cols, "the values");
  answer.finish();
  return parallel_map(masked.size(), [&](std::size_t cell) {
    return evaluator.paillier().add_plain(masked[cell], -r.values().cells()[cell]);
  });
}

EncryptedMatrix unpack_matrix(const Evaluator& evaluator, const OperationId& operation,
                              const EncryptedMatrix& x) {
  if (x.layout().single()) return x;
  return EncryptedMatrix(one_a_ciphertext(x.layout()),
                         unpack_cells(evaluator, operation, x.column_packed(), x.layout()), {});
}

extern constexpr Descriptor unpack_descriptor{
    .family = Family::conversion,
    .name = "unpack",
    .paper = "this project, after Bellafqira et al. 2018",
    .flow = "E -> K [x + r], packed;  K -> E [x_i + r_i], one value a ciphertext",
    .handlers = {answer_values},
    .declared =
        [](const Work& work, const Sizes&) {
          const std::size_t cells = cell_count(work.left);
          return Declaration{.to_key_holder = {.ciphertexts = column_packed_count(work.left)},
                             .to_evaluator = {.ciphertexts = cells},
                             .masked_values = cells};
        },
};

}  // namespace smlp
