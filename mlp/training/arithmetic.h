// What the trainer computes with: written once, used by encrypted matrices, their bit-exact twin and doubles.
#pragma once

#include <concepts>
#include <functional>
#include <utility>
#include <vector>

#include "mlp/training/training_options.h"
#include "protocols/operation_id.h"

namespace smlp {

/// What takes a result, alone; constants may be added before. A left operand is kept, if anything takes it
/// after that product. `output`: it leaves the arithmetic.
enum class ConsumerKind { any, relu, relu_derivative, left_operand, right_operand, output };
struct Consumer {
  ConsumerKind kind = ConsumerKind::any;
  std::size_t layer = 0;  ///< of the next product that takes it, or what is made of it
  bool alone = false;     ///< which takes it as it is, and not a sum of several
};

/// A result that may not be there yet.
template <typename Matrix>
using Later = std::function<Matrix()>;

/// Matrices are rows x columns. A weight matrix has one row more than its inputs, the bias, as its last.
template <typename A>
concept Arithmetic =
    requires(A arithmetic, const OperationId& operation, const typename A::Matrix& m,
             const typename A::ActivationTape& tape, const UpdateFactors& factors, std::uint32_t step,
             std::size_t count, double constant, const std::vector<typename A::Matrix>& parts,
             const std::vector<std::size_t>& groups,
             const std::vector<std::pair<std::int64_t, typename A::Matrix>>& terms) {
      /// Groups of the table's labels as one batch, in the form that the products of this layer work on.
      { arithmetic.labels(operation, count, parts) } -> std::same_as<typename A::Matrix>;
      /// The same of its features, with a constant column of ones. `groups` says which they are where they
      /// will come again, and is empty where not.
      { arithmetic.features(operation, groups, parts) } -> std::same_as<typename A::Matrix>;
      /// m, that will be an operand of more than one product of this step.
      { arithmetic.open_once(m) } -> std::convertible_to<typename A::Matrix>;
      /// Weights of a layer that `count` products of this step read before they are updated.
      { arithmetic.weights_for(m, count, count) } -> std::convertible_to<typename A::Matrix>;
      /// Weights or velocities that products of this step read in sums, and as they are stored after an
      /// epoch.
      { arithmetic.gathered(operation, m) } -> std::convertible_to<typename A::Matrix>;
      { arithmetic.stored(operation, m) } -> std::convertible_to<typename A::Matrix>;
      /// a b / 2^halvings, rescaled to f fractional bits, for that consumer.
      { arithmetic.product(operation, m, m, count, Consumer{}) } -> std::same_as<typename A::Matrix>;
      /// rate-scaled a b plus momentum V and decay W: the new velocity, which what is returned gives, once:
      /// its request may wait until then. V may be empty (no momentum yet).
      { arithmetic.velocity(operation, m, m, factors, m, m) } -> std::same_as<Later<typename A::Matrix>>;
      /// max(z, 0), for that consumer, and what its derivative needs.
      {
        arithmetic.relu(operation, m, Consumer{})
      } -> std::same_as<std::pair<typename A::Matrix, typename A::ActivationTape>>;
      /// m where z >= 0, else 0, for that consumer.
      { arithmetic.relu_derivative(operation, m, tape, Consumer{}) } -> std::same_as<typename A::Matrix>;
      /// m + constant, a fixed-point number of a bit less than l: of one bit more than m.
      { arithmetic.plus_constant(m, constant) } -> std::same_as<typename A::Matrix>;
      /// The sum of the terms' factors times their matrices, and a constant, which is what `operation` gives.
      { arithmetic.combination(operation, terms, constant) } -> std::same_as<typename A::Matrix>;
      { arithmetic.stacked(parts) } -> std::same_as<typename A::Matrix>;  ///< under each other
      /// The inverse for so many parts.
      { arithmetic.unstacked(m, count) } -> std::same_as<std::vector<typename A::Matrix>>;
      { arithmetic.with_bias_input(m) } -> std::same_as<typename A::Matrix>;  ///< [m | 1]
      { arithmetic.without_bias(m) } -> std::same_as<typename A::Matrix>;  ///< weights without their last row
      { arithmetic.transposed(m) } -> std::same_as<typename A::Matrix>;
      { arithmetic.add(m, m) } -> std::same_as<typename A::Matrix>;
      { arithmetic.subtract(m, m) } -> std::same_as<typename A::Matrix>;
      /// At the end of a step; what is returned throws where a value that relu has had since the last call
      /// was out of range. Its request may wait until then.
      { arithmetic.check_activations(step) } -> std::same_as<std::function<void()>>;
      /// After this step: the same of the network's weights, as far as it can be told.
      arithmetic.check_weights(step, parts);
    };

}  // namespace smlp
