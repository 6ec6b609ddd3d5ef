// Where in a run an operation stands: half of every randomness address, and bound into every request.
#pragma once

#include <cstddef>
#include <cstdint>

#include "paillier/random.h"

namespace smlp {

/// The operations of one layer in one step. A protocol runs at most once at a place, and once at each tile of
/// one: the evaluator refuses to draw a second time.
enum class Direction : std::uint8_t {
  forward,              ///< activations times weights
  activation,           ///< ReLU
  gradient,             ///< transposed activations times deltas
  backward,             ///< deltas times transposed weights
  activation_backward,  ///< derivative of ReLU
  input,                ///< conversion of a batch of the table
  output,               ///< hand-over of results
  lasting,              ///< operands that are masked once for a whole session; the step counts them
  range_check,          ///< of the values that were compared (layer 0), of the weights (layer 1)
  weight_check,         ///< signed sums of a layer's weights, after an epoch
  clipping,             ///< of the error of the outputs
  lookahead,            ///< weights where Nesterov's gradient is taken
  lookahead_velocity,   ///< the velocities beside them
  stored,               ///< weights as they are stored after an epoch
  stored_velocity,
};

/// What is drawn at a place.
enum class RandomnessKind : std::uint8_t {
  mask_left,             ///< R_A
  mask_right,            ///< R_B
  mask_cross,            ///< R_T
  mask_product,          ///< rho
  mask_addend,           ///< R_C
  mask_comparison,       ///< r of a comparison
  mask_selection,        ///< r of a selection
  mask_conversion,       ///< r of an unpacking or a hand-over
  multiplier,            ///< rho of the paper's affine masking
  comparison_flip,       ///< e
  blinding_unit,         ///< factor in Z_u* of a comparison bit
  shuffle,               ///< order of the comparison bits
  answer_column_packed,  ///< encryptions by the key holder, one kind an answer part
  answer_row_packed,
  answer_values_column_packed,
  answer_values_row_packed,
  answer_shares_column_packed,
  answer_shares_row_packed,
  answer_bits,
  answer_seal,
  initial_weights,  ///< drawn by the evaluator before the first step
  initial_column_packed,
  initial_row_packed,
  batch_order,
  group_order,
  table_column_packed,  ///< drawn by the data owner
  table_row_packed,
  table_labels_column_packed,
  table_labels_row_packed,
  table_order,
  hand_over,     ///< under a user's key, by the evaluator
  range_weight,  ///< factor of a ciphertext in the sum that a range check opens
  range_factor,  ///< u, factor of that sum
  answer_range_tops,
  answer_range_borrows,
  weight_signs,
  range_mask,  ///< rho of a range check, of Z_n
  answer_operand,
  mask_selected,  ///< e of what a selection by transfers gives
  mask_form,      ///< r of what is opened, or closed, by itself
};

/// Tiles of an operation that are under way together, and one round trip: the first, the ninth and so on
/// begin one.
inline constexpr std::size_t tiles_together = 8;

struct OperationId {
  std::uint32_t step = 0;
  std::uint8_t layer = 0;
  Direction direction = Direction::forward;
  std::uint16_t tile = 0;  ///< of an operation that is cut into tiles

  bool operator==(const OperationId&) const = default;
  /// The same operation for a tile; `number` is below 2^16.
  OperationId of_tile(std::size_t number) const {
    return {step, layer, direction, static_cast<std::uint16_t>(number)};
  }
  Address address(RandomnessKind kind) const {
    return {step, layer, static_cast<std::uint8_t>(direction), static_cast<std::uint8_t>(kind), tile};
  }
};

}  // namespace smlp
