// The trainer: mini-batch SGD, dense layers, a layer kind (mlp/layers/) behind each. Written once over the
// arithmetic (mlp/training/arithmetic.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "mlp/layers/activate.h"
#include "mlp/training/arithmetic.h"
#include "mlp/training/network.h"

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
  typename A::Matrix inputs;  ///< with the constant column
  LayerState<A> activation;   ///< none in the last layer
};

/// The weights that the products of a step take. Without Nesterov's momentum those of the model; with it W +
/// V lookahead / 2^3, times 2^3, in `ahead`. Their products are rescaled by three bits more.
template <Arithmetic A>
Weights<typename A::Matrix>& operands(A& arithmetic, Weights<typename A::Matrix>& model,
                                      Weights<typename A::Matrix>& ahead, std::uint32_t step,
                                      const UpdateFactors& factors) {
  if (factors.lookahead == 0) return model;
  ahead.weights.clear();
  for (std::size_t layer = 0; layer < model.weights.size(); ++layer)
    ahead.weights.push_back(
        arithmetic.combination({step, static_cast<std::uint8_t>(layer), Direction::lookahead},
                               {{std::int64_t{1} << UpdateFactors::lookahead_bits, model.weights[layer]},
                                {factors.lookahead, model.velocities[layer]}},
                               0));
  return ahead;
}

/// By how many bits a product with those weights is rescaled beside f.
inline std::size_t halvings_of(const LayerKind& kind, const UpdateFactors& factors) {
  return kind.halvings + (factors.lookahead == 0 ? 0 : UpdateFactors::lookahead_bits);
}

/// Scores of the network for a batch [features | 1], rows x outputs: what the kind of the last layer makes
/// outputs of, without loss of order (z / 2^halvings). In training `tapes` gets one for each layer, the
/// scores are for `activate` alone, and `factors` say what kind of weights these are.
template <Arithmetic A>
typename A::Matrix forward(A& arithmetic, const Network& network, const Weights<typename A::Matrix>& model,
                           std::uint32_t step, const typename A::Matrix& batch,
                           std::vector<LayerTape<A>>* tapes = nullptr, const UpdateFactors& factors = {}) {
  typename A::Matrix values = batch;
  for (std::size_t layer = 0; layer < model.weights.size(); ++layer) {
    const auto number = static_cast<std::uint8_t>(layer);
    const LayerKind& kind = network.kind(layer);
    LayerTape<A> tape{layer == 0 ? std::move(values) : arithmetic.with_bias_input(values), std::nullopt};
    if (tapes != nullptr) tape.inputs = arithmetic.open_once(tape.inputs);  // forward and gradient
    const bool hidden = layer + 1 < model.weights.size();
    const std::size_t reader = hidden ? layer + 1 : layer;  // of its values, or of their error
    const ConsumerKind consumer = !hidden && tapes == nullptr ? ConsumerKind::output
                                  : kind.only_hinges()        ? ConsumerKind::relu
                                                              : ConsumerKind::any;
    values = arithmetic.product({step, number, Direction::forward}, tape.inputs, model.weights[layer],
                                halvings_of(kind, factors), {consumer, reader});
    if (hidden) {
      auto activated = activate(arithmetic, {step, number, Direction::activation}, kind, values,
                                {ConsumerKind::left_operand, reader});
      values = std::move(activated.first);
      tape.activation = std::move(activated.second);
    }
    if (tapes != nullptr) tapes->push_back(std::move(tape));
  }
  return values;
}

/// One step of gradient descent, averaged over the rows of the batch; the average is part of the factors. The
/// error of the last product is the residual, outputs less targets, whatever the kind of the outputs: the
/// gradient of half the squared error where they are linear, of cross entropy where they are a sigmoid.
/// It may be clipped. Returns the residual before the step, not clipped.
template <Arithmetic A>
typename A::Matrix train_batch(A& arithmetic, const Network& network, Weights<typename A::Matrix>& model,
                               std::uint32_t step, const typename A::Matrix& batch,
                               const typename A::Matrix& targets, const UpdateFactors& factors) {
  std::vector<LayerTape<A>> tapes;
  Weights<typename A::Matrix> ahead;
  for (std::size_t layer = 0; factors.lookahead != 0 && layer < model.weights.size(); ++layer) {
    const auto number = static_cast<std::uint8_t>(layer);
    typename A::Matrix &weights = model.weights[layer], &velocity = model.velocities[layer];
    weights = arithmetic.gathered({step, number, Direction::lookahead}, weights);
    velocity = arithmetic.gathered({step, number, Direction::lookahead_velocity}, velocity);
  }
  Weights<typename A::Matrix>& point = operands(arithmetic, model, ahead, step, factors);
  for (std::size_t layer = 0; layer < point.weights.size(); ++layer)  // forward, and backward
    point.weights[layer] = arithmetic.weights_for(point.weights[layer], layer, layer == 0 ? 1 : 2);
  const auto last = static_cast<std::uint8_t>(model.weights.size() - 1);
  const Consumer of_residual{last > 0 ? ConsumerKind::left_operand : ConsumerKind::any, last};
  const typename A::Matrix scores = forward(arithmetic, network, point, step, batch, &tapes, factors);
  const typename A::Matrix residual = arithmetic.subtract(
      activate(arithmetic, {step, last, Direction::activation}, network.kind(last), scores, of_residual)
          .first,
      targets);
  typename A::Matrix delta = residual;
  if (factors.clip != 0)
    delta = activate(arithmetic, {step, last, Direction::clipping}, clip_kind(factors.clip), residual,
                     of_residual)
                .first;
  const bool has_velocity = !model.velocities.empty();
  std::vector<Later<typename A::Matrix>> updates(model.weights.size());
  for (std::size_t layer = model.weights.size(); layer-- > 0;) {
    const auto number = static_cast<std::uint8_t>(layer);
    typename A::Matrix delta_before;
    if (layer > 0) {
      delta = arithmetic.open_once(delta);  // backward and gradient
      const LayerKind& kind = network.kind(layer - 1);
      delta_before = arithmetic.product(
          {step, number, Direction::backward}, delta,
          arithmetic.transposed(arithmetic.without_bias(point.weights[layer])), halvings_of(kind, factors),
          {kind.only_hinges() ? ConsumerKind::relu_derivative : ConsumerKind::any, layer - 1});
      // Of layer 0 the gradient is all that follows.
      delta_before =
          derivative(arithmetic, {step, static_cast<std::uint8_t>(layer - 1), Direction::activation_backward},
                     kind, delta_before, tapes[layer - 1].activation,
                     {layer > 1 ? ConsumerKind::left_operand : ConsumerKind::right_operand, layer - 1});
    }
    updates[layer] = arithmetic.velocity(
        {step, number, Direction::gradient}, arithmetic.transposed(tapes[layer].inputs), delta, factors,
        has_velocity ? model.velocities[layer] : typename A::Matrix(), model.weights[layer]);
    delta = std::move(delta_before);
  }
  const std::function<void()> check = arithmetic.check_activations(step);
  for (std::size_t layer = model.weights.size(); layer-- > 0;) {
    typename A::Matrix update = std::exchange(updates[layer], nullptr)();
    model.weights[layer] = arithmetic.add(model.weights[layer], update);
    if (has_velocity) model.velocities[layer] = std::move(update);
  }
  check();
  return residual;
}

}  // namespace smlp
