// The twin of an encrypted run.
#include "mlp/training/twin_arithmetic.h"

#include <algorithm>
#include <functional>

#include "mlp/training/fixed_point.h"
#include "paillier/parallel.h"
#include "protocols/evaluator.h"
#include "protocols/integer_product.h"

namespace smlp {

TwinArithmetic::Matrix TwinArithmetic::in_range(const std::string& tensor, const std::string& where,
                                                Matrix m) {
  const std::size_t bits = budget_.numbers().value_bits;
  std::size_t& widest = widest_[tensor];
  for (const Integer& value : m.cells()) {
    widest = std::max(widest, bit_length(value) + 1);
    if (widest > bits)
      throw LeftRange(
          tensor + where + " reaches " + value.get_str() + ", outside the " + std::to_string(bits) +
          " bits of --value-bits; raise --value-bits, lower --fraction-bits or --learning-rate, or "
          "scale the data");
  }
  return m;
}

TwinArithmetic::Matrix TwinArithmetic::rescaled(const OperationId& operation, const Matrix& x,
                                                const Rescale& factor, const Matrix& addend,
                                                std::size_t addend_bits) {
  const Draws rho(random_, operation.address(RandomnessKind::mask_product)),
      of_addend(random_, operation.address(RandomnessKind::mask_addend));
  const std::size_t rho_bits = budget_.product_mask_bits(), c_bits = addend_bits + budget_.numbers().sigma;
  const std::uint64_t below = (std::uint64_t{1} << factor.shift) - 1;  // shifts are at most 61
  const Integer scale(static_cast<long>(factor.scale));
  Matrix out(x.rows(), x.cols());
  parallel_for(x.size(), [&](std::size_t cell) {
    std::uint64_t masks =
        static_cast<std::uint64_t>(factor.scale) * Mask::low_word(rho.stream(cell), rho_bits);
    Integer value = scale * x.cells()[cell];
    if (addend.size() != 0) {
      masks += Mask::low_word(of_addend.stream(cell), c_bits);
      value += addend.cells()[cell];
    }
    value += Integer(static_cast<unsigned long>(masks & below));
    out.cells()[cell] = floor_shift(value, factor.shift);
  });
  return out;
}

TwinArithmetic::Matrix TwinArithmetic::product(const OperationId& operation, const Matrix& a, const Matrix& b,
                                               std::size_t halvings, Consumer) {
  const Rescale factor{1, budget_.numbers().fraction_bits + halvings};
  return in_range(operation, rescaled(operation, integer_product(a, b), factor, {}, 0));
}

TwinArithmetic::Matrix TwinArithmetic::velocity(const OperationId& operation, const Matrix& a,
                                                const Matrix& b, const UpdateFactors& factors,
                                                const Matrix& previous, const Matrix& weights) {
  Matrix addend;
  if (previous.size() != 0 || factors.decay != 0) {
    addend = Matrix(weights.rows(), weights.cols());
    for (std::size_t i = 0; i < addend.size(); ++i) {
      addend.cells()[i] = weights.cells()[i] * static_cast<long>(factors.decay);
      if (previous.size() != 0)
        addend.cells()[i] += previous.cells()[i] * static_cast<long>(factors.momentum);
    }
  }
  return in_range(operation, rescaled(operation, integer_product(a, b), factors.rescale, addend,
                                      factors.addend_bits(budget_.numbers())));
}

std::pair<TwinArithmetic::Matrix, TwinArithmetic::ActivationTape> TwinArithmetic::relu(
    const OperationId& operation, const Matrix& z, Consumer) {
  ActivationTape tape(z.rows(), z.cols());
  for (std::size_t i = 0; i < z.size(); ++i) tape.cells()[i] = z.cells()[i] >= 0 ? 1 : 0;
  return {relu_derivative(operation, z, tape), tape};
}

TwinArithmetic::Matrix TwinArithmetic::relu_derivative(const OperationId&, const Matrix& delta,
                                                       const ActivationTape& tape, Consumer) {
  Matrix out = delta;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (tape.cells()[i] == 0) out.cells()[i] = 0;
  return out;
}

TwinArithmetic::Matrix TwinArithmetic::plus_constant(const Matrix& m, double constant) {
  Matrix out = m;
  const Integer added = encode(constant, budget_.numbers(), "a constant of a layer");
  for (Integer& cell : out.cells()) cell += added;
  return out;
}
TwinArithmetic::Matrix TwinArithmetic::combination(const OperationId& operation,
                                                   const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                                                   double constant) {
  Matrix sum(terms.front().second.rows(), terms.front().second.cols());
  for (const auto& [factor, matrix] : terms)
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum.cells()[i] += static_cast<long>(factor) * matrix.cells()[i];
  return in_range(operation, plus_constant(sum, constant));
}

TwinArithmetic::Matrix TwinArithmetic::add(const Matrix& a, const Matrix& b) {
  return in_range("a sum of weights", "", cell_by_cell(a, b, std::plus<Integer>()));
}
TwinArithmetic::Matrix TwinArithmetic::subtract(const Matrix& a, const Matrix& b) {
  return in_range("an error of the outputs", "", cell_by_cell(a, b, std::minus<Integer>()));
}

}  // namespace smlp
