// The cost model.
#include "mlp/training/cost.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "mlp/training/batches.h"
#include "mlp/training/declared.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/training.h"
#include "mlp/training/weight_check.h"
#include "protocols/opened_sums.h"

namespace smlp {

namespace {

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

/// `inputs` and `weights`: how the operands of layer `layer` come, given how the inputs are held. `part` of
/// the column groups of a result is computed. How the outputs are held.
template <typename Inputs, typename WeightStates, typename Part>
Held forward_pass(Declared& declared, const Network& network, const std::vector<std::size_t>& rows,
                  std::size_t slots, bool training, Inputs&& inputs, WeightStates&& weights, Part&& part) {
  Held values;
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    const OperandStates of_inputs = inputs(layer, values);
    Layout right = weight_layout(network, layer, slots);
    right.col_groups = part(right.col_groups);
    if (rows.empty() || right.col_groups.empty()) continue;
    const bool hidden = layer + 1 < network.layers();
    const std::size_t reader = hidden ? layer + 1 : layer;
    const Held z = hidden || training ? declared.before_layer(network.kind(layer), true, reader) : Held{};
    declared.product(layer, with_bias(activation_layout(network, layer, rows, slots)), right, false,
                     of_inputs, weights(layer), z);
    values = z;
    if (hidden || training)
      values = declared.layer(network.kind(layer), {rows, right.col_groups}, true, z, reader,
                              network.layers() > 1 ? Packings::column_packed : Packings::both);
  }
  return values;
}

/// Every column.
constexpr auto all_columns = [](const std::vector<std::size_t>& groups) -> const auto& { return groups; };

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  operations += other.operations;
  traffic += other.traffic;
  largest_call = std::max(largest_call, other.largest_call);
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

/// The same of one that is held like this; `layout` without a constant column.
OperandStates kept_of(const Layout& layout, const Held& held, const BitBudget& budget) {
  OperandStates states = kept;
  states.term_bytes = held.term_bytes(layout, budget);
  states.as_it_is = held.selected;
  return states;
}

/// How the weights of a layer, and their velocity, are held at the beginning of a step.
struct HeldWeights {
  Held weights, velocity;
};

/// The factors of a batch of groups of these widths.
UpdateFactors factors_of(const TrainingOptions& options, std::size_t epoch,
                         const std::vector<std::size_t>& group_widths, const BitBudget& budget) {
  return update_factors(options, epoch,
                        std::accumulate(group_widths.begin(), group_widths.end(), std::size_t{0}), budget);
}

/// An update, opened.
Held update_of(const UpdateFactors& factors, const BitBudget& budget) {
  const bool addend = factors.momentum != 0 || factors.decay != 0;
  return Held::under(
      budget.rescaled_mask_bits(budget.product_mask_bits(), factors.rescale,
                                addend ? factors.addend_bits(budget.numbers()) + budget.numbers().sigma : 0));
}

/// Weights of which an update takes a part: an operand before, or, with Nesterov's momentum, opened to look
/// ahead.
Held read_weights(const TrainingOptions& options, const BitBudget& budget) {
  return options.nesterov ? Held::under(budget.guarded_mask_bits()) : Held{true, {}, true};
}

/// After an update, where they stay opened. The updates of batches of other sizes are under masks of other
/// bits; over an epoch it comes to the same.
HeldWeights updated_weights(const TrainingOptions& options, const UpdateFactors& factors,
                            const BitBudget& budget) {
  const Held update = update_of(factors, budget);
  return {read_weights(options, budget).plus(update), options.momentum != 0 ? update : Held{}};
}

/// What is sent of momentum V + decay W, opened; `held`: how V is.
std::optional<std::size_t> addend_bytes(const TrainingOptions& options, const UpdateFactors& factors,
                                        const HeldWeights& held, const Layout& layout,
                                        const BitBudget& budget) {
  Held sum{true};
  if (factors.decay != 0) sum = read_weights(options, budget);
  if (factors.momentum != 0) sum = sum.plus(held.velocity);
  const std::size_t mask_bits = factors.addend_bits(budget.numbers()) + budget.numbers().sigma;
  return *sum.term_bytes(layout, budget) + difference_bytes(cell_count(layout), mask_bits);
}

/// Bytes that a rank brings to gathers of a layer, of a batch of groups of these widths: of columns of its
/// inputs, and of its errors, before products take them; of inputs and errors before its gradient; of
/// velocities.
struct GatheredBytes {
  std::uint64_t inputs = 0, errors = 0, values = 0, velocities = 0;
  std::uint64_t all() const { return inputs + errors + values + velocities; }
};
GatheredBytes gathered_bytes(const Network& network, std::size_t layer,
                             const std::vector<std::size_t>& all_widths, const Sizes& sizes,
                             const RankOf& rank) {
  const std::size_t slots = sizes.budget.slots();
  const std::vector<std::size_t> mine = part(all_widths, rank.rows(all_widths.size()));
  const std::size_t rows = std::accumulate(mine.begin(), mine.end(), std::size_t{0});
  Layout weights = weight_layout(network, layer, slots);
  const bool gathers_inputs = layer > 0 || slots == 1;
  std::size_t values = 0, inputs_before = 0, errors_before = 0;
  if (rank.last_column())
    values = rows * (weights.col_groups.size() + (gathers_inputs ? weights.row_groups.size() : 0));
  if (rank.columns > 1) {
    const auto columns = [&](const std::vector<std::size_t>& groups) {
      return column_packed_count({mine, part(groups, rank.cols(groups.size()))});
    };
    if (layer == 0) {
      values = rows * rank.cols(weights.col_groups.size()).count;
    } else {
      inputs_before = columns(balanced_groups(network.sizes[layer], slots));
      errors_before = columns(weights.col_groups);
    }
  }
  const bool both_packings = !weights.single();
  weights.row_groups = part(weights.row_groups, rank.of_all(weights.row_groups.size()));
  const std::size_t velocities =
      column_packed_count(weights) + (both_packings ? row_packed_count(weights) : 0);
  const std::size_t bytes = sizes.ciphertext_bytes;
  return {inputs_before * bytes, errors_before * bytes, values * bytes, velocities * bytes};
}

/// A step on a batch of groups of these widths; `table`: how its features come; `transfers_to_come`: in its
/// session, before it and then after it; `from_file`: the first of an epoch. Adds to `phases` where ranks
/// share it.
Cost training_step_cost(const Network& network, const ProtocolNames& protocols,
                        const TrainingOptions& options, std::size_t epoch,
                        const std::vector<std::size_t>& all_widths, const Sizes& sizes,
                        const OperandStates& table, bool range_checks, bool& transfers_to_come,
                        bool from_file, const RankOf& rank, std::vector<Phase>* phases = nullptr) {
  const BitBudget& budget = sizes.budget;
  const std::size_t slots = budget.slots();
  const bool addend = options.momentum != 0 || options.weight_decay != 0;
  Declared declared(protocols, sizes, range_checks, transfers_to_come,
                    options.nesterov ? UpdateFactors::lookahead_bits : 0);
  const auto opened = [&](std::size_t layer) { return declared.stays_opened(layer); };
  const std::size_t last = network.layers() - 1;
  const std::vector<std::size_t> group_widths = part(all_widths, rank.rows(all_widths.size()));
  const bool has_rows = !group_widths.empty(), shares_columns = rank.columns > 1;
  const auto columns = [&](const std::vector<std::size_t>& groups) {
    return part(groups, rank.cols(groups.size()));
  };
  const auto gather = [&](std::uint64_t brought) {
    if (phases != nullptr) phases->push_back({declared.cost(), brought});
  };
  for (const std::size_t cols : {network.inputs(), network.outputs()})
    if (has_rows) declared.unpack({group_widths, balanced_groups(cols, budget.fitting_slots())});
  const std::vector<std::size_t> rows = batch_groups(group_widths, slots);
  const auto values_layout = [&](std::size_t layer) {
    return activation_layout(network, layer, rows, slots);
  };
  const Held targets = opened(last) ? declared.open(values_layout(network.layers()), {}) : Held{};
  const UpdateFactors factors =
      protocols.shared ? UpdateFactors{} : factors_of(options, epoch, group_widths, budget);
  std::vector<HeldWeights> held(network.layers());  // as ciphertexts
  for (std::size_t layer = 0; !from_file && layer < network.layers(); ++layer)
    if (opened(layer)) held[layer] = updated_weights(options, factors, budget);
  for (std::size_t layer = 0; options.nesterov && layer < network.layers(); ++layer) {
    if (!opened(layer)) continue;
    const Layout layout = weight_layout(network, layer, slots);
    held[layer] = {declared.open(layout, held[layer].weights), declared.open(layout, held[layer].velocity)};
  }
  const Held outputs = forward_pass(
      declared, network, rows, slots, true,
      [&](std::size_t layer, const Held& values) {
        if (layer == 0) return table;
        if (shares_columns) gather(gathered_bytes(network, layer, all_widths, sizes, rank).inputs);
        if (opened(layer)) return kept_of(values_layout(layer), values, budget);
        return kept_of(with_bias(values_layout(layer)), shares_columns || network.kind(layer - 1).compares());
      },
      [&](std::size_t layer) {
        if (!opened(layer)) return layer == 0 || shares_columns ? OperandStates{} : kept;
        const HeldWeights& of_layer = held[layer];
        return kept_of(weight_layout(network, layer, slots),
                       options.nesterov ? of_layer.weights.plus(of_layer.velocity) : of_layer.weights,
                       budget);
      },
      columns);
  Held errors = outputs.plus(targets);
  const auto error_packings = network.layers() > 1 ? Packings::column_packed : Packings::both;
  const Layout outputs_layout{rows, columns(values_layout(network.layers()).col_groups)};
  if (has_rows && !outputs_layout.col_groups.empty() && options.clip_gradient != 0)
    errors = declared.layer(clip_kind(options.clip_gradient), outputs_layout, true,
                            opened(last) ? errors : Held{}, last, error_packings);
  for (std::size_t layer = network.layers(); layer-- > 0;) {
    const Layout delta = values_layout(layer + 1);
    OperandStates inputs = layer == 0 ? table : reused;
    inputs.use = OperandUse::reused;
    OperandStates delta_again = layer == 0 ? OperandStates{} : reused;
    Held backward;
    const GatheredBytes gathered = gathered_bytes(network, layer, all_widths, sizes, rank);
    if (layer > 0 && shares_columns) gather(gathered.errors);
    Layout weights = weight_layout(network, layer, slots);
    weights.row_groups.pop_back();
    weights.row_groups = columns(weights.row_groups);  // which are columns of the result
    if (layer > 0 && has_rows && !weights.row_groups.empty()) {
      OperandStates with_bias_row = reused;
      with_bias_row.unused_cells = weights.cols();
      if (shares_columns) with_bias_row = {};
      backward = declared.before_layer(network.kind(layer - 1), false, layer - 1);
      const bool clipped = layer + 1 == network.layers() && options.clip_gradient != 0;
      declared.product(layer, delta, weights.transposed(), false,
                       opened(layer)
                           ? kept_of(delta, errors, budget)
                           : kept_of(delta, shares_columns || clipped || network.kind(layer).compares()),
                       with_bias_row, backward);
      backward = declared.layer(network.kind(layer - 1), {rows, weights.row_groups}, false, backward,
                                layer - 1, layer == 1 ? Packings::row_packed : Packings::column_packed);
    } else if (opened(layer)) {
      delta_again.term_bytes = errors.term_bytes(delta, budget);
      delta_again.as_it_is = errors.selected;
    }
    if (protocols.shared) {  // its rows of the gradient of the whole batch, gathered
      const std::vector<std::size_t> all_rows = batch_groups(all_widths, slots);
      const std::vector<std::size_t> inputs_of_all = weight_layout(network, layer, slots).row_groups,
                                     mine = part(inputs_of_all, rank.of_all(inputs_of_all.size()));
      gather(gathered.values);
      if (!mine.empty()) declared.product(layer, {mine, all_rows}, {all_rows, weights.col_groups}, addend);
      gather(gathered.velocities);
      continue;
    }
    declared.product(
        layer, with_bias(values_layout(layer)).transposed(), delta, addend, inputs, delta_again,
        opened(layer) ? update_of(factors, budget) : Held{},
        opened(layer) && (options.nesterov || !from_file)
            ? addend_bytes(options, factors, held[layer], weight_layout(network, layer, slots), budget)
            : std::nullopt,
        true);
    errors = std::move(backward);
  }
  declared.range_check();
  declared.read_later();
  gather(0);
  transfers_to_come = declared.transfers_to_come();
  return declared.cost();
}

/// The check of the weights after an epoch.
Cost weight_check_cost(const Network& network, const ProtocolNames& protocols, const Sizes& sizes,
                       bool range_checks, bool transfers_to_come) {
  const std::size_t slots = sizes.budget.slots();
  Declared declared(protocols, sizes, range_checks, transfers_to_come);
  for (std::size_t layer = 0; declared.checks() && layer < network.layers(); ++layer) {
    const Layout weights = weight_layout(network, layer, slots);
    const Held sums = declared.before_activation(
        true, signed_sum(weights.rows(), weights.cols(), sizes.budget.numbers()).shift);
    declared.product(layer, balanced_layout(1, weights.rows(), slots), weights, false, {}, {}, sums);
    declared.activation({{1}, weights.col_groups}, true, sums, Packings::column_packed);
  }
  declared.range_check();
  return declared.cost();
}

/// What an epoch ends with: weights and velocities as ciphertexts.
Cost storing_cost(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                  std::size_t epoch, const std::vector<std::size_t>& group_widths, const Sizes& sizes) {
  Declared declared(protocols, sizes, false);
  for (std::size_t layer = 0; layer < network.layers(); ++layer) {
    if (!declared.stays_opened(layer)) continue;
    const HeldWeights held =
        updated_weights(options, factors_of(options, epoch, group_widths, sizes.budget), sizes.budget);
    const Layout layout = weight_layout(network, layer, sizes.budget.slots());
    declared.close(layout, held.weights);
    declared.close(layout, held.velocity);
  }
  return declared.cost();
}

}  // namespace

Cost epoch_cost(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                const TableGroups& groups, const Sizes& sizes, bool first, bool range_checks,
                std::size_t epoch, const RankOf& rank) {
  const bool keeps = !protocols.shared && keeps_table(groups, network.inputs() + 1, sizes.budget);
  bool transfers_to_come = first;
  Cost cost;
  for (const auto& batch : groups.batches) {
    const std::vector<std::size_t> widths = smlp::group_widths(groups, batch);
    OperandStates table = kept;
    if (keeps) table = {first ? OperandUse::kept : OperandUse::reused, batch.size(), 0};
    const bool from_file = &batch == &groups.batches.front();
    cost += training_step_cost(network, protocols, options, epoch, widths, sizes, table, range_checks,
                               transfers_to_come, from_file, rank);
    if (from_file) cost += storing_cost(network, protocols, options, epoch, widths, sizes);
  }
  if (rank.rank == 0) cost += weight_check_cost(network, protocols, sizes, range_checks, transfers_to_come);
  return cost;
}

std::vector<Phase> step_phases(const Network& network, const ProtocolNames& protocols,
                               const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                               bool range_checks, const RankOf& rank) {
  std::vector<Phase> phases;
  bool transfers_to_come = false;
  training_step_cost(network, protocols, options, 0, group_widths(groups, groups.batches.front()), sizes,
                     kept, range_checks, transfers_to_come, false, rank, &phases);
  return phases;
}

std::uint64_t exchanged_bytes(const Network& network, const TableGroups& groups, const Sizes& sizes,
                              const RankOf& rank) {
  std::uint64_t bytes = 0;
  for (const auto& batch : groups.batches)
    for (std::size_t layer = 0; layer < network.layers(); ++layer)
      bytes += gathered_bytes(network, layer, group_widths(groups, batch), sizes, rank).all();
  return bytes;
}

Cost classification_cost(const Network& network, const ProtocolNames& protocols, const TableGroups& groups,
                         const Sizes& sizes, std::size_t user_bits, bool range_checks, const RankOf& rank) {
  Cost cost;
  const std::size_t slots = sizes.budget.slots();
  for (std::size_t b = rank.rank; b < groups.batches.size(); b += rank.ranks) {
    const std::vector<std::size_t> widths = smlp::group_widths(groups, groups.batches[b]);
    const bool first = b == rank.rank;
    Declared declared(protocols, sizes, range_checks, first);
    declared.unpack({widths, balanced_groups(network.inputs(), sizes.budget.fitting_slots())});
    declared.unpack({widths, {1}});  // row numbers
    const OperandStates weights = first ? kept : reused;
    const std::vector<std::size_t> rows = batch_groups(widths, slots);
    forward_pass(
        declared, network, rows, slots, false,
        [&](std::size_t layer, const Held& values) {
          OperandStates states;
          if (layer > 0)
            states.term_bytes =
                values.term_bytes(activation_layout(network, layer, rows, slots), sizes.budget);
          states.as_it_is = values.selected;
          return states;
        },
        [&](std::size_t) { return weights; }, all_columns);
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
