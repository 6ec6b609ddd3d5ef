// Encrypted matrices that the ranks of an evaluator share.
//
// Every product is computed where its result is: a rank has whole row groups of each batch, and of each
// weight matrix. Forward and backward, the rows of the batch are on the left, the weights, which every rank
// has, on the right, and nothing is exchanged. Of the gradient X^T D a rank computes the rows of its inputs
// of the layer, whole: X and D are gathered before, the new velocities after. So no sum is divided between
// ranks, rescaling is fused with the product as for one evaluator, and each rounding is drawn for its cell
// (Evaluator::rounding_draws): weights are the same for every number of ranks, bit for bit.
//
// Where there are more ranks than that keeps busy, several have the same rows, and of what is computed of
// them each has whole column groups: of a product, and of everything cell by cell up to the next one, which
// takes whole rows, so they are gathered before it. Of a matrix with fewer column groups than parts some
// ranks have nothing.
//
// Exchanged in a step are, as ciphertexts in one packing, the inputs of each layer but the first and the
// error of each, and once the velocities in both (exchanged_bytes() in mlp/training/cost.h). Where columns
// are shared too, inputs and errors that a product takes are exchanged in the packing of its operand before
// it, and in the other one, which the key holder makes of whole rows, for the gradient.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "mlp/ranks/ranks.h"
#include "mlp/training/encrypted_arithmetic.h"

namespace smlp {

/// What a rank has of a matrix: its part of a batch, maybe nothing, or all of one that every rank has.
struct SharedMatrix {
  EncryptedMatrix part;
  bool of_batch = false;
  std::shared_ptr<const EncryptedMatrix> whole{};  ///< of a batch that every rank has read
  /// Of all columns, where ranks share those of a batch too. Empty: whoever has rows has all of them.
  std::vector<std::size_t> col_groups{};
};

class SharedArithmetic {
 public:
  using Matrix = SharedMatrix;
  using ActivationTape = EncryptedArithmetic::ActivationTape;

  /// `here`: of protocols that are named as `shared`; `columns`: in how many parts ranks share those of a
  /// batch, the same on all (column_parts() in mlp/training/scaling.h).
  SharedArithmetic(EncryptedArithmetic& here, Ranks& ranks, std::size_t columns = 1)
      : here_(here), ranks_(ranks), mine_{ranks.rank(), ranks.size(), columns} {}

  /// The batch that all ranks have read.
  Matrix features(const OperationId& operation, const std::vector<std::size_t>& groups,
                  const std::vector<Matrix>& parts);
  Matrix labels(const OperationId& operation, std::size_t layer, const std::vector<Matrix>& parts);
  Matrix open_once(const Matrix& m);
  /// Where products read other columns of them each masks its own.
  Matrix weights_for(const Matrix& m, std::size_t layer, std::size_t products) {
    return shares_columns() ? m : everywhere(here_.weights_for(m.part, layer, products));
  }
  Matrix gathered(const OperationId&, const Matrix& m) { return m; }
  Matrix stored(const OperationId&, const Matrix& m) { return m; }
  /// a of the batch, b everywhere.
  Matrix product(const OperationId& operation, const Matrix& a, const Matrix& b, std::size_t halvings = 0,
                 Consumer consumer = {});
  /// a^T b + .. of a and b of the batch; the others, and the result, everywhere.
  Later<Matrix> velocity(const OperationId& operation, const Matrix& a, const Matrix& b,
                         const UpdateFactors& factors, const Matrix& previous, const Matrix& weights);
  std::pair<Matrix, ActivationTape> relu(const OperationId& operation, const Matrix& z, Consumer consumer);
  Matrix relu_derivative(const OperationId& operation, const Matrix& delta, const ActivationTape& tape,
                         Consumer consumer);
  Matrix plus_constant(const Matrix& m, double constant);
  Matrix combination(const OperationId& operation, const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                     double constant);
  Matrix stacked(const std::vector<Matrix>& parts);
  std::vector<Matrix> unstacked(const Matrix& m, std::size_t parts);
  Matrix with_bias_input(const Matrix& m);
  Matrix without_bias(const Matrix& m) { return everywhere(here_.without_bias(m.part)); }
  /// Of a batch as it is: velocity() gathers it before it transposes.
  Matrix transposed(const Matrix& m) { return m.of_batch ? m : everywhere(here_.transposed(m.part)); }
  Matrix add(const Matrix& a, const Matrix& b);
  Matrix subtract(const Matrix& a, const Matrix& b);
  std::function<void()> check_activations(std::uint32_t step) { return here_.check_activations(step); }
  /// By the first rank.
  void check_weights(std::uint32_t step, const std::vector<Matrix>& weights);

 private:
  static Matrix everywhere(EncryptedMatrix m) { return {std::move(m)}; }
  static Matrix of_batch(EncryptedMatrix part) { return {std::move(part), true}; }
  /// The same of what there is: nothing stays nothing.
  template <typename Operation>
  Matrix where_it_is(const Matrix& m, Operation&& operation);
  bool shares_columns() const { return mine_.columns > 1; }
  /// Groups of this rank's rows of the batch, put under each other by `stack`.
  template <typename Stack>
  Matrix own_rows(const std::vector<Matrix>& parts, Stack&& stack);
  /// This rank's rows of m with all columns, for a left operand.
  Matrix all_columns(const Matrix& m);
  /// The rows of the batch that all ranks have, with these groups of columns, in the packing `row_packed`.
  EncryptedMatrix whole(const Matrix& m, const std::vector<std::size_t>& col_groups);
  /// Ranks that have rows of part `row_part`, one for each part of the columns.
  RankOf rank_at(std::size_t row_part, std::size_t column) const {
    return {row_part * mine_.columns + column, mine_.ranks, mine_.columns};
  }

  EncryptedArithmetic& here_;
  Ranks& ranks_;
  RankOf mine_;
  std::vector<std::vector<std::size_t>> row_groups_;  ///< of the batch, by part of its rows
  std::size_t first_row_ = 0;                         ///< of this rank
};

}  // namespace smlp
