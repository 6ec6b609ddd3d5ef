// A trained model in the clear, as smlp export writes it and smlp run --json tells it.
#pragma once

#include <vector>

#include "mlp/program/session.h"
#include "mlp/task.h"
#include "mlp/training/fixed_point.h"
#include "mlp/training/network.h"
#include "protocols/bit_budget.h"

namespace smlp {

/// Version 3 of smlp-model (docs/formats.md). `weights`: a matrix of inputs + 1 x outputs for each layer,
/// biases in its last row. Exact to 53 bits.
Json exported_model(const Network& network, Task task, const Numbers& numbers,
                    const std::vector<IntegerMatrix>& weights);

}  // namespace smlp
