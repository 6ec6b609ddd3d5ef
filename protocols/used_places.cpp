// The guard of the evaluator's addresses.
#include "protocols/used_places.h"

#include <string>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr auto remedy = "; give every training and every classification a session of its own";

std::uint64_t packed(const Place& place, Draw kind) {
  return std::uint64_t{place.step} << 32 | std::uint64_t{place.layer} << 24 |
         std::uint64_t{static_cast<std::uint8_t>(place.direction)} << 16 | std::uint64_t{place.tile} << 8 |
         static_cast<std::uint8_t>(kind);
}

std::string described(const Place& place, Draw kind) {
  return "step " + std::to_string(place.step) + ", layer " + std::to_string(place.layer) + ", direction " +
         std::to_string(static_cast<int>(place.direction)) + ", tile " + std::to_string(place.tile) +
         ", kind " + std::to_string(static_cast<int>(kind));
}

}  // namespace

void UsedPlaces::use(const Place& place, Draw kind) {
  const std::lock_guard lock(mutex_);
  const bool lasts = place.direction == Direction::lasting;
  if (!lasts && place.step < step_)
    throw Error("randomness of step " + std::to_string(place.step) + " was asked for at step " +
                std::to_string(step_) + ", but steps only go up" + remedy);
  if (!lasts && place.step > step_) {
    step_ = place.step;
    of_step_.clear();
  }
  if (!(lasts ? lasting_ : of_step_).insert(packed(place, kind)).second)
    throw Error("the randomness of " + described(place, kind) + " is used already and would hide two values" +
                remedy);
}

std::size_t UsedPlaces::size() const {
  const std::lock_guard lock(mutex_);
  return of_step_.size() + lasting_.size();
}

}  // namespace smlp
