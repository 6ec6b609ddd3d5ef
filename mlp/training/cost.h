// What a run will cost: operations and bytes from the protocols' declarations.
#pragma once

#include <cstddef>

#include "mlp/ranks/ranks.h"
#include "mlp/training/encrypted_table.h"
#include "mlp/training/network.h"
#include "mlp/training/training_options.h"
#include "protocols/registry.h"
#include "protocols/statistical_distance.h"

namespace smlp {

struct Cost {
  Operations operations;
  Traffic traffic;
  std::uint64_t largest_call = 0;  ///< bytes of memory that its messages take, both ways and at both ends
  Cost& operator+=(const Cost& other);
};

/// One epoch over a table, with its range checks where the protocols serve them. The `first` of a session
/// opens the table's values; later ones have them. `epoch`, from 0: whose learning rate is taken. Schedules
/// fall, and the masks of updates with them: no epoch costs more than by the rate of epoch 0. Of ranks: what
/// this one does; they open the table in each step.
Cost epoch_cost(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                const TableGroups& groups, const Sizes& sizes, bool first, bool range_checks = true,
                std::size_t epoch = 0, const RankOf& rank = {});

/// A part of a step, at whose end ranks gather what each brings.
struct Phase {
  Cost until;                 ///< all that the rank does from the beginning of the step
  std::uint64_t brought = 0;  ///< bytes
};
/// A step of that rank on the first batch of a later epoch: for each layer, from the last, a phase before its
/// inputs and errors are gathered and one before its velocities are; then what is left, which ends alone.
/// Where ranks share columns too, of each layer but the first one before its inputs are gathered for its
/// product, from the second layer on, and one before its errors are for theirs.
/// `protocols` are named as `shared`.
std::vector<Phase> step_phases(const Network& network, const ProtocolNames& protocols,
                               const TrainingOptions& options, const TableGroups& groups, const Sizes& sizes,
                               bool range_checks, const RankOf& rank);

/// What that rank brings to the others in an epoch (mlp/training/shared_arithmetic.h).
std::uint64_t exchanged_bytes(const Network& network, const TableGroups& groups, const Sizes& sizes,
                              const RankOf& rank);

/// Classification of a table, with its range checks where the protocols serve them; with `user_bits`, the
/// size of a user's key, its hand-over too. Of ranks: of the batches of this one.
Cost classification_cost(const Network& network, const ProtocolNames& protocols, const TableGroups& groups,
                         const Sizes& sizes, std::size_t user_bits = 0, bool range_checks = true,
                         const RankOf& rank = {});

/// Hand-over of a model to the holder of a key of so many bits.
Cost release_cost(const Network& network, const Sizes& sizes, std::size_t user_bits);

/// A run before it begins.
struct Plan {
  Network network;
  ProtocolNames protocols;
  TrainingOptions training;
  std::size_t rows = 0;
  std::size_t test_rows = 0;  ///< classified afterwards
  bool range_checks = true;   ///< where the protocols serve them
};
/// What it shows the key holder: all epochs, the hand-over of the model, the classification and its
/// hand-over; with the range checks of each. `table` is the budget of the table; keys of users are as long.
Shown shown_by(const Plan& plan, const BitBudget& table);

}  // namespace smlp
