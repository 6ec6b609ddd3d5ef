// Real numbers as signed fixed-point integers: v stands for v / 2^f.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocols/bit_budget.h"
#include "protocols/matrix.h"

namespace smlp {

/// The nearest integer to value * 2^f (halves away from zero). Throws Error naming `what` and the options
/// --scaling and
/// --value-bits unless it is finite and |result| < 2^(l-1).
Integer encode(double value, const Numbers& numbers, const std::string& what);
/// value / 2^f: exact to 53 bits, the rest truncated.
double decode(const Integer& value, const Numbers& numbers);

/// Cell by cell; an error names the row (from 1) and the column by `columns` (or its number where that is
/// empty).
IntegerMatrix encode(const Matrix<double>& values, const Numbers& numbers,
                     const std::vector<std::string>& columns = {});
/// Throws Error where encode() would; makes nothing, so that a table of any size can be checked.
void check_encodable(const Matrix<double>& values, const Numbers& numbers,
                     const std::vector<std::string>& columns = {});
Matrix<double> decode(const IntegerMatrix& values, const Numbers& numbers);

/// The same numbers in machine words: a value has at most 60 bits (Numbers::check).
using WordMatrix = Matrix<std::int64_t>;
WordMatrix in_words(const IntegerMatrix& values);
std::vector<WordMatrix> in_words(const std::vector<IntegerMatrix>& values);
IntegerMatrix as_integers(const WordMatrix& words);
std::vector<IntegerMatrix> as_integers(const std::vector<WordMatrix>& words);
Matrix<double> decode(const WordMatrix& words, const Numbers& numbers);

}  // namespace smlp
