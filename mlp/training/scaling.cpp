// The cost of a shared training.
#include "mlp/training/scaling.h"

#include <algorithm>
#include <numeric>

#include "mlp/training/batches.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/training.h"
#include "paillier/lanes.h"
#include "paillier/simultaneous_powers.h"

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

/// What one product takes while it is computed: the numbers in the clear of both parties, and the buffers of
/// matrix powers.
std::uint64_t product_bytes(const Descriptor& matmul, const Layout& left, const Layout& right,
                            const BitBudget& budget) {
  const std::uint64_t inner = left.cols(), result = std::uint64_t{left.rows()} * right.cols();
  // Of an operand its mask, and what the key holder opened and unpacked. Of the result three masks and the
  // product of two, then three terms of the key holder's, their sum and what is left of it after rescaling.
  const std::uint64_t numbers = 3 * inner * (left.rows() + right.cols()) + 8 * result;
  const std::uint64_t number_bytes = 48 + budget.slot_bits() / 8;  // with what GMP and malloc put around it
  std::uint64_t buffers = 0;
  const auto powers = [&](std::size_t groups, std::size_t outputs) {
    const PowersShape shape{groups, left.cols(), outputs, budget.value_mask_bits() + mask_sum_bits};
    const std::size_t lanes = lane_count(best_instructions());
    const std::size_t residue_bytes = 2 * budget.modulus_bits() / 51 * sizeof(Word);  // digits of 51 or 52
    buffers = std::max<std::uint64_t>(
        buffers,
        residue_bytes * powers_tile(shape, plan_powers(shape, lanes), lanes, residue_bytes).residues);
  };
  if (!matmul.transfers) {
    powers(left.row_groups.size(), right.cols());
    powers(right.col_groups.size(), left.rows());
  }
  return numbers * number_bytes + buffers;
}

/// Of the product that takes most: forward, or of the rank's rows of a gradient.
std::uint64_t largest_product_bytes(const Network& network, const ProtocolNames& protocols,
                                    const TableGroups& groups, const BitBudget& budget, const RankOf& of) {
  const std::vector<std::size_t> all_rows = group_widths(groups, groups.batches.front()),
                                 rows = part(all_rows, of.rows(all_rows.size()));
  std::uint64_t largest = 0;
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const Descriptor& matmul = protocols.product(layer);
    Layout weights = weight_layout(network, layer, budget.slots());
    const std::vector<std::size_t> columns = part(weights.col_groups, of.cols(weights.col_groups.size()));
    if (!rows.empty() && !columns.empty())
      largest = std::max(
          largest, product_bytes(matmul, {rows, weights.row_groups}, {weights.row_groups, columns}, budget));
    weights.row_groups = part(weights.row_groups, of.of_all(weights.row_groups.size()));
    if (!weights.row_groups.empty())
      largest = std::max(largest, product_bytes(matmul, {weights.row_groups, all_rows},
                                                {all_rows, weights.col_groups}, budget));
  }
  return largest;
}

/// A twentieth of the work: what more parts exchange, and wait for, is not counted.
constexpr double least_gain = 0.05;

/// Operations in products mod n^2, about: nothing that is measured decides.
double work_of(const Operations& o) {
  return o.products + 115 * o.rerandomisations + 430 * o.decryptions + 215 * o.encryptions +
         0.3 * o.bit_products + 30 * o.bit_rerandomisations + 7 * o.bit_encryptions + 43 * o.zero_tests +
         o.gates + o.transfers + o.transfer_blocks;
}

/// Of a step: between two gathers, that of the rank that has most.
double step_work(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                 const TableGroups& groups, const Sizes& sizes, bool range_checks, std::size_t ranks,
                 std::size_t columns) {
  std::vector<double> most;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    const std::vector<Phase> phases =
        step_phases(network, protocols, options, groups, sizes, range_checks, {rank, ranks, columns});
    most.resize(phases.size());
    double before = 0;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const double until = work_of(phases[i].until.operations);
      most[i] = std::max(most[i], until - before);
      before = until;
    }
  }
  return std::accumulate(most.begin(), most.end(), 0.0);
}

}  // namespace

std::size_t column_parts(const Network& network, const ProtocolNames& protocols,
                         const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                         bool range_checks, std::size_t ranks) {
  std::size_t most = 1;  // what has fewer column groups than parts leaves ranks with nothing
  for (std::size_t layer = 0; layer < network.layers() && sizes.budget.slots() != 1; ++layer)
    most = std::max(most, weight_layout(network, layer, sizes.budget.slots()).col_groups.size());
  std::size_t best = 1;
  double least = 0;
  for (std::size_t columns = 1; columns <= std::min(most, ranks); ++columns) {
    const double work = step_work(network, protocols, options, groups, sizes, range_checks, ranks, columns);
    if (columns == 1 || work < (1 - least_gain) * least) best = columns, least = work;
  }
  return best;
}

std::string_view SharedEpoch::limit() const {
  const double way = link + exchange, most = std::max({evaluators, key_holders, way});
  return most == evaluators ? "evaluators" : most == key_holders ? "key holders" : "the link";
}

SharedEpoch shared_epoch(const Network& network, const ProtocolNames& protocols,
                         const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                         bool first, bool range_checks, const MachineSpeed& speed, const Cluster& cluster) {
  SharedEpoch out{.ranks = cluster.ranks};
  if (cluster.columns > 0)
    out.columns = cluster.columns;
  else if (cluster.ranks > 1)
    out.columns = column_parts(network, protocols, options, groups, sizes, range_checks, cluster.ranks);
  double all_key_holders = 0;
  std::uint64_t all_exchanged = 0;
  for (std::size_t rank = 0; rank < cluster.ranks; ++rank) {
    const RankOf of{rank, cluster.ranks, out.columns};
    const Cost cost = epoch_cost(network, protocols, options, groups, sizes, first, range_checks, 0, of);
    const double key_holder = speed.key_holder_seconds(cost, cluster.threads);
    out.evaluators = std::max(out.evaluators, speed.evaluator_seconds(cost, cluster.threads));
    out.key_holders = std::max(out.key_holders, key_holder);
    out.link = std::max(out.link, cluster.link.seconds(cost.traffic));
    all_key_holders += key_holder;
    out.memory = std::max(
        out.memory, largest_product_bytes(network, protocols, groups, sizes.budget, of) + cost.largest_call);
    if (cluster.ranks == 1) break;
    const std::uint64_t exchanged = exchanged_bytes(network, groups, sizes, of);
    out.exchanged = std::max(out.exchanged, exchanged);
    all_exchanged += exchanged;
  }
  // Ranks take turns where there are more of them than key holders, at best without a gap.
  out.key_holders = std::max(
      out.key_holders, all_key_holders / static_cast<double>(std::max<std::size_t>(cluster.key_holders, 1)));
  // Each rank takes what all others bring. Of gathers a step there are at most three a layer, and two before
  // products.
  if (cluster.ranks > 1) {
    const std::uint64_t gathers = (out.columns > 1 ? 5 : 3) * network.layers() * groups.batches.size();
    out.exchange = cluster.link.seconds({0, all_exchanged, gathers});
  }
  // What both parties keep of a table that stays opened (keeps_table()); ranks keep none.
  constexpr std::uint64_t kept_value_bytes = 60;
  if (cluster.ranks == 1 && keeps_table(groups, network.inputs() + 1, sizes.budget))
    out.memory +=
        kept_value_bytes * (groups.first_rows.back() + groups.widths.back()) * (network.inputs() + 1);
  out.memory += ciphertexts_held(network, options, groups, sizes.budget) * (sizes.ciphertext_bytes + 32);
  out.memory = cluster.process > 0 ? out.memory + cluster.process : 0;
  return out;
}

}  // namespace smlp
