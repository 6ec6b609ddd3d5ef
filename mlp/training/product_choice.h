// Which product each layer takes, where the choice is left open.
#pragma once

#include <cstddef>
#include <functional>

#include "mlp/training/machine_speed.h"
#include "protocols/registry.h"
#include "protocols/transport/link_speed.h"

namespace smlp {

/// What a run with these protocols costs.
using CostOf = std::function<Cost(const ProtocolNames&)>;

/// `names` with a product for each layer, those with which a run takes least: both parties compute as fast as
/// this machine, on all threads, and nothing is computed while bytes are on the way. `names` themselves where
/// they name products. Products for which `cost` throws Error, as for layers that are too wide for them, are
/// passed over. The best one for all layers comes first; then layers are looked at one by one: (1 + layers) *
/// (products - 1) + 1 calls of `cost`.
ProtocolNames with_cheapest_products(const ProtocolNames& names, std::size_t layers, const CostOf& cost,
                                     const MachineSpeed& machine, const LinkSpeed& link);

}  // namespace smlp
