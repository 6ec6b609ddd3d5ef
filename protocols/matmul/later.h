// The family's interface over one product from its request to its answer, which may be read later.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "protocols/protocol.h"
#include "protocols/truncation/division.h"

namespace smlp {

/// `Product` is made of the arguments of multiply() and refers to its operands. It has a `wire_name`; read(),
/// once; may_be_read_later(), asked once before it; and may_wait() of operands and form, which says without
/// one whether such a product may be read later at all: else no operand is copied.
template <typename Product>
class RequestedProduct : public MatrixProduct {
 public:
  EncryptedMatrix multiply(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& a,
                           const EncryptedMatrix& b, const Rescale& factor,
                           const std::optional<Addend>& addend, Form form) const override {
    check(evaluator.budget, a, b, factor, addend, form);
    return Product(evaluator, operation, a, b, factor, addend, form).read();
  }
  std::function<EncryptedMatrix()> multiply_later(const Evaluator& evaluator, const OperationId& operation,
                                                  const EncryptedMatrix& a, const EncryptedMatrix& b,
                                                  const Rescale& factor, const std::optional<Addend>& addend,
                                                  Form form) const override {
    check(evaluator.budget, a, b, factor, addend, form);
    if (!Product::may_wait(evaluator, a, b, form))
      return MatrixProduct::multiply_later(evaluator, operation, a, b, factor, addend, form);
    struct Later {
      EncryptedMatrix a, b;
      std::optional<Product> product{};
    };
    const auto later = std::make_shared<Later>(a, b);
    later->product.emplace(evaluator, operation, later->a, later->b, factor, addend, form);
    const auto read = [later] {
      EncryptedMatrix out = later->product->read();
      later->product.reset();
      later->a = later->b = {};
      return out;
    };
    if (later->product->may_be_read_later()) return read;
    return [product = read()]() mutable { return std::move(product); };
  }

 private:
  static void check(const BitBudget& budget, const EncryptedMatrix& a, const EncryptedMatrix& b,
                    const Rescale& factor, const std::optional<Addend>& addend, Form form) {
    check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
    budget.check_product(Product::wire_name, a.cols(), factor);
    if (addend) budget.check_addend(Product::wire_name, addend->bits);
    check_form(budget, {factor, budget.product_mask_bits(), addend ? addend->bits : 0, form});
  }
};

}  // namespace smlp
