// OperationIds in words.
#include "mlp/training/out_of_range.h"

namespace smlp {

namespace {

/// Whether the layer of a place is a layer of the network, and what happens there.
std::pair<bool, const char*> what_happens(Direction direction) {
  switch (direction) {
    case Direction::forward:
      return {true, "the forward product"};
    case Direction::activation:
      return {true, "the activation"};
    case Direction::gradient:
      return {true, "the update"};
    case Direction::backward:
      return {true, "the backward product"};
    case Direction::activation_backward:
      return {true, "the derivative of the activation"};
    case Direction::input:
      return {false, "the conversion of the rows"};
    case Direction::output:
      return {false, "the hand-over of results"};
    case Direction::lasting:
      return {false, "the masking of the table"};
    case Direction::range_check:
      return {false, "the range check"};
    case Direction::weight_check:
      return {true, "the range check of the weights"};
    case Direction::clipping:
      return {false, "the clipped error of the outputs"};
    case Direction::lookahead:
      return {true, "the weights looked ahead"};
    case Direction::lookahead_velocity:
      return {true, "the velocity looked ahead"};
    case Direction::stored:
      return {true, "the weights after an epoch"};
    case Direction::stored_velocity:
      return {true, "the velocity after an epoch"};
  }
  throw Error("a direction has no name");
}

}  // namespace

std::string tensor(const OperationId& operation) {
  const auto [of_layer, what] = what_happens(operation.direction);
  return what + (of_layer ? " of layer " + std::to_string(operation.layer + 1) : std::string());
}

std::string in_step(const OperationId& operation, const std::string& unit) {
  return " in " + unit + " " + std::to_string(std::uint64_t{operation.step} + 1);
}

std::string describe(const OperationId& operation, const std::string& unit) {
  if (operation.direction == Direction::range_check)
    return std::string("the range check of the ") +
           (operation.layer == 0 ? "activations in " : "weights after ") + unit + " " +
           std::to_string(std::uint64_t{operation.step} + 1);
  return tensor(operation) + in_step(operation, unit);
}

}  // namespace smlp
