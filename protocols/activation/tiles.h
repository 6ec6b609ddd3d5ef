// Activations in tiles: the evaluator works on one while the key holder answers others.
#pragma once

#include <memory>
#include <vector>

#include "protocols/registry.h"

namespace smlp {

/// Cells of a tile.
struct TileCells {
  std::size_t least;  ///< that are worth round trips of their own
  std::size_t most;   ///< whose messages have tens of MB
};
/// 128 to 4,096 where each costs a good part of a millisecond and 10 KB, 16,384 to 32,768 where they are
/// garbled and transferred in microseconds and 1 KB.
TileCells tile_cells(const ProtocolNames& protocols);

/// What they give opened is brought as one sum, each a run of its rows, and a request has room for 5,000
/// runs. It has room for 2^24 cells, which are as many tiles of 4,096.
inline constexpr std::size_t most_tiles = 4096;

/// The layouts of the tiles of a matrix, from the top: whole row groups, evenly, one tile for every
/// `cells.least` cells up to tiles_together, or as many as it takes for none to have more than `cells.most`,
/// as far as one group has not, and at most most_tiles.
std::vector<Layout> activation_tiles(const Layout& layout, const TileCells& cells);
/// The matrix so cut; its tiles share the ciphertexts and what was opened.
std::vector<EncryptedMatrix> cut_in_tiles(const EncryptedMatrix& m, const TileCells& cells);

/// The same activation, each tile at a place of its own, tiles_together at a time.
std::shared_ptr<const Activation> in_tiles(std::shared_ptr<const Activation> whole, const TileCells& cells);

}  // namespace smlp
