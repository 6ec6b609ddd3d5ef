// Rows of cells to rows of values.
#include "mlp/tables/csv_table.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "mlp/tables/cells.h"
#include "mlp/tables/columns.h"
#include "mlp/text.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

/// One feature: what its cells are, and the texts seen in it.
struct Column {
  enum class Kind { undecided, number, text };
  Kind kind = Kind::undecided;
  std::unordered_map<std::string, std::size_t> numbers;  ///< of levels
  std::vector<std::string> levels;
};

/// A cell that cannot be read, as the end of a sentence.
struct Unreadable {
  std::string why;
};

class TableBuilder {
 public:
  TableBuilder(ColumnRoles roles, const TableSource& source)
      : roles_(std::move(roles)), source_(source), columns_(roles_.features.size()) {
    for (std::size_t j = 0; j < columns_.size(); ++j) columns_[j].kind = first_kind(roles_.features[j]);
  }

  /// `where` names the row for messages.
  void add(const std::vector<std::string>& cells, const std::string& where) {
    ++rows_;
    if (cells.size() != roles_.of_column.size())
      throw Error(where + " has " + std::to_string(cells.size()) + " cells, " +
                  (source_.format.header ? "the header" : "the first row") + " has " +
                  std::to_string(roles_.of_column.size()) +
                  (cells.front().starts_with('#') ? "; lines of comments are to be taken out" : ""));
    const std::size_t start = values_.size();
    values_.resize(start + columns_.size());
    new_levels_.clear();
    bool whole = true;
    bool has_label = false;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::size_t role = roles_.of_column[i];
      if (role == ColumnRoles::ignored) continue;
      try {
        if (role == ColumnRoles::label) {
          whole = read_label(cells[i]) && whole;
          has_label = true;
        } else {
          whole = read(cells[i], columns_[role], values_[start + role], roles_.features[role]) && whole;
        }
      } catch (const Unreadable& problem) {
        throw Error(where + ", column " + in_quotes(roles_.header[i]) + " " + problem.why);
      }
    }
    if (!whole && source_.choice.missing == Missing::drop) {
      values_.resize(start);
      for (Column* column : new_levels_) {
        column->numbers.erase(column->levels.back());
        column->levels.pop_back();
      }
      return;
    }
    require_few_levels(where);
    file_rows_.push_back(rows_);
    if (has_label) labels_.push_back(label_);
  }

  Table finish() && {
    const std::string name = source_.data.string();
    if (rows_ == 0) throw Error(name + " has a header but no rows");
    if (file_rows_.empty())
      throw Error(name + " has a missing value in each of its " + std::to_string(rows_) +
                  " rows; --missing mean keeps them");
    Table table;
    table.notes = std::move(roles_.notes);
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      Column& column = columns_[j];
      const std::string feature = name + ": column " + in_quotes(roles_.features[j]);
      if (column.kind == Column::Kind::undecided)
        throw Error(feature + " has no value in any row; --ignore leaves it out");
      if (column.kind == Column::Kind::number) continue;
      if (is_surprising(column))
        throw Error(feature + " is text and has " + std::to_string(column.levels.size()) +
                    " different values in " + std::to_string(file_rows_.size()) +
                    " rows; --ignore leaves it out, --categorical takes it");
      if (!source_.expected)
        table.notes.push_back(feature + " is text: each of its " + std::to_string(column.levels.size()) +
                              " values becomes a feature");
      table.levels.emplace(roles_.features[j], std::move(column.levels));
    }
    table.columns = std::move(roles_.features);
    table.values = Matrix<double>(file_rows_.size(), columns_.size());
    table.values.cells() = std::move(values_);
    table.task = source_.task;
    table.label_column = std::move(roles_.label_name);
    table.labels = std::move(labels_);
    table.header = std::move(roles_.header);
    std::erase(table.header, "");
    if (file_rows_.size() < rows_) {
      table.notes.push_back(name + ": " + std::to_string(rows_ - file_rows_.size()) + " of " +
                            std::to_string(rows_) + " rows have a missing value and are left out");
      table.file_rows = std::move(file_rows_);
    }
    return table;
  }

 private:
  Column::Kind first_kind(const std::string& feature) const {
    const ColumnChoice& choice = source_.choice;
    if (source_.expected)
      return source_.expected->levels.contains(feature) ? Column::Kind::text : Column::Kind::number;
    if (choice.text == ColumnChoice::Text::automatic) return Column::Kind::undecided;
    return std::ranges::find(choice.text_columns, feature) != choice.text_columns.end()
               ? Column::Kind::text
               : Column::Kind::number;
  }

  /// Names, dates, identifiers: nothing that a network learns from.
  bool is_surprising(const Column& column) const {
    constexpr std::size_t usual = 16;
    return !source_.expected && source_.choice.text == ColumnChoice::Text::automatic &&
           column.levels.size() > usual && 2 * column.levels.size() > file_rows_.size();
  }

  /// Each text becomes a feature; those that queries add to a profile's become none.
  void require_few_levels(const std::string& where) const {
    for (const Column* column : new_levels_)
      if (!source_.expected && column->levels.size() > max_levels)
        throw Error(where + ", column " +
                    in_quotes(roles_.features[static_cast<std::size_t>(column - columns_.data())]) +
                    " has more than " + std::to_string(max_levels) +
                    " different texts up to this row; --ignore leaves it out");
  }

  /// False where it is missing.
  bool read_label(const std::string& cell) {
    label_ = cell;
    const bool number = source_.task == Task::regression;
    if (!source_.expected && (number ? is_missing(cell) : is_missing_label(cell))) {
      if (source_.choice.missing == Missing::drop) return false;
      throw Unreadable{(cell.empty() ? "is empty" : "is " + in_quotes(cell)) +
                       (number ? ", a number" : ", a class name") +
                       " is needed; --missing drop leaves such rows out"};
    }
    if (!number) return true;
    if (const auto value = number_in(cell, source_.format.decimal))
      label_ = shortest_text(*value);
    else if (!source_.expected)
      throw Unreadable{why_no_number(cell, source_.format.decimal) +
                       "; --task regression learns numbers, --label names another column"};
    return true;
  }

  /// False where it is missing.
  bool read(const std::string& cell, Column& column, double& value, const std::string& name) {
    if (is_missing(cell)) {
      if (source_.choice.missing == Missing::refuse) throw Unreadable{why_missing(cell)};
      value = missing_value;
      return false;
    }
    if (column.kind != Column::Kind::text) {
      const std::optional<double> number = number_in(cell, source_.format.decimal);
      if (!number && column.kind == Column::Kind::undecided && may_be_text(cell)) {
        column.kind = Column::Kind::text;
      } else if (!number) {
        throw Unreadable{why_no_number(cell, source_.format.decimal) + text_remedy(name)};
      } else {
        column.kind = Column::Kind::number;
        value = *number;
        return true;
      }
    } else if (source_.choice.text == ColumnChoice::Text::automatic && !source_.expected &&
               number_in(cell, source_.format.decimal)) {
      throw Unreadable{"is " + in_quotes(cell) + ", a number in a column of text" + text_remedy(name)};
    }
    value = static_cast<double>(level(cell, column));
    return true;
  }

  std::string why_missing(const std::string& cell) const {
    const std::string is =
        cell.empty() ? "is empty" : "is " + in_quotes(cell) + ", which stands for no value";
    if (source_.expected)
      return is + "; the profile has no means to fill it in: it was learnt without --missing mean";
    return is + "; --missing mean fills in the mean of the column, --missing drop leaves the row out";
  }

  std::string text_remedy(const std::string& name) const {
    if (source_.expected) return "";
    return "; --categorical " + list_argument(name) + " takes the whole column as text, --ignore " +
           list_argument(name) + " leaves it out";
  }

  /// Numbers written in another way, and those out of range, are no text.
  bool may_be_text(const std::string& cell) const {
    return why_no_number(cell, source_.format.decimal).ends_with("not a number");
  }

  std::size_t level(const std::string& cell, Column& column) {
    const auto [place, inserted] = column.numbers.emplace(cell, column.levels.size());
    if (inserted) {
      column.levels.push_back(cell);
      new_levels_.push_back(&column);
    }
    return place->second;
  }

  ColumnRoles roles_;
  const TableSource& source_;
  std::vector<Column> columns_;
  std::vector<Column*> new_levels_;  ///< those that the row at hand gave a level
  std::vector<double> values_;
  std::vector<std::string> labels_;
  std::string label_;  ///< of the row at hand
  std::vector<std::size_t> file_rows_;
  std::size_t rows_ = 0;
};

}  // namespace

Table load_csv(Input input, const TableSource& source) {
  CsvReader reader(input, source.format);
  std::vector<std::string> cells;
  if (!reader.next(cells)) throw Error(input.name() + " has no header and no rows");
  TableBuilder table(
      source.format.header ? roles_by_header(cells, source) : roles_by_position(cells.size(), source),
      source);
  if (!source.format.header) table.add(cells, reader.where());
  while (reader.next(cells)) table.add(cells, reader.where());
  return std::move(table).finish();
}

}  // namespace smlp
