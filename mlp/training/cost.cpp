// The cost model.
#include "mlp/training/cost.h"

#include <algorithm>
#include <functional>

#include "mlp/training/batches.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/training.h"
#include "mlp/training/weight_check.h"
#include "protocols/activation/tiles.h"

namespace smlp {

namespace {

/// Bits of the mask of a product's result that is given opened; 0: it is ciphertexts.
struct OpenedResult {
  std::size_t bits = 0;
};

/// Sums what the protocols of a run declare.
class Declared {
 public:
  /// `first`: of a session; `halvings`: by how many bits more than their kinds say products are rescaled.
  Declared(const ProtocolNames& protocols, const Sizes& sizes, bool range_checks, bool first = false,
           std::size_t halvings = 0)
      : protocols_(protocols),
        sizes_(sizes),
        halvings_(halvings),
        checks_(range_checks && protocols.checks_ranges()),
        transfers_to_come_(first) {}
  const Cost& cost() const { return cost_; }

  void product(std::size_t layer, const Layout& left, const Layout& right, bool addend,
               const OperandStates& left_states = {}, const OperandStates& right_states = {},
               const OpenedResult& result = {}) {
    const Descriptor& matmul = protocols_.product(layer);
    Work work{left, right};
    work.result_bits = matmul.fused ? result.bits : 0;
    work.left_states = left_states;
    work.right_states = right_states;
    work.addend = matmul.fused && addend;
    count(matmul, work);
    if (matmul.fused) return;
    Work division{{left.row_groups, right.col_groups}, {}};
    division.addend = addend;
    division.result_bits = result.bits;
    count(find_protocol(Family::truncation, protocols_.truncation), division);
  }

  /// `u`: how what it reads comes; `packings` of what it gives.
  void layer(const LayerKind& kind, const Layout& layout, bool forward, const OpenedResult& u,
             Packings packings = Packings::both) {
    Layout hinges{{}, layout.col_groups};  // under each other
    for (std::size_t i = 0; i < kind.hinge_count; ++i)
      hinges.row_groups.insert(hinges.row_groups.end(), layout.row_groups.begin(), layout.row_groups.end());
    if (kind.compares()) activation(hinges, forward, u, packings);
  }

  /// Of a product before such a layer, forward or backward.
  OpenedResult before_layer(const LayerKind& kind, bool forward) const {
    if (!kind.only_hinges()) return {};
    return before_activation(forward, sizes_.budget.numbers().fraction_bits + kind.halvings + halvings_);
  }
  /// Of a product with this shift, before relu or its derivative.
  OpenedResult before_activation(bool forward, std::size_t shift) const {
    if ((forward ? protocols_.before_relu() : protocols_.before_derivative()) == Form::ciphertexts) return {};
    return {sizes_.budget.rescaled_mask_bits(sizes_.budget.product_mask_bits(), {1, shift})};
  }

  void activation(const Layout& layout, bool forward, const OpenedResult& z,
                  Packings packings = Packings::both) {
    const std::uint64_t rounds_before = cost_.traffic.rounds;
    std::uint64_t rounds_after = 0;
    for (const Layout& tile : activation_tiles(layout)) {
      cost_.traffic.rounds = rounds_before;  // tiles go together
      activation_tile(tile, forward, z, packings);
      rounds_after = std::max(rounds_after, cost_.traffic.rounds);
    }
    cost_.traffic.rounds = rounds_after;
  }

  /// Of packed ciphertexts, all slots of each.
  void hand_over(std::size_t ciphertexts, std::size_t user_bits) {
    Work work{{{sizes_.budget.slots()}, std::vector<std::size_t>(ciphertexts, 1)}, {}};
    work.user_bits = user_bits;
    count(find_protocol(Family::conversion, "switch-key"), work);
  }

  void unpack(const Layout& layout) {
    if (sizes_.budget.slots() == 1 && !layout.single())
      count(find_protocol(Family::conversion, "unpack"), {layout, {}});
  }

  bool checks() const { return checks_; }
  /// Of what was compared since the last one.
  void range_check() {
    if (gathered_) count(find_protocol(Family::conversion, "range-check"), {});
    gathered_ = false;
  }

 private:
  void activation_tile(const Layout& layout, bool forward, const OpenedResult& z, Packings packings) {
    const Descriptor& activation = find_protocol(Family::activation, protocols_.activation);
    Work work{layout, {}};
    if (activation.fused) {
      work.backward = !forward;
      return count(activation, work);
    }
    const Descriptor& comparison = find_protocol(Family::comparison, protocols_.comparison);
    work.packings = packings;
    work.opened_bits = z.bits;
    if (forward) {
      count(comparison, work);
      if (comparison.on_opened && z.bits == 0) work.opened_bits = sizes_.budget.guarded_mask_bits();
    }
    work.checked = forward && comparison.on_opened && checks_;
    gathered_ |= work.checked;
    count(find_protocol(Family::selection, protocols_.selection), work);
  }

  void count(const Descriptor& descriptor, const Work& work) {
    if (descriptor.transfers && transfers_to_come_) {
      transfers_to_come_ = false;
      count(find_protocol(Family::conversion, "base-transfers"), {});
    }
    cost_.traffic += descriptor.traffic(work, sizes_);
    cost_.operations += descriptor.operations(work, sizes_);
  }

  ProtocolNames protocols_;
  Sizes sizes_;
  std::size_t halvings_;
  bool checks_;
  bool gathered_ = false;
  bool transfers_to_come_;  ///< base transfers, by the first protocol of a session that needs them
  Cost cost_;
};

Layout with_bias(Layout layout) {
  layout.col_groups.push_back(1);
  return layout;
}

/// Layout of the values of layer `layer` for a batch.
Layout activation_layout(const Network& network, std::size_t layer, const std::vector<std::size_t>& rows,
                         std::size_t slots) {
  return {rows, balanced_groups(network.sizes[layer], slots)};
}

/// Rows of a batch as the protocols see them.
std::vector<std::size_t> batch_groups(const std::vector<std::size_t>& widths, std::size_t slots) {
  if (slots != 1) return widths;
  std::size_t rows = 0;
  for (const std::size_t width : widths) rows += width;
  return std::vector<std::size_t>(rows, 1);
}

/// `inputs` and `weights`: how the operands of layer `layer` come.
template <typename States>
void forward_pass(Declared& declared, const Network& network, const std::vector<std::size_t>& rows,
                  std::size_t slots, bool training, States&& inputs, States&& weights) {
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const bool hidden = layer + 1 < network.layers();
    const OpenedResult z =
        hidden || training ? declared.before_layer(network.kind(layer), true) : OpenedResult{};
    declared.product(layer, with_bias(activation_layout(network, layer, rows, slots)),
                     weight_layout(network, layer, slots), false, inputs(layer), weights(layer), z);
    if (hidden || training)
      declared.layer(network.kind(layer), activation_layout(network, layer + 1, rows, slots), true, z,
                     network.layers() > 1 ? Packings::column_packed : Packings::both);
  }
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  operations += other.operations;
  traffic += other.traffic;
  return *this;
}

namespace {

constexpr OperandStates kept{OperandUse::kept}, reused{OperandUse::reused};

/// The first time, of a matrix that a selection made in one packing, or of another.
OperandStates kept_of(const Layout& layout, bool selected) {
  OperandStates states = kept;
  states.closes = selected && !layout.single();
  return states;
}

/// A step on a batch of groups of these widths; `table`: how its features come; `first`: of a session.
Cost training_step_cost(const Network& network, const ProtocolNames& protocols,
                        const TrainingOptions& options, const std::vector<std::size_t>& group_widths,
                        const Sizes& sizes, const OperandStates& table, bool range_checks, bool first) {
  const std::size_t slots = sizes.budget.slots();
  const bool addend = options.momentum != 0 || options.weight_decay != 0;
  Declared declared(protocols, sizes, range_checks, first,
                    options.nesterov ? UpdateFactors::lookahead_bits : 0);
  for (const std::size_t cols : {network.inputs(), network.outputs()})
    declared.unpack({group_widths, balanced_groups(cols, sizes.budget.fitting_slots())});
  const std::vector<std::size_t> rows = batch_groups(group_widths, slots);
  using States = std::function<OperandStates(std::size_t)>;
  forward_pass(declared, network, rows, slots, true, States([&](std::size_t layer) {
                 if (layer == 0) return table;
                 return kept_of(with_bias(activation_layout(network, layer, rows, slots)),
                                network.kind(layer - 1).compares());
               }),
               States([](std::size_t layer) { return layer == 0 ? OperandStates{} : kept; }));
  if (options.clip_gradient != 0)
    declared.layer(clip_kind(options.clip_gradient),
                   activation_layout(network, network.layers(), rows, slots), true, {},
                   network.layers() > 1 ? Packings::column_packed : Packings::both);
  for (std::size_t layer = network.layers(); layer-- > 0;) {
    const Layout delta = activation_layout(network, layer + 1, rows, slots);
    OperandStates inputs = layer == 0 ? table : reused;
    inputs.use = OperandUse::reused;
    declared.product(layer, with_bias(activation_layout(network, layer, rows, slots)).transposed(), delta,
                     addend, inputs, layer == 0 ? OperandStates{} : reused);
    if (layer == 0) continue;
    Layout weights = weight_layout(network, layer, slots);
    weights.row_groups.pop_back();
    OperandStates with_bias_row = reused;
    with_bias_row.unused_cells = weights.cols();
    const OpenedResult v = declared.before_layer(network.kind(layer - 1), false);
    const bool clipped = layer + 1 == network.layers() && options.clip_gradient != 0;
    declared.product(layer, delta, weights.transposed(), false,
                     kept_of(delta, clipped || network.kind(layer).compares()), with_bias_row, v);
    declared.layer(network.kind(layer - 1), activation_layout(network, layer, rows, slots), false, v,
                   layer == 1 ? Packings::row_packed : Packings::column_packed);
  }
  declared.range_check();
  return declared.cost();
}

/// The check of the weights after an epoch; `first`: nothing was compared before.
Cost weight_check_cost(const Network& network, const ProtocolNames& protocols, const Sizes& sizes,
                       bool range_checks, bool first) {
  const std::size_t slots = sizes.budget.slots();
  Declared declared(protocols, sizes, range_checks, first);
  for (std::size_t layer = 0; declared.checks() && layer < network.layers(); ++layer) {
    const Layout weights = weight_layout(network, layer, slots);
    const OpenedResult sums = declared.before_activation(
        true, signed_sum(weights.rows(), weights.cols(), sizes.budget.numbers()).shift);
    declared.product(layer, balanced_layout(1, weights.rows(), slots), weights, false, {}, {}, sums);
    declared.activation({{1}, weights.col_groups}, true, sums, Packings::column_packed);
  }
  declared.range_check();
  return declared.cost();
}

}  // namespace

Cost epoch_cost(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                const TableGroups& groups, const Sizes& sizes, bool first, bool range_checks) {
  const bool keeps = keeps_table(groups, network.inputs() + 1, sizes.budget);
  Cost cost;
  for (const auto& batch : groups.batches) {
    std::vector<std::size_t> widths;
    for (const std::size_t group : batch) widths.push_back(groups.widths[group]);
    OperandStates table = kept;
    if (keeps) table = {first ? OperandUse::kept : OperandUse::reused, batch.size(), 0};
    cost += training_step_cost(network, protocols, options, widths, sizes, table, range_checks,
                               first && &batch == &groups.batches.front());
  }
  bool transferred = options.clip_gradient != 0;
  for (std::size_t layer = 0; layer < network.layers(); ++layer)
    transferred |= network.kind(layer).compares() || protocols.product(layer).transfers;
  cost += weight_check_cost(network, protocols, sizes, range_checks, first && !transferred);
  return cost;
}

Cost classification_cost(const Network& network, const ProtocolNames& protocols, const TableGroups& groups,
                         const Sizes& sizes, std::size_t user_bits, bool range_checks) {
  Cost cost;
  const std::size_t slots = sizes.budget.slots();
  for (const auto& batch : groups.batches) {
    std::vector<std::size_t> widths;
    for (const std::size_t group : batch) widths.push_back(groups.widths[group]);
    const bool first = &batch == &groups.batches.front();
    Declared declared(protocols, sizes, range_checks, first);
    declared.unpack({widths, balanced_groups(network.inputs(), sizes.budget.fitting_slots())});
    declared.unpack({widths, {1}});  // row numbers
    const OperandStates weights = first ? kept : reused;
    using States = std::function<OperandStates(std::size_t)>;
    forward_pass(declared, network, batch_groups(widths, slots), slots, false,
                 States([](std::size_t) { return OperandStates{}; }),
                 States([&](std::size_t) { return weights; }));
    declared.range_check();
    const std::size_t answered = batch_groups(widths, slots).size();
    if (user_bits != 0) declared.hand_over(answered * (1 + network.outputs()), user_bits);
    cost += declared.cost();
  }
  return cost;
}

Cost release_cost(const Network& network, const Sizes& sizes, std::size_t user_bits) {
  Declared declared({}, sizes, false);
  for (std::size_t layer = 0; layer < network.layers(); ++layer)
    declared.hand_over(both_count(weight_layout(network, layer, sizes.budget.slots())), user_bits);
  return declared.cost();
}

Shown shown_by(const Plan& plan, const BitBudget& table) {
  const std::size_t bits = table.modulus_bits();
  const BitBudget budget = plan.protocols.needs_one_value_a_ciphertext()
                               ? BitBudget(table.numbers(), table.max_inner(), bits, 1)
                               : table;
  const Sizes sizes{budget, (bits + 7) / 8 * 2, (bits + 7) / 8};
  const TableGroups groups = table_groups(plan.rows, plan.training.batch, table.slots());
  const auto epoch = [&](bool first) {
    return shown(
        epoch_cost(plan.network, plan.protocols, plan.training, groups, sizes, first, plan.range_checks)
            .operations);
  };
  Shown all = epoch(true) + shown(release_cost(plan.network, sizes, bits).operations);
  if (plan.training.epochs > 1) all += static_cast<double>(plan.training.epochs - 1) * epoch(false);
  if (plan.test_rows > 0) {
    const TableGroups test = table_groups(plan.test_rows, plan.training.batch, table.slots());
    all += shown(
        classification_cost(plan.network, plan.protocols, test, sizes, bits, plan.range_checks).operations);
  }
  return all;
}

}  // namespace smlp
