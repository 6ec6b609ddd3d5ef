// Ordinary doubles: what training in the clear would give.
#pragma once

#include <utility>
#include <vector>

#include "mlp/training/arithmetic.h"
#include "mlp/training/plain_matrix.h"
#include "mlp/training/training_options.h"
#include "protocols/matrix.h"
#include "protocols/operation_id.h"

namespace smlp {

class FloatArithmetic {
 public:
  using Matrix = smlp::Matrix<double>;
  using ActivationTape = smlp::Matrix<double>;  ///< 1 where z >= 0

  /// Rates are those of the integers: f of the fixed-point numbers that it is compared with.
  explicit FloatArithmetic(std::size_t fraction_bits) : fraction_bits_(fraction_bits) {}

  Matrix labels(const OperationId&, const std::vector<Matrix>& parts) { return stacked(parts); }
  Matrix features(const OperationId&, const std::vector<std::size_t>&, const std::vector<Matrix>& parts) {
    return with_bias_input(stacked(parts));
  }
  const Matrix& open_once(const Matrix& m) { return m; }
  Matrix product(const OperationId& operation, const Matrix& a, const Matrix& b, std::size_t halvings = 0,
                 Consumer = Consumer::any);
  Matrix velocity(const OperationId& operation, const Matrix& a, const Matrix& b,
                  const UpdateFactors& factors, const Matrix& previous, const Matrix& weights);
  std::pair<Matrix, ActivationTape> relu(const OperationId& operation, const Matrix& z,
                                         Consumer consumer = Consumer::any);
  Matrix relu_derivative(const OperationId& operation, const Matrix& delta, const ActivationTape& tape,
                         Consumer consumer = Consumer::any);
  Matrix plus_constant(const Matrix& m, double constant);
  Matrix combination(const OperationId& operation, const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                     double constant);
  Matrix stacked(const std::vector<Matrix>& parts) { return smlp::stacked(parts); }
  std::vector<Matrix> unstacked(const Matrix& m, std::size_t parts) { return smlp::unstacked(m, parts); }
  Matrix with_bias_input(const Matrix& m);
  Matrix without_bias(const Matrix& m);
  Matrix transposed(const Matrix& m) { return m.transposed(); }
  Matrix add(const Matrix& a, const Matrix& b);
  Matrix subtract(const Matrix& a, const Matrix& b);
  void check_activations(std::uint32_t) const {}  ///< no ranges
  void check_weights(std::uint32_t, const std::vector<Matrix>&) const {}

 private:
  std::size_t fraction_bits_;
};

}  // namespace smlp
