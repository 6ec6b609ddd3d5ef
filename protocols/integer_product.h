// The plain product of integer matrices: the key holder's of masked values, the evaluator's of masks.
#pragma once

#include "protocols/matrix.h"

namespace smlp {

/// Throws Error naming both shapes when the inner dimensions of a product differ.
void check_inner_dimensions(std::size_t a_rows, std::size_t a_cols, std::size_t b_rows, std::size_t b_cols);

/// (m x k) (k x n) -> m x n over the integers: in machine words where all factors are below 2^63 in size,
/// else by NTL. Parallel over rows. Throws Error when the inner dimensions differ.
IntegerMatrix integer_product(const IntegerMatrix& a, const IntegerMatrix& b);

}  // namespace smlp
