// The check of the bit budget before a run.
#include "mlp/training/training.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "paillier/error.h"
#include "protocols/matmul/operand.h"

namespace smlp {

bool keeps_table(const TableGroups& groups, std::size_t columns, const BitBudget& budget) {
  constexpr std::size_t most_values = std::size_t{1} << 20;
  const std::size_t rows = std::accumulate(groups.widths.begin(), groups.widths.end(), std::size_t{0});
  return budget.slots() != 1 && groups.batches.front().size() <= most_pieces && rows * columns <= most_values;
}

void check_steps(std::uint32_t epoch, std::size_t batches) {
  constexpr std::uint64_t most = std::uint64_t{1} << 32;
  if (batches > most / (std::uint64_t{epoch} + 1))
    throw Error("epoch " + std::to_string(std::uint64_t{epoch} + 1) + " of " + std::to_string(batches) +
                " batches passes the 2^32 steps that a run can number; lower --epochs");
}

namespace {

/// Throws Error unless `names` has a product for each layer, or one for all.
void check_products(const ProtocolNames& names, const Network& network) {
  const std::size_t named = names.chooses_products() ? 1 : names.products().size();
  if (named != 1 && named != network.layers())
    throw Error("--matmul names " + std::to_string(named) + " products, the network " + network.text() +
                " has " + std::to_string(network.layers()) + " layers: name one for all, or one for each");
}

}  // namespace

ProtocolNames for_training(ProtocolNames names, const Network& network, const TrainingOptions& options,
                           bool range_checks) {
  check_products(names, network);
  names.compares = std::ranges::any_of(network.kinds, &LayerKind::compares) || options.clip_gradient != 0 ||
                   (range_checks && names.checks_ranges());
  return names;
}

ProtocolNames for_classification(ProtocolNames names, const Network& network) {
  names.compares =
      std::ranges::any_of(std::span(network.kinds).first(network.layers() - 1), &LayerKind::compares);
  return names;
}

void check_budget(const Network& network, const TrainingOptions& options, std::size_t largest_batch,
                  std::size_t smallest_batch, const BitBudget& budget) {
  const UpdateFactors first = update_factors(options, 0, largest_batch, budget);
  const auto to_fraction = [&](std::size_t layer) {
    return Rescale{1, budget.numbers().fraction_bits + halvings_of(network.kind(layer), first)};
  };
  if (first.clip >= 1 && network.output().compares())
    throw Error("--clip-gradient " + std::to_string(options.clip_gradient) + " does nothing: the error of " +
                std::string(network.output().name) + " outputs is between -1 and 1");
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const std::string of_layer = " of layer " + std::to_string(layer + 1);
    budget.check_product("the forward product" + of_layer, network.sizes[layer] + 1, to_fraction(layer));
    if (network.kind(layer).only_hinges())
      budget.check_opened("the activation" + of_layer,
                          budget.rescaled_mask_bits(budget.product_mask_bits(), to_fraction(layer)));
    if (layer > 0)
      budget.check_product("the backward product" + of_layer, network.sizes[layer + 1],
                           to_fraction(layer - 1));
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
