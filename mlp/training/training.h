// Epochs of training and passes of classification over a table, for every arithmetic.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "mlp/training/batches.h"
#include "mlp/training/network.h"
#include "mlp/training/trainer.h"
#include "protocols/registry.h"

namespace smlp {

/// A table in groups, as an arithmetic reads it.
template <typename Matrix>
struct GroupReader {
  std::function<Matrix(std::size_t group)> features;
  std::function<Matrix(std::size_t group)> labels;
};

/// Called after each step: steps done, steps in the epoch, and the residual of the batch before the step.
template <typename Matrix>
using StepObserver = std::function<void(std::size_t done, std::size_t total, const Matrix& residual)>;

namespace detail {

template <typename Matrix>
std::vector<Matrix> read_groups(const std::vector<std::size_t>& batch,
                                const std::function<Matrix(std::size_t)>& read) {
  std::vector<Matrix> parts;
  parts.reserve(batch.size());
  for (const std::size_t group : batch) parts.push_back(read(group));
  return parts;
}

}  // namespace detail

/// Rows of a batch enter at layer 0 (features) and 1 (labels).
inline OperationId feature_operation(std::uint32_t step) {
  return {step, 0, Direction::input};
}
inline OperationId label_operation(std::uint32_t step) {
  return {step, 1, Direction::input};
}

/// Whether the key holder opens a table of so many columns once a training, rather than once a step: where
/// what both parties keep of it, about 60 bytes a value, stays below 64 MiB. Never with one value a
/// ciphertext: then each step unpacks its batch.
bool keeps_table(const TableGroups& groups, std::size_t columns, const BitBudget& budget);

/// Throws Error when the steps of this epoch have no numbers left: an address is never used twice.
void check_steps(std::uint32_t epoch, std::size_t batches);

/// Trains epoch `epoch` (from 0), and checks ranges as far as the arithmetic can. `order` draws the batches;
/// every arithmetic of a run is given the same. Steps are numbered through the whole run. The model is then
/// as files store it.
template <Arithmetic A>
void train_epoch(A& arithmetic, const Network& network, Weights<typename A::Matrix>& model,
                 const GroupReader<typename A::Matrix>& table, const TableGroups& groups,
                 const TrainingOptions& options, const BitBudget& budget, std::uint32_t epoch,
                 const RandomSource& order, const StepObserver<typename A::Matrix>& observer = nullptr) {
  const auto batches = epoch_batches(groups, epoch, order);
  check_steps(epoch, batches.size());
  const bool keeps = keeps_table(groups, network.inputs() + 1, budget);
  for (std::size_t b = 0; b < batches.size(); ++b) {
    const auto step = static_cast<std::uint32_t>(epoch * batches.size() + b);
    const auto features =
        arithmetic.features(feature_operation(step), keeps ? batches[b] : std::vector<std::size_t>{},
                            detail::read_groups(batches[b], table.features));
    const auto labels = arithmetic.labels(label_operation(step), network.layers() - 1,
                                          detail::read_groups(batches[b], table.labels));
    const UpdateFactors factors = update_factors(options, epoch, batch_rows(groups, batches[b]), budget);
    const auto residual = train_batch(arithmetic, network, model, step, features, labels, factors);
    if (b + 1 == batches.size()) {
      Weights<typename A::Matrix> ahead;
      arithmetic.check_weights(step, operands(arithmetic, model, ahead, step, factors).weights);
      const auto store = [&](auto& matrices, Direction direction) {
        for (std::size_t layer = 0; layer < matrices.size(); ++layer)
          matrices[layer] =
              arithmetic.stored({step, static_cast<std::uint8_t>(layer), direction}, matrices[layer]);
      };
      store(model.weights, Direction::stored);
      store(model.velocities, Direction::stored_velocity);
    }
    if (observer) observer(b + 1, batches.size(), residual);
  }
}

/// Scores of the network (mlp/training/trainer.h) for batch `b` of a table: rows x outputs.
template <Arithmetic A>
typename A::Matrix classify_batch(A& arithmetic, const Network& network,
                                  const Weights<typename A::Matrix>& model,
                                  const std::function<typename A::Matrix(std::size_t)>& features,
                                  const TableGroups& groups, std::size_t b) {
  const auto step = static_cast<std::uint32_t>(b);
  const auto batch =
      arithmetic.features(feature_operation(step), {}, detail::read_groups(groups.batches[b], features));
  auto scores = forward(arithmetic, network, model, step, batch);
  arithmetic.check_activations(step)();
  return scores;
}

/// The same protocols, told whether a training compares anything: in a layer or its outputs, to clip errors,
/// or to check weights. Throws Error unless they name a product for each layer, one for all, or none.
ProtocolNames for_training(ProtocolNames names, const Network& network, const TrainingOptions& options,
                           bool range_checks);
/// The same of a classification, which compares in hidden layers alone.
ProtocolNames for_classification(ProtocolNames names, const Network& network);

/// Checks before anything runs that every product of a training or a classification fits the budget. Throws
/// Error naming the layer, the operation and the option that would fix it.
void check_budget(const Network& network, const TrainingOptions& options, std::size_t largest_batch,
                  std::size_t smallest_batch, const BitBudget& budget);

}  // namespace smlp
