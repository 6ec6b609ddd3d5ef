// The twin of an encrypted run.
#include "mlp/training/twin_arithmetic.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "mlp/training/fixed_point.h"
#include "paillier/parallel.h"
#include "protocols/evaluator.h"
#include "protocols/integer_product.h"

namespace smlp {

namespace {

// What a product and its rescaling are computed in: two words where all fits, which it nearly always does.
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;
constexpr std::size_t wide_bits = 125;  // a sum of such a value, an addend of 122 bits and a carry fits

std::size_t bit_length(Wide value) {
  const UnsignedWide size =
      value < 0 ? 0 - static_cast<UnsignedWide>(value) : static_cast<UnsignedWide>(value);
  const auto high = static_cast<std::uint64_t>(size >> 64);
  return static_cast<std::size_t>(high != 0 ? 64 + std::bit_width(high)
                                            : std::bit_width(static_cast<std::uint64_t>(size)));
}
using smlp::floor_shift;
Wide floor_shift(Wide value, std::size_t shift) {
  return value >> shift;
}
std::int64_t word(Wide value) {
  return static_cast<std::int64_t>(value);
}
std::int64_t word(const Integer& value) {
  return value.get_si();
}
Integer exact(Wide value) {
  return (Integer(static_cast<long>(value >> 64)) << 64) +
         Integer(static_cast<unsigned long>(static_cast<std::uint64_t>(value)));
}
const Integer& exact(const Integer& value) {
  return value;
}

/// Bits of the longest cell.
std::size_t longest(const WordMatrix& m) {
  std::uint64_t all = 0;
  for (const std::int64_t value : m.cells())
    all |= value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  return static_cast<std::size_t>(std::bit_width(all));
}

Matrix<Wide> wide_product(const WordMatrix& a, const WordMatrix& b) {
  constexpr std::size_t worth_a_thread = std::size_t{1} << 18;  // multiplications
  const WordMatrix columns = b.transposed();
  Matrix<Wide> out(a.rows(), b.cols());
  const std::size_t inner = a.cols();
  parallel_blocks(a.rows(), 1 + worth_a_thread / std::max<std::size_t>(b.size(), 1),
                  [&](std::size_t first, std::size_t rows) {
                    for (std::size_t i = first; i < first + rows; ++i)
                      for (std::size_t j = 0; j < columns.rows(); ++j) {
                        const std::int64_t* x = a.cells().data() + i * inner;
                        const std::int64_t* y = columns.cells().data() + j * inner;
                        Wide sum = 0;
                        for (std::size_t k = 0; k < inner; ++k) sum += static_cast<Wide>(x[k]) * y[k];
                        out(i, j) = sum;
                      }
                  });
  return out;
}

/// floor((scale x + sum of the terms + carry) / 2^shift), cell by cell.
template <typename Number>
Matrix<Number> rescaled(Matrix<Number> x, const Rescale& factor,
                        const std::vector<std::pair<std::int64_t, const WordMatrix&>>& terms,
                        const std::vector<std::uint64_t>& carries) {
  const Number scale(static_cast<long>(factor.scale));
  for (std::size_t i = 0; i < x.size(); ++i) {
    Number value = scale * x.cells()[i] + Number(static_cast<unsigned long>(carries[i]));
    for (const auto& [times, m] : terms)
      value += Number(static_cast<long>(times)) * Number(static_cast<long>(m.cells()[i]));
    x.cells()[i] = floor_shift(value, factor.shift);
  }
  return x;
}

}  // namespace

template <typename Number>
TwinArithmetic::Matrix TwinArithmetic::in_range(const std::string& tensor, const std::string& where,
                                                const smlp::Matrix<Number>& m) {
  const std::size_t bits = budget_.numbers().value_bits;
  std::size_t& widest = widest_[tensor];
  Matrix out(m.rows(), m.cols());
  for (std::size_t i = 0; i < m.size(); ++i) {
    widest = std::max(widest, bit_length(m.cells()[i]) + 1);
    if (widest > bits)
      throw LeftRange(tensor + where + " reaches " + exact(m.cells()[i]).get_str() + ", outside the " +
                      std::to_string(bits) +
                      " bits of --value-bits; raise --value-bits, lower --fraction-bits or --learning-rate, "
                      "or scale the data");
    out.cells()[i] = word(m.cells()[i]);
  }
  return out;
}

std::vector<std::uint64_t> TwinArithmetic::carries(const OperationId& operation, std::size_t cells,
                                                   const Rescale& factor, const Addend& addend) const {
  const auto low_words = [&](RandomnessKind kind, std::size_t bits) {
    return Mask::low_words(Draws(random_, operation.address(kind)), cells, bits);
  };
  std::vector<std::uint64_t> out = low_words(RandomnessKind::mask_product, budget_.product_mask_bits());
  for (std::uint64_t& carry : out) carry *= static_cast<std::uint64_t>(factor.scale);
  if (!addend.terms.empty()) {
    const auto of_addend = low_words(RandomnessKind::mask_addend, addend.bits + budget_.numbers().sigma);
    for (std::size_t cell = 0; cell < cells; ++cell) out[cell] += of_addend[cell];
  }
  const std::uint64_t below = (std::uint64_t{1} << factor.shift) - 1;  // shifts are at most 61
  for (std::uint64_t& carry : out) carry &= below;
  return out;
}

TwinArithmetic::Matrix TwinArithmetic::rescaled_product(const OperationId& operation, const Matrix& a,
                                                        const Matrix& b, const Rescale& factor,
                                                        const Addend& addend) {
  check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
  const std::vector<std::uint64_t> masks = carries(operation, a.rows() * b.cols(), factor, addend);
  const std::size_t bits = longest(a) + longest(b) + static_cast<std::size_t>(std::bit_width(a.cols())) +
                           bit_length(Wide{factor.scale});
  if (bits <= wide_bits)
    return in_range(operation, rescaled(wide_product(a, b), factor, addend.terms, masks));
  const IntegerMatrix x = integer_product(as_integers(a), as_integers(b));
  return in_range(operation, rescaled(x, factor, addend.terms, masks));
}

TwinArithmetic::Matrix TwinArithmetic::product(const OperationId& operation, const Matrix& a, const Matrix& b,
                                               std::size_t halvings, Consumer) {
  return rescaled_product(operation, a, b, {1, budget_.numbers().fraction_bits + halvings}, {});
}

Later<TwinArithmetic::Matrix> TwinArithmetic::velocity(const OperationId& operation, const Matrix& a,
                                                       const Matrix& b, const UpdateFactors& factors,
                                                       const Matrix& previous, const Matrix& weights) {
  Addend addend;
  if (previous.size() != 0 || factors.decay != 0) {
    addend.terms.emplace_back(factors.decay, weights);
    if (previous.size() != 0) addend.terms.emplace_back(factors.momentum, previous);
    addend.bits = factors.addend_bits(budget_.numbers());
  }
  return
      [out = rescaled_product(operation, a, b, factors.rescale, addend)]() mutable { return std::move(out); };
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
  const std::int64_t added = word(encode(constant, budget_.numbers(), "a constant of a layer"));
  for (std::int64_t& cell : out.cells()) cell += added;
  return out;
}
TwinArithmetic::Matrix TwinArithmetic::combination(const OperationId& operation,
                                                   const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                                                   double constant) {
  const Matrix& first = terms.front().second;
  smlp::Matrix<Wide> sum(first.rows(), first.cols(),
                         word(encode(constant, budget_.numbers(), "a constant of a layer")));
  for (const auto& [factor, matrix] : terms)
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum.cells()[i] += static_cast<Wide>(factor) * matrix.cells()[i];
  return in_range(operation, sum);
}

TwinArithmetic::Matrix TwinArithmetic::add(const Matrix& a, const Matrix& b) {
  return in_range("a sum of weights", "", cell_by_cell(a, b, std::plus<>()));
}
TwinArithmetic::Matrix TwinArithmetic::subtract(const Matrix& a, const Matrix& b) {
  return in_range("an error of the outputs", "", cell_by_cell(a, b, std::minus<>()));
}

}  // namespace smlp
