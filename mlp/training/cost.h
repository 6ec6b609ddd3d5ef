// What a run will cost: operations and bytes from the protocols' declarations, seconds from the speed of this
// machine.
#pragma once

#include <cstddef>

#include "mlp/training/encrypted_table.h"
#include "mlp/training/network.h"
#include "mlp/training/training_options.h"
#include "protocols/registry.h"
#include "protocols/statistical_distance.h"

namespace smlp {

struct Cost {
  Operations operations;
  Traffic traffic;
  Cost& operator+=(const Cost& other);
};

/// One epoch over a table, with its range checks where the protocols serve them. The first epoch opens the
/// table's values; later ones have them.
Cost epoch_cost(const Network& network, const ProtocolNames& protocols, const TrainingOptions& options,
                const TableGroups& groups, const Sizes& sizes, bool first, bool range_checks = true);

/// Classification of a table, with its range checks where the protocols serve them; with `user_bits`, the
/// size of a user's key, its hand-over too.
Cost classification_cost(const Network& network, const ProtocolNames& protocols, const TableGroups& groups,
                         const Sizes& sizes, std::size_t user_bits = 0, bool range_checks = true);

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

/// Processor seconds of each operation on one thread while all threads compute, measured.
struct MachineSpeed {
  double product = 0, rerandomisation = 0, decryption = 0, encryption = 0;
  double bit_product = 0, bit_rerandomisation = 0, bit_encryption = 0, zero_test = 0;
  double gate = 0, transfer = 0, transfer_block = 0;

  /// Seconds of these operations on `threads` threads that never wait.
  double seconds(const Operations& operations, int threads) const;
};

/// Medians of short samples with these keys, the same beside other busy processes: processor time is
/// measured. Takes about a second of an idle machine.
MachineSpeed measure_speed(const SecretKeys& keys, const RandomSource& random);

}  // namespace smlp
