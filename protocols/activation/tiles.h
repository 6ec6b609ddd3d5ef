// Activations in tiles: the evaluator works on one while the key holder answers others.
#pragma once

#include <memory>
#include <vector>

#include "protocols/protocol.h"

namespace smlp {

/// The layouts of the tiles of a matrix, from the top: whole row groups, evenly, one tile for
/// every 128 cells as far as there are groups, and 8 at most.
std::vector<Layout> activation_tiles(const Layout& layout);

/// The same activation, each tile at a place of its own.
std::shared_ptr<const Activation> in_tiles(std::shared_ptr<const Activation> whole);

}  // namespace smlp
