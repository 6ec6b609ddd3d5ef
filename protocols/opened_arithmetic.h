// What the evaluator computes on opened values by itself: on terms, masks and constants (opened_rows.h). The
// key holder learns of it with the next request that brings the result (opened_values.h).
#pragma once

#include <cstddef>
#include <vector>

#include "protocols/opened_rows.h"

namespace smlp {

// All throw Error where shapes or records do not fit.
OpenedValue sum(const OpenedValue& a, const OpenedValue& b);
/// |factor| below 2^62 in all terms.
OpenedValue multiple(OpenedValue a, const Integer& factor);
/// x - b.
OpenedValue less(OpenedValue a, const IntegerMatrix& b);
/// [x | value .. value].
OpenedValue with_constant(const OpenedValue& a, const Integer& value);
/// `count` rows from `first` on; records are not cut.
OpenedValue part(const OpenedValue& a, std::size_t first, std::size_t count);
/// Under each other: of the same factors, at least one.
OpenedValue stacked_values(const std::vector<const OpenedValue*>& parts);

}  // namespace smlp
