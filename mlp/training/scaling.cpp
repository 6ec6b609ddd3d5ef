// The cost of a shared training.
#include "mlp/training/scaling.h"

#include <algorithm>

#include "mlp/training/batches.h"
#include "mlp/training/initial_weights.h"

namespace smlp {

namespace {

/// Ciphertexts of the model on every rank, of its velocities, and of the sum and the update of the widest
/// layer; and of the largest batch, in both packings, as it is read and with its constant column.
std::uint64_t ciphertexts_held(const Network& network, const TrainingOptions& options,
                               const TableGroups& groups, const BitBudget& budget) {
  std::uint64_t model = 0, widest = 0;
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const std::uint64_t weights = both_count(weight_layout(network, layer, budget.slots()));
    model += weights;
    widest = std::max(widest, weights);
  }
  const Layout batch{group_widths(groups, groups.batches.front()),
                     balanced_groups(network.inputs(), budget.fitting_slots())};
  return model * (options.momentum != 0 ? 2 : 1) + 3 * widest + 3 * both_count(batch);
}

}  // namespace

std::string_view SharedEpoch::limit() const {
  const double way = link + exchange, most = std::max({evaluators, key_holders, way});
  return most == evaluators ? "evaluators" : most == key_holders ? "key holders" : "the link";
}

SharedEpoch shared_epoch(const Network& network, const ProtocolNames& protocols,
                         const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                         bool first, bool range_checks, const MachineSpeed& speed, const Cluster& cluster) {
  SharedEpoch out{.ranks = cluster.ranks};
  double all_key_holders = 0;
  std::uint64_t all_exchanged = 0;
  for (std::size_t rank = 0; rank < cluster.ranks; ++rank) {
    const RankOf of{rank, cluster.ranks};
    const Cost cost = epoch_cost(network, protocols, options, groups, sizes, first, range_checks, 0, of);
    const double key_holder = speed.key_holder_seconds(cost, cluster.threads);
    out.evaluators = std::max(out.evaluators, speed.evaluator_seconds(cost, cluster.threads));
    out.key_holders = std::max(out.key_holders, key_holder);
    out.link = std::max(out.link, cluster.link.seconds(cost.traffic));
    all_key_holders += key_holder;
    if (cluster.ranks == 1) break;
    const std::uint64_t exchanged = exchanged_bytes(network, groups, sizes, of);
    out.exchanged = std::max(out.exchanged, exchanged);
    all_exchanged += exchanged;
  }
  // Ranks take turns where there are more of them than key holders, at best without a gap.
  out.key_holders = std::max(
      out.key_holders, all_key_holders / static_cast<double>(std::max<std::size_t>(cluster.key_holders, 1)));
  // Each rank takes what all others bring. Of gathers a step there are at most three a layer.
  if (cluster.ranks > 1) {
    const std::uint64_t gathers = 3 * network.layers() * groups.batches.size();
    out.exchange = cluster.link.seconds({0, all_exchanged, gathers});
  }
  out.memory = ciphertexts_held(network, options, groups, sizes.budget) * sizes.ciphertext_bytes;
  return out;
}

}  // namespace smlp
