// The paper's matrix product: secure multiplication once a product, one value a ciphertext, then the
// truncation family.
//
// Bellafqira et al. 2018 (arXiv 1806.02709), secure multiplication; all products of a matrix in one message.
//   E -> K  [a + r_a], [b + r_b] for each product       K -> E  [(a + r_a)(b + r_b)]
//   E       removes a r_b + b r_a + r_a r_b, sums the products of a cell; the chosen truncation divides
// Ranges   a, b: l bits under l + sigma; (a + r_a)(b + r_b) below 2^(2 (l + sigma + 2)).
//          Sums of products: 2l + log k bits.
// Views    K: masked factors, and what the truncation shows.  E: ciphertexts.
#include "paillier/error.h"
#include "protocols/integer_product.h"
#include "protocols/matmul/blinded_products.h"

namespace smlp {

namespace {

constexpr auto wire_name = "matmul/blinded";

class BlindedMatrixProduct : public MatrixProduct {
 public:
  explicit BlindedMatrixProduct(const ProtocolSet& parts) : truncation_(parts.truncation) {}

  EncryptedMatrix multiply(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& a,
                           const EncryptedMatrix& b, const Rescale& factor,
                           const std::optional<Addend>& addend, Form form) const override {
    check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
    if (!a.layout().single() || !b.layout().single())
      throw Error(std::string("the protocol ") + wire_name + " works on one value a ciphertext");
    const BitBudget& budget = evaluator.budget;
    budget.check_product(wire_name, a.cols(), factor);
    const Layout result{a.layout().row_groups, b.layout().col_groups};
    std::vector<Ciphertext> left;
    std::vector<Ciphertext> right;
    for (std::size_t i = 0; i < a.rows(); ++i)
      for (std::size_t j = 0; j < b.cols(); ++j)
        for (std::size_t x = 0; x < a.cols(); ++x) {
          left.push_back(a.column_packed()[i * a.cols() + x]);
          right.push_back(b.column_packed()[x * b.cols() + j]);
        }
    const EncryptedMatrix product = multiply_blinded(evaluator, wire_name, 0, operation, result, a.cols(),
                                                     left, right, budget.numbers().value_bits);
    return truncation_->rescale(evaluator, operation, product, budget.product_bits(), factor, addend, form);
  }

 private:
  std::shared_ptr<const Truncation> truncation_;
};

}  // namespace

extern constexpr Descriptor blinded_matmul_descriptor{
    .family = Family::matmul,
    .name = "blinded",
    .paper = "Bellafqira et al. 2018, secure multiplication",
    .flow =
        "for each product: E -> K [a + r_a], [b + r_b];  K -> E [(a + r_a)(b + r_b)];  then the truncation",
    .single_value = true,
    .handlers = {answer_blinded_products},
    .declared =
        [](const Work& work, const Sizes& sizes) {
          return declared_blinded_products(work.left.rows() * work.right.cols(), work.left.cols(),
                                           sizes.budget.value_mask_bits());
        },
    .make = made<BlindedMatrixProduct>,
};

}  // namespace smlp
