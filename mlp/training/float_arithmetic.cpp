// Ordinary doubles.
#include "mlp/training/float_arithmetic.h"

#include <cmath>
#include <functional>

namespace smlp {

FloatArithmetic::Matrix FloatArithmetic::product(const OperationId&, const Matrix& a, const Matrix& b,
                                                 std::size_t halvings, Consumer) {
  if (a.cols() != b.rows()) throw Error("a product of matrices whose inner dimensions differ");
  Matrix out(a.rows(), b.cols());
  for (std::size_t i = 0; i < a.rows(); ++i)
    for (std::size_t k = 0; k < a.cols(); ++k)
      for (std::size_t j = 0; j < b.cols(); ++j) out(i, j) += a(i, k) * b(k, j);
  for (double& cell : out.cells()) cell = std::ldexp(cell, -static_cast<int>(halvings));
  return out;
}

Later<FloatArithmetic::Matrix> FloatArithmetic::velocity(const OperationId& operation, const Matrix& a,
                                                         const Matrix& b, const UpdateFactors& factors,
                                                         const Matrix& previous, const Matrix& weights) {
  Matrix out = product(operation, a, b);
  for (std::size_t i = 0; i < out.size(); ++i) {
    double& cell = out.cells()[i];
    cell = -factors.rate_over_rows(fraction_bits_) * cell - factors.effective_decay() * weights.cells()[i];
    if (previous.size() != 0) cell += factors.effective_momentum() * previous.cells()[i];
  }
  return [out = std::move(out)]() mutable { return std::move(out); };
}

std::pair<FloatArithmetic::Matrix, FloatArithmetic::ActivationTape> FloatArithmetic::relu(
    const OperationId& operation, const Matrix& z, Consumer) {
  ActivationTape tape(z.rows(), z.cols());
  for (std::size_t i = 0; i < z.size(); ++i) tape.cells()[i] = z.cells()[i] >= 0 ? 1 : 0;
  return {relu_derivative(operation, z, tape), tape};
}

FloatArithmetic::Matrix FloatArithmetic::relu_derivative(const OperationId&, const Matrix& delta,
                                                         const ActivationTape& tape, Consumer) {
  return cell_by_cell(delta, tape, std::multiplies<>());
}

FloatArithmetic::Matrix FloatArithmetic::plus_constant(const Matrix& m, double constant) {
  Matrix out = m;
  for (double& cell : out.cells()) cell += constant;
  return out;
}
FloatArithmetic::Matrix FloatArithmetic::combination(
    const OperationId&, const std::vector<std::pair<std::int64_t, Matrix>>& terms, double constant) {
  Matrix sum(terms.front().second.rows(), terms.front().second.cols(), constant);
  for (const auto& [factor, matrix] : terms)
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum.cells()[i] += static_cast<double>(factor) * matrix.cells()[i];
  return sum;
}

FloatArithmetic::Matrix FloatArithmetic::add(const Matrix& a, const Matrix& b) {
  return cell_by_cell(a, b, std::plus<>());
}
FloatArithmetic::Matrix FloatArithmetic::subtract(const Matrix& a, const Matrix& b) {
  return cell_by_cell(a, b, std::minus<>());
}

}  // namespace smlp
