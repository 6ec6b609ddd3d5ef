// Layer kinds over every arithmetic, forward and backward.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "mlp/layers/layer_kind.h"
#include "mlp/training/arithmetic.h"

namespace smlp {

/// What the derivative needs of a layer; none where its kind compares nothing.
template <Arithmetic A>
using LayerState = std::optional<typename A::ActivationTape>;

namespace detail {

/// slope m + sum of slope_i parts_i + constant, the parts under each other in `hinges`.
template <Arithmetic A>
typename A::Matrix combined(A& arithmetic, const OperationId& operation, const LayerKind& kind,
                            const typename A::Matrix& m, const typename A::Matrix& hinges, double constant) {
  std::vector<std::pair<std::int64_t, typename A::Matrix>> terms;
  if (kind.slope != 0) terms.emplace_back(kind.slope, m);
  std::vector<typename A::Matrix> parts = arithmetic.unstacked(hinges, kind.hinge_count);
  for (std::size_t i = 0; i < parts.size(); ++i)
    terms.emplace_back(kind.all_hinges[i].slope, std::move(parts[i]));
  return arithmetic.combination(operation, terms, constant);
}

}  // namespace detail

/// f(z) of u = z / 2^halvings, for that consumer.
template <Arithmetic A>
std::pair<typename A::Matrix, LayerState<A>> activate(A& arithmetic, const OperationId& operation,
                                                      const LayerKind& kind, const typename A::Matrix& u,
                                                      Consumer consumer = {}) {
  if (!kind.compares()) return {u, std::nullopt};
  std::vector<typename A::Matrix> shifted;
  for (const Hinge& hinge : kind) shifted.push_back(arithmetic.plus_constant(u, -hinge.at));
  consumer.alone = kind.is_relu();
  auto [hinges, state] = arithmetic.relu(operation, arithmetic.stacked(shifted), consumer);
  return {detail::combined(arithmetic, operation, kind, u, hinges, kind.constant), std::move(state)};
}

/// f'(z) delta, cell by cell, of delta / 2^halvings, for that consumer.
template <Arithmetic A>
typename A::Matrix derivative(A& arithmetic, const OperationId& operation, const LayerKind& kind,
                              const typename A::Matrix& delta, const LayerState<A>& state,
                              Consumer consumer = {}) {
  if (!kind.compares()) return delta;
  const std::vector<typename A::Matrix> copies(kind.hinge_count, delta);
  consumer.alone = kind.is_relu();
  const auto hinges = arithmetic.relu_derivative(operation, arithmetic.stacked(copies), *state, consumer);
  return detail::combined(arithmetic, operation, kind, delta, hinges, 0);
}

}  // namespace smlp
