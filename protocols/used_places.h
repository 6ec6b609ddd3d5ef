// An address is drawn from once: what an evaluator has drawn, and the refusal of a second time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>

#include "protocols/operation_id.h"

namespace smlp {

/// Steps only go up, so of those that are over nothing is kept but that they are: memory is that of one step,
/// about 80 bytes a place and kind. What lasts (Direction::lasting) is kept to the end. Thread-safe.
class UsedOperations {
 public:
  /// Throws Error where this kind was drawn at this place before, or the place is in a step that is over.
  void use(const OperationId& operation, RandomnessKind kind);
  /// OperationIds and kinds that are kept.
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::uint32_t step_ = 0;
  std::set<Address> of_step_, lasting_;
};

}  // namespace smlp
