// The affine masking of the paper's comparison.
#include "protocols/comparison/affine_masking.h"

#include "paillier/fixed_width.h"
#include "paillier/parallel.h"
#include "protocols/masked_values.h"

namespace smlp {

namespace {

/// |rho z|, rho up to 2^sigma.
std::size_t content_bits(const BitBudget& budget) {
  return budget.guarded_bits() + budget.numbers().sigma + 1;
}
std::size_t mask_bits(const BitBudget& budget) {
  return content_bits(budget) + budget.numbers().sigma;
}

}  // namespace

RequestBody affine_request(const Evaluator& evaluator, const OperationId& operation,
                           const EncryptedMatrix& z) {
  const BitBudget& budget = evaluator.budget;
  const PaillierPublicKey& key = evaluator.paillier();
  const Draws multipliers = evaluator.draws(operation, RandomnessKind::multiplier);
  const std::size_t sigma = budget.numbers().sigma;
  const auto factors = parallel_map(z.column_packed().size(), [&](std::size_t i) {
    return Integer(1 + multipliers.stream(i).bits(sigma));
  });
  const auto scaled = key.dot_products(z.column_packed(), factors, 1);
  const std::vector<Ciphertext> zero(z.column_packed().size(), key.trivial(0));
  // The paper masks both sides with one r: that is what leaks.
  const Mask r = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_comparison), z.rows(), z.cols(),
                             mask_bits(budget));
  RequestBody body(evaluator);
  body.add(mask_column_packed(evaluator, scaled, z.layout(), r, content_bits(budget), operation))
      .add(mask_column_packed(evaluator, zero, z.layout(), r, content_bits(budget), operation));
  return body;
}

Matrix<std::uint8_t> open_affine_signs(Responder& responder) {
  const Layout& layout = responder.header().layout;
  const std::size_t bits = mask_bits(responder.budget());
  FixedIntegers difference = responder.open_column_packed(layout, bits, "rho z + r");
  FixedIntegers subtrahend = responder.open_column_packed(layout, bits, "r");
  Matrix<std::uint8_t> signs(layout.rows(), layout.cols());
  for (std::size_t cell = 0; cell < signs.size(); ++cell) {
    negate_where(subtrahend[cell], mask_of(1));
    add_shifted(difference[cell], subtrahend[cell], 0, mask_of(1));
    signs.cells()[cell] = static_cast<std::uint8_t>(difference[cell].back() >> (limb_bits - 1) ^ 1);
  }
  responder.observe("t", signs.cells());
  return signs;
}

Declaration declared_affine(const Layout& z, const BitBudget& budget) {
  return {.to_key_holder = {.ciphertexts = 2 * column_packed_count(z)},
          .masked_values = cell_count(z),
          .beside = {.products = powers_products(column_packed_count(z), 1, 1, budget.numbers().sigma)}};
}

}  // namespace smlp
