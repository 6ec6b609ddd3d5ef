// CSV as text: bytes to rows of cells. What the columns mean is columns.h's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/tables/input.h"

namespace smlp {

/// How a table is written.
struct CsvFormat {
  /// Between cells; ' ' stands for any run of spaces and tabs. None: what a first line `sep=;` says, else a
  /// comma.
  std::optional<char> separator = {};
  char decimal = '.';  ///< '.' or ','
  bool header = true;  ///< the first line names the columns
};

/// A character, or one of comma, semicolon, tab, space, pipe. Throws Error with this list.
char separator_from_name(std::string_view name);
/// "." or ",". Throws Error.
char decimal_from_name(std::string_view name);
/// "commas", "semicolons", .. for messages.
std::string plural_name(char separator);

/// Names with commas between them, in double quotes (doubled inside) where they hold a comma or a quote.
/// Throws Error naming `option` for an empty one.
std::vector<std::string> names_from_list(std::string_view list, const std::string& option);
/// A name as one argument of a shell that names_from_list reads as this name, for remedies.
std::string list_argument(std::string_view name);

/// Reads rows of cells. Cells may stand in double quotes (doubled inside), which keep separators and line
/// ends; spaces around a cell are left out. Lines end with LF, CRLF or CR. A UTF-8 byte order mark and blank
/// lines at the end are ignored.
class CsvReader {
 public:
  /// Throws Error naming the file: UTF-16, a workbook or another binary file, and a first line that this
  /// separator does not cut but another one does (which is named).
  CsvReader(Input& input, const CsvFormat& format);

  /// The cells of the next row. False at the end. Throws Error naming the file and the row: an open quote,
  /// text behind a closing one, text that is not UTF-8, a blank line between rows, more than longest_row
  /// bytes.
  bool next(std::vector<std::string>& cells);
  /// The row that next() gave, for messages: "FILE: header", then "FILE: row 1".
  std::string where() const;

  static constexpr std::size_t longest_row = std::size_t{1} << 20;

 private:
  enum class End { cell, row, input };
  End read_cell(std::string& cell);
  void read_quoted(std::string& cell);
  int take();
  bool is_blank(int c) const { return c == ' ' || (c == '\t' && separator_ != '\t'); }
  bool ends_cell(int c) const {
    return c < 0 || c == '\n' || c == '\r' || (separator_ == ' ' ? is_blank(c) : c == separator_);
  }
  End end_of(int c);
  [[noreturn]] void fail(const std::string& problem) const;

  Input& input_;
  char separator_;
  bool header_;
  std::size_t rows_ = 0;   ///< given so far, with the header
  std::size_t cell_ = 0;   ///< of the row, from 1
  std::size_t bytes_ = 0;  ///< of the row
  std::size_t line_ = 1;
  std::string first_blank_;  ///< where() of it
  bool quoted_ = false;      ///< the last cell
};

}  // namespace smlp
