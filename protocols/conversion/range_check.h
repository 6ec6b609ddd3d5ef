// Whether every value that was compared stood in its range: one bit, in one round trip.
#pragma once

#include <functional>

#include "protocols/evaluator.h"

namespace smlp {

/// Opens the evaluator's evidence, all of it together, and empties it; without any does nothing. Throws
/// RangeRefusal where a value was outside [-2^(L-1), 2^(L-1)); misses one with probability 2^-sigma at most.
void check_ranges(const Evaluator& evaluator, const OperationId& operation);
/// The same, of which the request may wait for the next one (protocols/call.h): what is returned throws, and
/// is called once.
std::function<void()> check_ranges_later(const Evaluator& evaluator, const OperationId& operation);

}  // namespace smlp
