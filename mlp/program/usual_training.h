// What run, train and plan do unless they are told otherwise, chosen by measurement (docs/networks.md).
#pragma once

#include "mlp/program/options.h"
#include "mlp/training/training_options.h"

namespace smlp {

inline constexpr TrainingOptions usual_training{.epochs = 10,
                                                .batch = 32,
                                                .learning_rate = 0.1,
                                                .schedule = Schedule::constant,
                                                .momentum = 0.8,
                                                .weight_decay = 0};
inline constexpr auto usual_network = "N-32-C";

/// The learning rate where none is given: linear outputs run away at the rate of bounded ones.
double usual_rate(const NetworkOptions& network, const ProtocolOptions& protocols, Task task);

}  // namespace smlp
