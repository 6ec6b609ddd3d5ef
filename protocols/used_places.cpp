// The guard of the evaluator's addresses.
#include "protocols/used_places.h"

#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr auto remedy = "; give every training and every classification a session of its own";

std::string described(const OperationId& operation, RandomnessKind kind) {
  return "step " + std::to_string(operation.step) + ", layer " + std::to_string(operation.layer) +
         ", direction " + std::to_string(static_cast<int>(operation.direction)) + ", tile " +
         std::to_string(operation.tile) + ", kind " + std::to_string(static_cast<int>(kind));
}

}  // namespace

void UsedOperations::use(const OperationId& operation, RandomnessKind kind) {
  const std::lock_guard lock(mutex_);
  const bool lasts = operation.direction == Direction::lasting;
  if (!lasts && operation.step < step_)
    throw Error("randomness of step " + std::to_string(operation.step) + " was asked for at step " +
                std::to_string(step_) + ", but steps only go up" + remedy);
  if (!lasts && operation.step > step_) {
    step_ = operation.step;
    of_step_.clear();
  }
  if (!(lasts ? lasting_ : of_step_).insert(operation.address(kind)).second)
    throw Error("the randomness of " + described(operation, kind) +
                " is used already and would hide two values" + remedy);
}

std::size_t UsedOperations::size() const {
  const std::lock_guard lock(mutex_);
  return of_step_.size() + lasting_.size();
}

}  // namespace smlp
