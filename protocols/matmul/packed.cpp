// Matrix product with rescaling and addend in one round trip, many values a ciphertext. The default.
//
// After Bellafqira et al. 2018 (arXiv 1806.02709), section 4, secure multiplication and division, on packed
// operands.
//   E -> K  [A + R_A], [B + R_B], T' = [A R_B + R_T], U' = [R_A B + R_U]; with an addend [C + R_C]
//   K -> E  [floor((scale M + C + R_C) / 2^shift)] in both packings, M = (A + R_A)(B + R_B) - T' - U' = A B +
//   rho E       subtracts floor((scale rho + R_C) / 2^shift)
// E draws R_A, R_B, R_T and the effective mask rho and sets R_U = R_A R_B - R_T - rho.
// Ranges   A, B: l bits.  R_A, R_B: l + sigma.  A R_B, R_A B: 2l + sigma + log k, under R_T of 2l + 2 sigma +
// log k bits.
//          M: 2l + log k bits under rho, sigma bits wider.  C: its own bits under R_C, sigma bits wider.  All
//          below 2^(S-1).
// Views    K: A', B', T', M, C' each under its own mask; U' = A'B' - T' - M follows.  E: ciphertexts.
// Error    floor + {0, 1}, the carry 1 with probability frac(exact result); exact multiples never move.
// Parameters  inner, scale, shift, addend bits (0: none)
#include "paillier/error.h"
#include "protocols/integer_product.h"
#include "protocols/protocol.h"
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

constexpr auto wire_name = "matmul/packed";

/// Evaluator: [left right + mask] in the `down` packing of the result, from the `down` ciphertexts of the
/// left operand.
std::vector<Ciphertext> multiply_left(const PaillierPublicKey& key, const EncryptedMatrix& left,
                                      const IntegerMatrix& right) {
  return key.matrix_product(left.down(), right.cells(), left.layout().row_groups.size(), left.cols(),
                            right.cols());
}

/// The same for a plain left and an encrypted right operand, in the `across` packing of the result.
std::vector<Ciphertext> multiply_right(const PaillierPublicKey& key, const IntegerMatrix& left,
                                       const EncryptedMatrix& right) {
  const EncryptedMatrix turned = right.transposed();
  const std::size_t groups = turned.layout().row_groups.size();
  const auto product =
      key.matrix_product(turned.down(), left.transposed().cells(), groups, turned.cols(), left.rows());
  std::vector<Ciphertext> out;
  out.reserve(product.size());
  for (std::size_t i = 0; i < left.rows(); ++i)
    for (std::size_t g = 0; g < groups; ++g) out.push_back(product[g * left.rows() + i]);
  return out;
}

class PackedMatrixProduct : public MatrixProduct {
 public:
  EncryptedMatrix multiply(const Evaluator& evaluator, const Place& place, const EncryptedMatrix& a,
                           const EncryptedMatrix& b, const Rescale& factor,
                           const std::optional<Addend>& addend) const override {
    check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
    const BitBudget& budget = evaluator.budget;
    budget.check_product(wire_name, a.cols(), factor);
    if (addend) budget.check_addend(wire_name, addend->bits);
    const std::size_t m = a.rows(), k = a.cols(), n = b.cols();
    const Layout left{a.layout().row_groups, a.layout().col_groups};
    const Layout right{b.layout().row_groups, b.layout().col_groups};
    const Layout result{left.row_groups, right.col_groups};

    const Mask mask_a =
        Mask::uniform(evaluator.draws(place, Draw::mask_left), m, k, budget.value_mask_bits());
    const Mask mask_b =
        Mask::uniform(evaluator.draws(place, Draw::mask_right), k, n, budget.value_mask_bits());
    const Mask mask_t =
        Mask::uniform(evaluator.draws(place, Draw::mask_cross), m, n, budget.cross_term_mask_bits());
    const Mask rho =
        Mask::uniform(evaluator.draws(place, Draw::mask_product), m, n, budget.product_mask_bits());
    const Mask mask_u = Mask::remainder(integer_product(mask_a.values(), mask_b.values()), mask_t, rho);

    const auto t = multiply_left(evaluator.paillier(), a, mask_b.values());
    const auto u = multiply_right(evaluator.paillier(), mask_a.values(), b);
    const std::size_t value_bits = budget.numbers().value_bits;
    const std::size_t cross_bits = budget.cross_term_mask_bits() - budget.numbers().sigma;
    RequestBody body(evaluator);
    body.add(mask_down(evaluator, a.down(), left, mask_a, value_bits,
                       evaluator.draws(place, Draw::exponent_left)))
        .add(mask_across(evaluator, b.across(), right, mask_b, value_bits,
                         evaluator.draws(place, Draw::exponent_right)))
        .add(mask_down(evaluator, t, result, mask_t, cross_bits,
                       evaluator.draws(place, Draw::exponent_cross_left)))
        .add(mask_across(evaluator, u, result, mask_u, cross_bits,
                         evaluator.draws(place, Draw::exponent_cross_right)));
    const IntegerMatrix mask_c = add_masked_addend(evaluator, place, addend, result, body);
    const Header header =
        evaluator.header(wire_name, 0, place, result,
                         {static_cast<std::int64_t>(k), factor.scale, static_cast<std::int64_t>(factor.shift),
                          static_cast<std::int64_t>(addend ? addend->bits : 0)});
    AnswerBody answer(evaluator, header, body);
    EncryptedMatrix back = answer.matrix(result, "the rescaled product");
    answer.finish();
    return subtract_plain(evaluator.paillier(), back, divided(rho.values(), mask_c, factor),
                          budget.slot_bits());
  }
};

void answer_product(Answering& answering) {
  const BitBudget& budget = answering.budget();
  const std::size_t inner = checked_size(answering.parameter(0), budget.max_inner(), "inner dimension");
  const Rescale factor = checked_factor(answering, 1);
  budget.check_product(wire_name, inner, factor);
  const Layout& result = answering.header().layout;
  const std::vector<std::size_t> ungrouped(inner, 1);
  const IntegerMatrix a =
      answering.open_down({result.row_groups, ungrouped}, budget.value_mask_bits(), "A + R_A");
  const IntegerMatrix b =
      answering.open_across({ungrouped, result.col_groups}, budget.value_mask_bits(), "B + R_B");
  const IntegerMatrix t = answering.open_down(result, budget.cross_term_mask_bits(), "A R_B + R_T");
  const IntegerMatrix u = answering.open_across(result, budget.cross_term_mask_bits(), "R_A B + R_U");
  const IntegerMatrix c = open_addend(answering, 3);
  IntegerMatrix product = integer_product(a, b);
  for (std::size_t cell = 0; cell < product.size(); ++cell)
    product.cells()[cell] -= t.cells()[cell] + u.cells()[cell];
  answering.observe("A B + rho", product.cells());
  for (const Integer& value : product.cells())
    if (bit_length(value) > budget.product_mask_bits() + 1) refuse_out_of_range();
  answering.put_matrix(divided(product, c, factor), result, Draw::answer_down, Draw::answer_across);
}

Traffic traffic(const Work& work, const Sizes& sizes) {
  const Layout result{work.left.row_groups, work.right.col_groups};
  const std::size_t up = down_count(work.left) + across_count(work.right) + down_count(result) +
                         across_count(result) + (work.addend ? down_count(result) : 0);
  return {up * sizes.ciphertext_bytes, both_count(result) * sizes.ciphertext_bytes, 1};
}

Operations operations(const Work& work, const Sizes& sizes) {
  const Layout result{work.left.row_groups, work.right.col_groups};
  const std::size_t bits = sizes.budget.value_mask_bits();
  Operations out;
  out.products = powers_products(result.row_groups.size(), work.left.cols(), result.cols(), bits) +
                 powers_products(result.col_groups.size(), work.left.cols(), result.rows(), bits);
  out.rerandomisations =
      static_cast<double>(down_count(work.left) + across_count(work.right) + down_count(result) +
                          across_count(result) + (work.addend ? down_count(result) : 0));
  out.decryptions = out.rerandomisations;
  out.encryptions = static_cast<double>(both_count(result));
  const std::size_t m = result.rows(), k = work.left.cols(), n = result.cols();
  out.masked_values = static_cast<double>(m * k + k * n + (work.addend ? 3 : 2) * m * n);
  return out;
}

}  // namespace

Descriptor packed_matmul_descriptor() {
  Descriptor d;
  d.family = Family::matmul;
  d.name = "packed";
  d.paper = "Bellafqira et al. 2018, section 4, on packed operands";
  d.flow =
      "E -> K [A + R_A], [B + R_B], [A R_B + R_T], [R_A B + R_U] (, [C + R_C]);  K -> E [floor(scale (A B + "
      "rho) / 2^shift)]";
  d.leakage = "nothing";
  d.handlers = {answer_product};
  d.traffic = traffic;
  d.operations = operations;
  d.fused = true;
  d.make = [](const ProtocolSet&) -> std::shared_ptr<const Protocol> {
    return std::make_shared<PackedMatrixProduct>();
  };
  return d;
}

}  // namespace smlp
