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

class FloatArithmetic : public PlainArithmetic<double> {
 public:
  using ActivationTape = smlp::Matrix<double>;  ///< 1 where z >= 0

  /// Rates are those of the integers: f of the fixed-point numbers that it is compared with.
  explicit FloatArithmetic(std::size_t fraction_bits) : PlainArithmetic(1.0), fraction_bits_(fraction_bits) {}

  Matrix product(const OperationId& operation, const Matrix& a, const Matrix& b, std::size_t halvings = 0,
                 Consumer = {});
  Later<Matrix> velocity(const OperationId& operation, const Matrix& a, const Matrix& b,
                         const UpdateFactors& factors, const Matrix& previous, const Matrix& weights);
  std::pair<Matrix, ActivationTape> relu(const OperationId& operation, const Matrix& z,
                                         Consumer consumer = {});
  Matrix relu_derivative(const OperationId& operation, const Matrix& delta, const ActivationTape& tape,
                         Consumer consumer = {});
  Matrix plus_constant(const Matrix& m, double constant);
  Matrix combination(const OperationId& operation, const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                     double constant);
  Matrix add(const Matrix& a, const Matrix& b);
  Matrix subtract(const Matrix& a, const Matrix& b);

 private:
  std::size_t fraction_bits_;
};

}  // namespace smlp
