// A table in the clear: columns of numbers or text and, where there is one, a column of class names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/tables/csv.h"
#include "mlp/task.h"
#include "paillier/keys.h"
#include "protocols/matrix.h"

namespace smlp {

/// What becomes of a missing value: an error, the mean of its column, or the row is left out.
enum class Missing { refuse, mean, drop };
std::string_view name(Missing missing);
/// "refuse", "mean", "drop"; throws Error with this list.
Missing missing_from_name(std::string_view name);

/// The texts of each text column; by name.
using Levels = std::map<std::string, std::vector<std::string>>;

struct Table {
  std::vector<std::string> columns;  ///< names of the features
  Matrix<double> values;             ///< rows x columns: finite, or NaN where missing; of a text column the
                                     ///< number of its level
  std::string label_column;          ///< empty when there are no labels
  std::vector<std::string> labels;   ///< one class name a row, or empty; with regression a number, in the
                                     ///< shortest text that reads back as the same double
  Levels levels = {};                ///< in the order of the rows
  std::vector<std::string> header = {};     ///< every column of the file, the label and ignored ones too
  std::vector<std::size_t> file_rows = {};  ///< of each row that of the file, from 1; empty: all, in order
  std::vector<std::string> notes = {};      ///< sentences for the owner
  Task task = Task::classification;

  std::size_t rows() const { return values.rows(); }
  bool has_labels() const { return !labels.empty(); }
  /// "row 7", counted as in the file.
  std::string row_name(std::size_t row) const;
};

/// The columns that a reader of queries expects: those of the owner's profile.
struct ExpectedColumns {
  std::vector<std::string> features;
  std::string label;                     ///< may be absent from the table
  Levels levels = {};                    ///< of the columns that are text
  std::vector<std::string> header = {};  ///< of the profile's table: columns beside these are refused
};

/// Which columns count, and how they are read.
struct ColumnChoice {
  enum class Text { automatic, named, refused };
  std::vector<std::string> ignored;
  std::vector<std::string> columns;  ///< the features; empty: all
  Text text = Text::automatic;       ///< columns of text: those without a number, these, or none
  std::vector<std::string> text_columns;
  Missing missing = Missing::refuse;
};

/// Where a table comes from, and which of its columns are meant.
struct TableSource {
  std::filesystem::path data;                   ///< CSV, or IDX images (also .gz)
  std::optional<std::filesystem::path> labels;  ///< IDX labels (also .gz); IDX only
  std::optional<std::string> label_column;      ///< CSV only; default the last, or that of `expected`
  std::optional<ExpectedColumns> expected;      ///< of a profile; features come out in its order
  CsvFormat format = {};
  ColumnChoice choice = {};
  Task task = Task::classification;
};

/// Reads CSV (mlp/tables/csv_table.h) or IDX (mlp/tables/idx.h), told apart by content: IDX starts with its
/// magic number. Each input is opened and read once. Throws Error naming the file, and row and column where
/// there are some.
Table load_table(const TableSource& source);
/// Whether an input, at its start, is IDX.
bool is_idx(const TableSource& source, Input& data);
/// The part of load_table for IDX. Throws Error as it does, also where an option is for CSV alone.
Table load_idx_table(const TableSource& source, Input data);

/// SHA-256 of names, values and labels: tells two tables apart, however they were stored.
Fingerprint digest(const Table& table);

/// The rows of a table at these indices, in this order.
Table take_rows(const Table& table, const std::vector<std::size_t>& indices);

/// Foreign text for an error message: in quotes, at most 40 bytes, on one line.
std::string in_quotes(std::string_view text);

}  // namespace smlp
