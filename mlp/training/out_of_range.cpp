// Places in words.
#include "mlp/training/out_of_range.h"

namespace smlp {

namespace {

/// Whether the layer of a place is a layer of the network, and what happens there.
std::pair<bool, const char*> operation(Direction direction) {
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
  }
  throw Error("a direction has no name");
}

}  // namespace

std::string tensor(const Place& place) {
  const auto [of_layer, what] = operation(place.direction);
  return what + (of_layer ? " of layer " + std::to_string(place.layer + 1) : std::string());
}

std::string in_step(const Place& place, const std::string& unit) {
  return " in " + unit + " " + std::to_string(std::uint64_t{place.step} + 1);
}

std::string describe(const Place& place, const std::string& unit) {
  if (place.direction == Direction::range_check)
    return std::string("the range check of the ") +
           (place.layer == 0 ? "activations in " : "weights after ") + unit + " " +
           std::to_string(std::uint64_t{place.step} + 1);
  return tensor(place) + in_step(place, unit);
}

}  // namespace smlp
