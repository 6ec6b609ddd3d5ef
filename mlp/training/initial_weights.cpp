// He initialisation.
#include "mlp/training/initial_weights.h"

#include <cmath>
#include <numbers>

#include "mlp/training/fixed_point.h"

namespace smlp {

namespace {

/// Standard normal by Box and Muller from two 53-bit uniforms in (0, 1].
double normal(RandomStream& random) {
  const auto uniform = [&] { return std::ldexp(static_cast<double>((random.word() >> 11) + 1), -53); };
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

OperationId initial_operation(std::size_t layer) {
  return {0, static_cast<std::uint8_t>(layer), Direction::forward};
}

}  // namespace

std::vector<IntegerMatrix> initial_weights(const Network& network, const Numbers& numbers,
                                           const RandomSource& random) {
  std::vector<IntegerMatrix> out;
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const Draws draws(random, initial_operation(layer).address(RandomnessKind::initial_weights));
    const double deviation = std::sqrt(2.0 / static_cast<double>(network.sizes[layer]));
    IntegerMatrix weights(network.sizes[layer] + 1, network.sizes[layer + 1]);
    for (std::size_t cell = 0; cell < network.sizes[layer] * weights.cols(); ++cell) {
      RandomStream stream = draws.stream(cell);
      weights.cells()[cell] = encode(deviation * normal(stream), numbers, "an initial weight");
    }
    out.push_back(std::move(weights));
  }
  return out;
}

Layout weight_layout(const Network& network, std::size_t layer, std::size_t slots) {
  Layout layout = balanced_layout(network.sizes[layer], network.sizes[layer + 1], slots);
  layout.row_groups.push_back(1);
  return layout;
}

Weights<EncryptedMatrix> encrypt_weights(const std::vector<IntegerMatrix>& weights, const Network& network,
                                         const PaillierPublicKey& key, const BitBudget& budget, bool momentum,
                                         const RandomSource& random) {
  Weights<EncryptedMatrix> out;
  for (std::size_t layer = 0; layer < weights.size(); ++layer) {
    const Layout layout = weight_layout(network, layer, budget.slots());
    const OperationId operation = initial_operation(layer);
    out.weights.push_back(
        encrypt_matrix(key, weights[layer], layout, budget.slot_bits(),
                       Draws(random, operation.address(RandomnessKind::initial_column_packed)),
                       Draws(random, operation.address(RandomnessKind::initial_row_packed)))
            .local());
    if (momentum)
      out.velocities.push_back(trivial_matrix(
          key, IntegerMatrix(weights[layer].rows(), weights[layer].cols()), layout, budget.slot_bits()));
  }
  return out;
}

}  // namespace smlp
