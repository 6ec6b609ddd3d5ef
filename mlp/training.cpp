// The check of the bit budget before a run.
#include "mlp/training.h"

#include "paillier/error.h"

namespace smlp {

void check_budget(const Network& network, const TrainingOptions& options, std::size_t largest_batch,
                  std::size_t smallest_batch, const BitBudget& budget) {
  const Rescale to_fraction{1, budget.numbers().fraction_bits};
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const std::string of_layer = " of layer " + std::to_string(layer + 1);
    budget.check_product("the forward product" + of_layer, network.sizes[layer] + 1, to_fraction);
    if (layer > 0)
      budget.check_product("the backward product" + of_layer, network.sizes[layer + 1], to_fraction);
    for (std::size_t epoch = 0; epoch < options.epochs; ++epoch)
      for (const std::size_t rows : {largest_batch, smallest_batch}) {
        const UpdateFactors factors = update_factors(options, epoch, rows, budget);
        budget.check_product("the gradient" + of_layer, rows, factors.rescale);
        if (factors.momentum != 0 || factors.decay != 0)
          budget.check_addend("the update" + of_layer, factors.addend_bits(budget.numbers()));
      }
  }
}

}  // namespace smlp
