// A product of which the request waits for others (MatrixProduct::multiply_later).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "protocols/protocol.h"

namespace smlp {

/// What gives such a product, once; it is read at once where its request, or the answer, may not wait.
/// `Product` is made of the arguments of MatrixProduct::multiply and refers to its operands; it has
/// may_be_read_later() and read().
template <typename Product>
std::function<EncryptedMatrix()> product_later(const Evaluator& evaluator, const OperationId& operation,
                                               const EncryptedMatrix& a, const EncryptedMatrix& b,
                                               const Rescale& factor, const std::optional<Addend>& addend,
                                               Form form) {
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

}  // namespace smlp
