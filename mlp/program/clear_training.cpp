// The twin and the doubles, epoch by epoch.
#include "mlp/program/clear_training.h"

#include "mlp/training/fixed_point.h"
#include "mlp/training/initial_weights.h"
#include "mlp/training/training.h"

namespace smlp {

namespace {

template <typename Matrix>
Weights<Matrix> with_velocities(std::vector<Matrix> initial, bool momentum) {
  Weights<Matrix> out{std::move(initial), {}};
  for (std::size_t layer = 0; momentum && layer < out.weights.size(); ++layer)
    out.velocities.emplace_back(out.weights[layer].rows(), out.weights[layer].cols());
  return out;
}

}  // namespace

std::vector<Matrix<double>> decoded(const std::vector<IntegerMatrix>& weights, const Numbers& numbers) {
  std::vector<Matrix<double>> out;
  for (const IntegerMatrix& matrix : weights) out.push_back(decode(matrix, numbers));
  return out;
}

Measures measures(const Network& network, const std::vector<Matrix<double>>& weights, const Parts& parts) {
  Measures out = quality(parts.profile, parts.test, scores(network, weights, parts.test));
  out["loss"] = loss(network, weights, parts.train);
  return out;
}

std::optional<double> rate_in_range(const Parts& parts, const Network& network, TrainingOptions options,
                                    const BitBudget& budget, const TableGroups& groups, const Seeds& seeds) {
  constexpr int most_halvings = 10;
  for (int halving = 0; halving < most_halvings; ++halving) {
    options.learning_rate /= 2;
    try {
      ClearTraining training(parts, network, options, budget, groups, seeds);
      for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) training.train_epoch();
      return options.learning_rate;
    } catch (const Error&) {  // out of range still, or a rate that rounds to zero
    }
  }
  return std::nullopt;
}

ClearTraining::ClearTraining(const Parts& parts, const Network& network, const TrainingOptions& options,
                             const BitBudget& budget, TableGroups groups, const Seeds& seeds)
    : parts_(parts),
      network_(network),
      options_(options),
      budget_(budget),
      groups_(std::move(groups)),
      seeds_(seeds),
      integers_(integer_table(parts.train, groups_, budget.numbers())),
      doubles_(float_table(parts.train, groups_)),
      twin_(budget, seeds.training()),
      clear_(budget.numbers().fraction_bits),
      twin_model_(
          with_velocities(in_words(initial_weights(network, budget.numbers(), seeds.initial_weights())),
                          options.momentum != 0)),
      float_model_(with_velocities(decoded(as_integers(twin_model_.weights), budget.numbers()),
                                   options.momentum != 0)) {}

ClearEpoch ClearTraining::train_epoch() {
  const Numbers& numbers = budget_.numbers();
  ClearEpoch out;
  smlp::train_epoch(twin_, network_, twin_model_, integers_.reader(), groups_, options_, budget_, epoch_,
                    seeds_.batch_order(), [&](std::size_t, std::size_t, const WordMatrix& residual) {
                      out.step_losses.push_back({half_squared_error(decode(residual, numbers)), 0});
                    });
  smlp::train_epoch(clear_, network_, float_model_, doubles_.reader(), groups_, options_, budget_, epoch_,
                    seeds_.batch_order(), [&](std::size_t done, std::size_t, const Matrix<double>& residual) {
                      out.step_losses[done - 1].clear = half_squared_error(residual);
                    });
  ++epoch_;
  const std::vector<Matrix<double>> replayed = decoded(as_integers(twin_model_.weights), numbers);
  for (const auto& [measure, value] : measures(network_, replayed, parts_))
    out.measures[measure].twin = value;
  for (const auto& [measure, value] : measures(network_, clear(), parts_))
    out.measures[measure].clear = value;
  out.bits = twin_.widest_bits();
  twin_.forget_widest_bits();
  return out;
}

}  // namespace smlp
