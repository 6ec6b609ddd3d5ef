// Reads tables from CSV files: a header, numeric columns, one column of class names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "mlp/table.h"

namespace smlp {

/// Reads a CSV file. Cells are separated by commas, may stand in double quotes (doubled inside), and end with
/// LF or CRLF; a UTF-8 byte order mark and blank lines at the end are ignored. Numbers have a point whatever
/// the locale.
///
/// Without `expected` (training): the label is `label_column`, by default the last column; all others are
/// features. With `expected` (queries): its features must all be there, in any order, and come out in its
/// order. The label is `label_column` where given (then it must be there), else expected->label, which may be
/// absent. No other column is allowed.
///
/// Throws Error naming the file, the row (1 is the first below the header) and the column: no such file,
/// empty file, header only, ragged row, text where a number belongs, a number that is not finite or out of
/// range, empty or duplicate column name, missing or unexpected column, a line of more than 1 MiB.
Table load_csv(const std::filesystem::path& path, const std::optional<std::string>& label_column,
               const ExpectedColumns* expected = nullptr);

}  // namespace smlp
