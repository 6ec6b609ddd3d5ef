// Matrix product with rescaling and addend in one round trip, many values a ciphertext. The default.
//
// After Bellafqira et al. 2018 (arXiv 1806.02709), section 4, secure multiplication and division, on packed
// operands.
//   E -> K  [A + R_A], [B + R_B], T' = [A R_B + R_T], U' = [R_A B + R_U]; with an addend [C + R_C]
//   K -> E  [k] in both packings, k = floor((scale M + C + R_C) / 2^shift)
//           M = (A + R_A)(B + R_B) - T' - U' = A B + rho
//   E       subtracts e = floor((scale rho + R_C) / 2^shift)
// Where the result is wanted opened, K -> E  k, sealed, and E keeps e (opened_values.h).
// Two ciphertexts of an operand travel as one, c_1 c_2^(2^(l + sigma + 3)). An operand of several products is
// opened by the first and travels sealed to the others; of a left one that E holds in one packing, K -> E the
// other, [A + R_A] (operand.h).
// E draws R_A, R_B, R_T and the effective mask rho and sets R_U = R_A R_B - R_T - rho.
// Ranges   A, B: l bits under masks of l + sigma.  A R_B: 2l + sigma + 2 + log k bits under R_T, sigma bits
//          wider.  |T'|, |U'| < 2^(S-2) (bit_budget.h).
//          A pair of masked operands: 2 (l + sigma + 3) bits with its sign, at most S.
//          M: 2l + log k bits under rho, sigma bits wider.  C: its own bits under R_C, sigma bits wider:
//          |M|, |C'| < 2^(S-2), their scaled sum below 2^(S-1).
// Views    K: A', B', T', M, C' each under its own mask; U' = A'B' - T' - M follows.  E: ciphertexts.
// Error    floor + {0, 1}, the carry 1 with probability frac(exact result); exact multiples never move.
// Parameters  inner, scale, shift, addend bits (0: none), then how each operand comes, form of the result
#include "paillier/error.h"
#include "protocols/integer_product.h"
#include "protocols/masked_values.h"
#include "protocols/matmul/later.h"
#include "protocols/matmul/operand.h"
#include "protocols/protocol.h"
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

constexpr auto wire_name = "matmul/packed";

/// Evaluator: [left right + mask] in the `column_packed` packing of the result, from the `column_packed`
/// ciphertexts of the left operand.
std::vector<Ciphertext> multiply_left(const PaillierPublicKey& key, const EncryptedMatrix& left,
                                      const IntegerMatrix& right) {
  return key.matrix_product(left.column_packed(), right.cells(), left.layout().row_groups.size(), left.cols(),
                            right.cols());
}

/// The same for a plain left and an encrypted right operand, in the `row_packed` packing of the result.
std::vector<Ciphertext> multiply_right(const PaillierPublicKey& key, const IntegerMatrix& left,
                                       const EncryptedMatrix& right) {
  const EncryptedMatrix transposed = right.transposed();
  const std::size_t groups = transposed.layout().row_groups.size();
  const auto product = key.matrix_product(transposed.column_packed(), left.transposed().cells(), groups,
                                          transposed.cols(), left.rows());
  std::vector<Ciphertext> out;
  out.reserve(product.size());
  for (std::size_t i = 0; i < left.rows(); ++i)
    for (std::size_t g = 0; g < groups; ++g) out.push_back(product[g * left.rows() + i]);
  return out;
}

/// One product, from its request to its answer.
class PackedProduct {
 public:
  static constexpr auto wire_name = smlp::wire_name;

  PackedProduct(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& a,
                const EncryptedMatrix& b, const Rescale& factor, const std::optional<Addend>& addend,
                Form form)
      : evaluator_(evaluator),
        operation_(operation),
        result_{a.layout().row_groups, b.layout().col_groups},
        rescaling_{factor, evaluator.budget.product_mask_bits(), addend ? addend->bits : 0, form},
        left_(evaluator, operation, a, Side::left),
        right_(evaluator, operation, b, Side::right),
        rho_(Mask::drawn(evaluator.rounding_draws(operation, RandomnessKind::mask_product, b.cols()),
                         a.rows(), b.cols(), rescaling_.mask_bits)) {
    const BitBudget& budget = evaluator.budget;
    const std::size_t m = a.rows(), k = a.cols(), n = b.cols();
    const Mask mask_t = Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_cross), m, n,
                                    budget.cross_term_mask_bits());
    const Mask mask_u = Mask::remainder(integer_product(left_.mask(), right_.mask()), mask_t, rho_);

    const auto t = multiply_left(evaluator.paillier(), a, right_.mask());
    const auto u = multiply_right(evaluator.paillier(), left_.mask(), b);
    const std::size_t cross_bits = budget.cross_term_mask_bits() - budget.numbers().sigma;
    RequestBody body(evaluator);
    left_.add_to(body);
    right_.add_to(body);
    body.add(mask_column_packed(evaluator, t, result_, mask_t, cross_bits, operation))
        .add(mask_row_packed(evaluator, u, result_, mask_u, cross_bits, operation));
    mask_c_ = add_masked_addend(evaluator, operation, addend, result_, body);
    std::vector<std::int64_t> parameters{static_cast<std::int64_t>(k), factor.scale,
                                         static_cast<std::int64_t>(factor.shift),
                                         static_cast<std::int64_t>(rescaling_.addend_bits)};
    left_.append_to(parameters);
    right_.append_to(parameters);
    parameters.push_back(static_cast<std::int64_t>(form));
    answer_.emplace(evaluator, evaluator.header(wire_name, 0, operation, result_, std::move(parameters)),
                    body);
  }
  /// Not where its cross terms alone are too long.
  static bool may_wait(const Evaluator& evaluator, const EncryptedMatrix& a, const EncryptedMatrix& b, Form) {
    const Layout result{a.layout().row_groups, b.layout().col_groups};
    const std::size_t least_ciphertexts = column_packed_count(result) + row_packed_count(result);
    return least_ciphertexts * evaluator.paillier().ciphertext_bytes() <= most_read_later_bytes;
  }
  bool may_be_read_later() const { return answer_->may_be_read_later(); }
  /// Once.
  EncryptedMatrix read() {
    EncryptedMatrix out = read_rescaled(evaluator_, operation_, *answer_, result_, rho_.values(), mask_c_,
                                        rescaling_, "the rescaled product");
    read_operands(*answer_, left_, right_);
    return out;
  }

 private:
  const Evaluator& evaluator_;
  OperationId operation_;
  Layout result_;
  Rescaling rescaling_;
  Operand left_, right_;
  Mask rho_;
  IntegerMatrix mask_c_;
  std::optional<AnswerBody> answer_;
};

void answer_product(Responder& responder) {
  const BitBudget& budget = responder.budget();
  const std::size_t inner = checked_size(responder.parameter(0), budget.max_inner(), "inner dimension");
  const Rescale factor = checked_factor(responder, 1);
  budget.check_product(wire_name, inner, factor);
  if (inner > responder.unread_bytes())  // before anything of that size is made
    throw Error("a product of inner dimension " + std::to_string(inner) + " came with " +
                std::to_string(responder.unread_bytes()) + " bytes");
  const Layout& result = responder.header().layout;
  const std::vector<std::size_t> ungrouped(inner, 1);
  const Layout left_layout{result.row_groups, ungrouped}, right_layout{ungrouped, result.col_groups};
  std::size_t next = first_form;
  OpenedOperand left(responder, left_layout, Side::left, next);
  OpenedOperand right(responder, right_layout, Side::right, next);
  const IntegerMatrix& a = left.open("A + R_A");
  const IntegerMatrix& b = right.open("B + R_B");
  const std::size_t mask_bits = budget.cross_term_mask_bits();
  const IntegerMatrix t = integer_matrix(responder.open_column_packed(result, mask_bits, "A R_B + R_T"),
                                         result.rows(), result.cols());
  const IntegerMatrix u = integer_matrix(responder.open_row_packed(result, mask_bits, "R_A B + R_U"),
                                         result.rows(), result.cols());
  const IntegerMatrix c = open_addend(responder, 3);
  IntegerMatrix product = integer_product(a, b);
  for (std::size_t cell = 0; cell < product.size(); ++cell)
    product.cells()[cell] -= t.cells()[cell] + u.cells()[cell];
  responder.observe("A B + rho", product.cells());
  for (const Integer& value : product.cells())
    if (bit_length(value) > budget.product_mask_bits() + mask_sum_bits) refuse_out_of_range();
  put_rescaled(responder, product, c,
               {factor, budget.product_mask_bits(), static_cast<std::size_t>(responder.parameter(3)),
                checked_form(responder, next)});
  left.seal();
  right.seal();
}

Declaration declared(const Work& work, const Sizes& sizes) {
  const BitBudget& budget = sizes.budget;
  const Layout result{work.left.row_groups, work.right.col_groups};
  const std::size_t addends = work.addend ? 1 : 0, inner = work.left.cols(),
                    bits = budget.value_mask_bits() + mask_sum_bits;
  Declaration out{
      .to_key_holder = {.ciphertexts =
                            column_packed_count(result) * (1 + addends) + row_packed_count(result)},
      .masked_values = (2 + addends) * cell_count(result),
      .beside = {.products = powers_products(result.row_groups.size(), inner, result.cols(), bits) +
                             powers_products(result.col_groups.size(), inner, result.rows(), bits)}};
  declare_rescaled(result, work, out);
  declare_operand(work.left_states, work.left, column_packed_count(work.left), budget, out);
  declare_operand(work.right_states, work.right, row_packed_count(work.right), budget, out);
  const std::size_t closed = work.result_bits != 0 ? out.to_evaluator.ciphertexts : 0;
  const bool states = work.result_bits != 0 && closed == 0;
  const bool short_enough = out.traffic(sizes).to_key_holder <= most_read_later_bytes &&
                            closed * sizes.ciphertext_bytes <= most_read_later_bytes;
  if (states || ((closed != 0 || work.later) && short_enough)) out.waits = out.to_key_holder;
  return out;
}

}  // namespace

extern constexpr Descriptor packed_matmul_descriptor{
    .family = Family::matmul,
    .name = "packed",
    .paper = "Bellafqira et al. 2018, section 4, on packed operands",
    .flow =
        "E -> K [A + R_A], [B + R_B], [A R_B + R_T], [R_A B + R_U] (, [C + R_C]);  "
        "K -> E [floor(scale (A B + rho) / 2^shift)], or it sealed",
    .fused = true,
    .handlers = {answer_product},
    .declared = declared,
    .make = made<RequestedProduct<PackedProduct>>,
};

}  // namespace smlp
