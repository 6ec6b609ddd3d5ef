// Tiles of an activation take turns.
#include "protocols/activation/tiles.h"

#include <algorithm>

#include "paillier/error.h"
#include "protocols/turns.h"

namespace smlp {

namespace {

struct TileStates : ActivationState {
  std::vector<std::shared_ptr<const ActivationState>> of_tiles;
};

class TiledActivation : public Activation {
 public:
  TiledActivation(std::shared_ptr<const Activation> whole, const TileCells& cells)
      : whole_(std::move(whole)), cells_(cells) {}

  Activated forward(const Evaluator& evaluator, const OperationId& operation, const EncryptedMatrix& z,
                    Packings packings) const override {
    std::vector<EncryptedMatrix> tiles = cut_in_tiles(z, cells_);
    auto states = std::make_shared<TileStates>();
    states->of_tiles.resize(tiles.size());
    for_each_tile(evaluator, tiles.size(), [&](std::size_t i, const Evaluator& of_tile) {
      Activated tile = whole_->forward(of_tile, operation.of_tile(i), tiles[i], packings);
      tiles[i] = std::move(tile.values);
      states->of_tiles[i] = std::move(tile.state);
    });
    return {stack_rows(tiles), std::move(states)};
  }

  EncryptedMatrix backward(const Evaluator& evaluator, const OperationId& operation,
                           const EncryptedMatrix& delta, const ActivationState& state,
                           Packings packings) const override {
    std::vector<EncryptedMatrix> tiles = cut_in_tiles(delta, cells_);
    const auto* states = dynamic_cast<const TileStates*>(&state);
    if (states == nullptr || states->of_tiles.size() != tiles.size())
      throw Error("the state of another activation was given to one in tiles");
    for_each_tile(evaluator, tiles.size(), [&](std::size_t i, const Evaluator& of_tile) {
      tiles[i] = whole_->backward(of_tile, operation.of_tile(i), tiles[i], *states->of_tiles[i], packings);
    });
    return stack_rows(tiles);
  }

 private:
  /// Nothing waits beyond a tile: the key holder is to answer while the evaluator works on the next.
  template <typename Work>
  static void for_each_tile(const Evaluator& evaluator, std::size_t tiles, Work&& work) {
    if (tiles == 1) return work(0, evaluator);
    evaluator.calls->send();
    for (std::size_t first = 0; first < tiles; first += tiles_together)
      take_turns(std::min(tiles - first, tiles_together), [&](std::size_t i, Turn turn) {
        const Evaluator of_tile = evaluator.for_task(turn);
        work(first + i, of_tile);
        of_tile.calls->send();
      });
  }
  std::shared_ptr<const Activation> whole_;
  TileCells cells_;
};

}  // namespace

TileCells tile_cells(const ProtocolNames& protocols) {
  const bool quick = !find_protocol(Family::activation, protocols.activation).fused &&
                     find_protocol(Family::comparison, protocols.comparison).transfers &&
                     find_protocol(Family::selection, protocols.selection).transfers;
  return quick ? TileCells{1 << 14, 1 << 15} : TileCells{1 << 7, 1 << 12};
}

std::vector<Layout> activation_tiles(const Layout& layout, const TileCells& cells) {
  const std::size_t groups = layout.row_groups.size(), cols = layout.cols();
  const std::size_t of_group = groups == 0 ? 0 : std::ranges::max(layout.row_groups) * cols;
  const std::size_t fitting = std::max<std::size_t>(1, cells.most / std::max<std::size_t>(1, of_group));
  const std::size_t wanted = std::max(std::min(layout.rows() * cols / cells.least, tiles_together),
                                      (groups + fitting - 1) / fitting);
  const std::size_t count = std::clamp<std::size_t>(wanted, 1, std::min(groups, most_tiles));
  std::vector<Layout> tiles;
  std::size_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = groups * (i + 1) / count;
    const auto from = layout.row_groups.begin();
    tiles.push_back({{from + static_cast<std::ptrdiff_t>(first), from + static_cast<std::ptrdiff_t>(end)},
                     layout.col_groups});
    first = end;
  }
  return tiles;
}

std::vector<EncryptedMatrix> cut_in_tiles(const EncryptedMatrix& m, const TileCells& cells) {
  std::vector<EncryptedMatrix> tiles;
  std::size_t group = 0;
  for (const Layout& layout : activation_tiles(m.layout(), cells)) {
    tiles.push_back(row_groups(m, group, layout.row_groups.size()));
    group += layout.row_groups.size();
  }
  return tiles;
}

std::shared_ptr<const Activation> in_tiles(std::shared_ptr<const Activation> whole, const TileCells& cells) {
  return std::make_shared<TiledActivation>(std::move(whole), cells);
}

}  // namespace smlp
