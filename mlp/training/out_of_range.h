// Where a value left its range, and what to do about it, for people.
#pragma once

#include <string>
#include <utility>

#include "paillier/error.h"
#include "protocols/channel.h"

namespace smlp {

/// What is computed at a place, of a layer: "the forward product of layer 1".
std::string tensor(const OperationId& operation);
/// " in step 3".
std::string in_step(const OperationId& operation, const std::string& unit = "step");
/// Both together: "the forward product of layer 1 in step 3". `unit` is what its steps are.
std::string describe(const OperationId& operation, const std::string& unit = "step");

/// What to try when training leaves its range. Options of smlp encrypt in brackets.
inline constexpr auto training_remedy =
    "lower --learning-rate, or encrypt the table anew with scaled features (--scaling) or more --value-bits";
/// What to try when a trained model leaves its range.
inline constexpr auto model_remedy =
    "encrypt the rows with the profile of the model's table (--profile); if they are, train the model with a "
    "lower --learning-rate, scaled features or more --value-bits";

/// The result of `action`. Where the key holder refuses a value out of range, throws Error with the place and
/// the remedy.
template <typename Action>
auto locating_ranges(const std::string& unit, const std::string& remedy, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const RangeRefusal& refusal) {
    throw Error("a value left its range, as " + describe(refusal.operation(), unit) + " shows: " + remedy);
  }
}

}  // namespace smlp
