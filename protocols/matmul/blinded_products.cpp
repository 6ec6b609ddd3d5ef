// The paper's secure multiplication, batched.
#include "protocols/matmul/blinded_products.h"

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/truncation/division.h"

namespace smlp {

namespace {

/// One ciphertext a cell.
Layout ungrouped(std::size_t rows, std::size_t cols) {
  return {std::vector<std::size_t>(rows, 1), std::vector<std::size_t>(cols, 1)};
}

}  // namespace

EncryptedMatrix multiply_blinded(const Evaluator& evaluator, const std::string& wire_name, std::uint8_t stage,
                                 const OperationId& operation, const Layout& layout, std::size_t terms,
                                 const std::vector<Ciphertext>& a, const std::vector<Ciphertext>& b,
                                 std::size_t bits) {
  if (!layout.single()) throw Error("the protocol " + wire_name + " works on one value a ciphertext");
  const PaillierPublicKey& key = evaluator.paillier();
  const std::size_t rows = layout.rows() * layout.cols();
  const Layout factors = ungrouped(rows, terms);
  const std::size_t mask_bits = bits + evaluator.budget.numbers().sigma;
  const Mask mask_a =
      Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_left), rows, terms, mask_bits);
  const Mask mask_b =
      Mask::drawn(evaluator.draws(operation, RandomnessKind::mask_right), rows, terms, mask_bits);
  RequestBody body(evaluator);
  body.add(mask_column_packed(evaluator, a, factors, mask_a, bits, operation))
      .add(mask_column_packed(evaluator, b, factors, mask_b, bits, operation));
  AnswerBody answer(evaluator,
                    evaluator.header(wire_name, stage, operation, layout,
                                     {static_cast<std::int64_t>(terms), static_cast<std::int64_t>(bits)}),
                    body);
  const auto products = answer.ciphertexts(rows * terms, "the products");
  answer.finish();

  // sum products - sum (r_b a + r_a b) - sum r_a r_b, the middle sum as one product of powers, inverted.
  std::vector<Ciphertext> factors_of_rows;
  std::vector<Integer> exponents;
  for (std::size_t i = 0; i < rows * terms; ++i) {
    factors_of_rows.push_back(a[i]);
    exponents.push_back(mask_b.values().cells()[i]);
    factors_of_rows.push_back(b[i]);
    exponents.push_back(mask_a.values().cells()[i]);
  }
  const auto cross = key.negate(key.dot_products(factors_of_rows, exponents, 2 * terms));
  auto sums = parallel_map(rows, [&](std::size_t row) {
    Ciphertext sum = cross[row];
    Integer constant = 0;
    for (std::size_t i = row * terms; i < (row + 1) * terms; ++i) {
      sum = key.add(sum, products[i]);
      constant += mask_a.values().cells()[i] * mask_b.values().cells()[i];
    }
    return key.add_plain(sum, -constant);
  });
  return EncryptedMatrix(layout, std::move(sums), {});
}

void answer_blinded_products(Responder& responder) {
  const BitBudget& budget = responder.budget();
  const std::size_t terms = checked_size(responder.parameter(0), budget.max_inner(), "inner dimension");
  const std::size_t bits =
      checked_size(responder.parameter(1), budget.guarded_bits(), "number of value bits");
  const Layout& layout = responder.header().layout;
  const Layout factors = ungrouped(layout.rows() * layout.cols(), terms);
  const std::size_t mask_bits = bits + budget.numbers().sigma;
  const std::vector<Integer> a = responder.open_column_packed(factors, mask_bits, "a + r_a").integers();
  const std::vector<Integer> b = responder.open_column_packed(factors, mask_bits, "b + r_b").integers();
  std::vector<Integer> products(a.size());
  for (std::size_t i = 0; i < products.size(); ++i) products[i] = a[i] * b[i];
  responder.put(products, RandomnessKind::answer_column_packed);
}

Declaration declared_blinded_products(std::size_t rows, std::size_t terms, std::size_t mask_bits) {
  const std::size_t products = rows * terms;
  return {.to_key_holder = {.ciphertexts = 2 * products},
          .to_evaluator = {.ciphertexts = products},
          .masked_values = 2 * products,
          .beside = {.products = powers_products(rows, 2 * terms, 1, mask_bits + mask_sum_bits) +
                                 static_cast<double>(products)}};
}

}  // namespace smlp
