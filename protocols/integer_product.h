// The plain product of integer matrices: the key holder's of masked values, the evaluator's of masks.
#pragma once

#include "protocols/matrix.h"

namespace smlp {

/// (m x k) (k x n) -> m x n over the integers, by NTL. Throws Error when the inner dimensions differ.
IntegerMatrix integer_product(const IntegerMatrix& a, const IntegerMatrix& b);

}  // namespace smlp
