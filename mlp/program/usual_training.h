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
/// 32 hidden neurons, or two for each class, up to 128; 64 for regression.
std::string usual_network(std::size_t outputs, Task task);
/// NetworkOptions::network(), of the usual sizes where none are given.
Network network_of(const NetworkOptions& network, std::size_t features, std::size_t outputs,
                   const ProtocolOptions& protocols, Task task);

/// The learning rate where none is given: linear outputs run away at the rate of bounded ones. One output of
/// a regression bears more than one for each class.
double usual_rate(const NetworkOptions& network, const ProtocolOptions& protocols, Task task);

}  // namespace smlp
