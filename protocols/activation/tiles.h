// Activations in tiles: the evaluator works on one while the key holder answers others.
#pragma once

#include <memory>
#include <vector>

#include "protocols/registry.h"

namespace smlp {

/// Fewest cells that are worth round trips of their own: 128 that cost a good part of a millisecond each,
/// 16,384 where they are garbled and transferred in microseconds.
std::size_t least_tile_cells(const ProtocolNames& protocols);

/// The layouts of the tiles of a matrix, from the top: whole row groups, evenly, one tile for
/// every `least_cells` cells as far as there are groups, and 8 at most.
std::vector<Layout> activation_tiles(const Layout& layout, std::size_t least_cells);

/// The same activation, each tile at a place of its own.
std::shared_ptr<const Activation> in_tiles(std::shared_ptr<const Activation> whole, std::size_t least_cells);

}  // namespace smlp
