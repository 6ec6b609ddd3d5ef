// Reads tables from CSV: rows and cells (csv.h) with the meaning of their columns (columns.h, cells.h).
#pragma once

#include "mlp/tables/input.h"
#include "mlp/tables/table.h"

namespace smlp {

/// Texts that one column may have, where each becomes a feature.
inline constexpr std::size_t max_levels = 1024;

/// Reads a CSV table, once, row by row.
///
/// Without source.expected (training): the label is source.label_column, by default the last column; others
/// are features. A feature is text where its first value is no number (or source.choice names it), else all
/// its values are numbers. With source.expected (queries): its features must all be there, in any order, and
/// come out in its order; labels are taken as they are, also empty ones. With regression labels are numbers,
/// but for those of queries. A row with a missing value is an
/// error, has NaN there, or is left out (source.choice.missing).
///
/// Throws Error naming the file, the row (1 is the first below the header) and the column: what csv.h and
/// columns.h refuse, no rows, a ragged row, a value that is missing, not of its column's kind, not finite or
/// out of range, more than max_levels texts in a column of a table that is learnt from.
Table load_csv(Input input, const TableSource& source);

}  // namespace smlp
