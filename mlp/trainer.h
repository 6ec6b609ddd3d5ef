// The trainer: mini-batch SGD on half the squared error, dense layers, ReLU between them, linear output.
// Written once over the arithmetic (mlp/arithmetic.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mlp/arithmetic.h"

namespace smlp {

/// Layer i maps its inputs and a constant 1 through weights[i]. Velocities exist with momentum only.
template <typename Matrix>
struct Weights {
  std::vector<Matrix> weights;
  std::vector<Matrix> velocities;
  bool operator==(const Weights&) const = default;
};

/// What the backward pass needs of one layer.
template <Arithmetic A>
struct LayerTape {
  typename A::Matrix inputs;                           ///< with the constant column
  std::vector<typename A::ActivationTape> activation;  ///< one entry in hidden layers, none in the last
};

/// Outputs of the network for a batch [features | 1]: rows x classes. Appends a tape for each layer where
/// `tapes` is given.
template <Arithmetic A>
typename A::Matrix forward(A& arithmetic, const Weights<typename A::Matrix>& model, std::uint32_t step,
                           const typename A::Matrix& batch, std::vector<LayerTape<A>>* tapes = nullptr) {
  typename A::Matrix values = batch;
  for (std::size_t layer = 0; layer < model.weights.size(); ++layer) {
    const auto number = static_cast<std::uint8_t>(layer);
    LayerTape<A> tape{layer == 0 ? std::move(values) : arithmetic.with_bias_input(values), {}};
    if (tapes != nullptr) tape.inputs = arithmetic.keep(tape.inputs);  // forward and gradient
    values = arithmetic.product({step, number, Direction::forward}, tape.inputs, model.weights[layer]);
    if (layer + 1 < model.weights.size()) {
      auto activated = arithmetic.relu({step, number, Direction::activation}, values);
      values = std::move(activated.first);
      tape.activation.push_back(std::move(activated.second));
    }
    if (tapes != nullptr) tapes->push_back(std::move(tape));
  }
  return values;
}

/// One step of gradient descent. The loss is half the squared error, summed over outputs and averaged over
/// the rows of the batch; the average is part of the factors. Returns the residual: outputs less targets,
/// before the step.
template <Arithmetic A>
typename A::Matrix train_batch(A& arithmetic, Weights<typename A::Matrix>& model, std::uint32_t step,
                               const typename A::Matrix& batch, const typename A::Matrix& targets,
                               const UpdateFactors& factors) {
  std::vector<LayerTape<A>> tapes;
  for (std::size_t layer = 1; layer < model.weights.size(); ++layer)
    model.weights[layer] = arithmetic.keep(model.weights[layer]);  // forward and backward
  const typename A::Matrix residual =
      arithmetic.subtract(forward(arithmetic, model, step, batch, &tapes), targets);
  typename A::Matrix delta = residual;
  for (std::size_t layer = model.weights.size(); layer-- > 0;) {
    const auto number = static_cast<std::uint8_t>(layer);
    typename A::Matrix& weights = model.weights[layer];
    const bool has_velocity = !model.velocities.empty();
    if (layer > 0) delta = arithmetic.keep(delta);  // gradient and backward
    typename A::Matrix update = arithmetic.velocity(
        {step, number, Direction::gradient}, arithmetic.transposed(tapes[layer].inputs), delta, factors,
        has_velocity ? model.velocities[layer] : typename A::Matrix(), weights);
    if (layer > 0) {
      delta = arithmetic.product({step, number, Direction::backward}, delta,
                                 arithmetic.transposed(arithmetic.without_bias(weights)));
      delta = arithmetic.relu_derivative(
          {step, static_cast<std::uint8_t>(layer - 1), Direction::activation_backward}, delta,
          tapes[layer - 1].activation.front());
    }
    weights = arithmetic.add(weights, update);
    if (has_velocity) model.velocities[layer] = std::move(update);
  }
  arithmetic.check_activations(step);
  return residual;
}

}  // namespace smlp
