// A table in the clear: numeric columns and, where there is one, a column of class names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/matrix.h"

namespace smlp {

struct Table {
  std::vector<std::string> columns;  ///< names of the features
  Matrix<double> values;             ///< rows x columns, finite
  std::string label_column;          ///< empty when there are no labels
  std::vector<std::string> labels;   ///< one class name a row, or empty

  std::size_t rows() const { return values.rows(); }
  bool has_labels() const { return !labels.empty(); }
};

/// The columns that a reader of queries expects: those of the owner's profile.
struct ExpectedColumns {
  std::vector<std::string> features;
  std::string label;  ///< may be absent from the table
};

/// Where a table comes from, and which of its columns are meant.
struct TableSource {
  std::filesystem::path data;                   ///< CSV with a header, or IDX images (also .gz)
  std::optional<std::filesystem::path> labels;  ///< IDX labels (also .gz); IDX only
  std::optional<std::string> label_column;      ///< CSV only; default the last, or that of `expected`
  std::optional<ExpectedColumns> expected;      ///< of a profile; features come out in its order
};

/// Reads CSV (mlp/csv.h) or IDX (mlp/idx.h), told apart by content: IDX and gzip files start with their magic
/// number. Throws Error naming the file, and row and column where there are some.
Table load_table(const TableSource& source);

/// The rows of a table at these indices, in this order.
Table take_rows(const Table& table, const std::vector<std::size_t>& indices);

/// Foreign text for an error message: in quotes, at most 40 bytes, on one line.
std::string in_quotes(std::string_view text);

}  // namespace smlp
