// The twin: the integers of the encrypted run in the clear, bit for bit. It replays the masks' carries from
// the evaluator's randomness and checks that every tensor stays in l bits, which no server can see. These are
// at most 60, so its cells are machine words; what is wider until it is rescaled and checked is not kept.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mlp/training/arithmetic.h"
#include "mlp/training/out_of_range.h"
#include "mlp/training/plain_matrix.h"
#include "mlp/training/training_options.h"
#include "paillier/random.h"
#include "protocols/bit_budget.h"
#include "protocols/matrix.h"
#include "protocols/operation_id.h"

namespace smlp {

/// A value of the twin left its bits.
class LeftRange : public Error {
 public:
  using Error::Error;
};

class TwinArithmetic : public PlainArithmetic<std::int64_t> {
 public:
  using ActivationTape = smlp::Matrix<std::uint8_t>;  ///< 1 where z >= 0

  /// `random` is the evaluator's source of the same run.
  TwinArithmetic(const BitBudget& budget, RandomSource random)
      : PlainArithmetic(std::int64_t{1} << budget.numbers().fraction_bits),
        budget_(budget),
        random_(std::move(random)) {}

  // All throw LeftRange naming layer and operation when a value leaves l bits.
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

  /// Bits of the widest value of each tensor since they were last forgotten, with its sign.
  const std::map<std::string, std::size_t>& widest_bits() const { return widest_; }
  void forget_widest_bits() { widest_.clear(); }

 private:
  /// C = sum of factor m, of this many bits.
  struct Addend {
    std::vector<std::pair<std::int64_t, const Matrix&>> terms;
    std::size_t bits = 0;
  };
  /// floor((scale (x + rho) + C + R_C) / 2^shift) - floor((scale rho + R_C) / 2^shift) of x = a b, with the
  /// run's rho and R_C. That is floor((scale x + C + m) / 2^shift) with m = scale rho + R_C mod 2^shift, so
  /// words of the masks do.
  Matrix rescaled_product(const OperationId& operation, const Matrix& a, const Matrix& b,
                          const Rescale& factor, const Addend& addend);
  /// Those m, for so many cells.
  std::vector<std::uint64_t> carries(const OperationId& operation, std::size_t cells, const Rescale& factor,
                                     const Addend& addend) const;
  template <typename Number>
  Matrix in_range(const std::string& tensor, const std::string& where, const smlp::Matrix<Number>& m);
  template <typename Number>
  Matrix in_range(const OperationId& operation, const smlp::Matrix<Number>& m) {
    return in_range(tensor(operation), in_step(operation), m);
  }

  BitBudget budget_;
  RandomSource random_;
  std::map<std::string, std::size_t> widest_;
};

}  // namespace smlp
