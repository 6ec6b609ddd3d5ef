// Tables: choice of the reader, rows, text for messages.
#include "mlp/tables/table.h"

#include <utility>

#include "mlp/sha256.h"
#include "mlp/tables/csv_table.h"
#include "mlp/tables/idx.h"
#include "paillier/error.h"

namespace smlp {

std::string_view name(Missing missing) {
  switch (missing) {
    case Missing::refuse:
      return "refuse";
    case Missing::mean:
      return "mean";
    case Missing::drop:
      return "drop";
  }
  throw Error("a treatment of missing values has no name");
}

Missing missing_from_name(std::string_view text) {
  for (const Missing missing : {Missing::refuse, Missing::mean, Missing::drop})
    if (text == name(missing)) return missing;
  throw Error("--missing is " + in_quotes(text) + ", allowed are refuse, mean, drop");
}

std::string Table::row_name(std::size_t row) const {
  return "row " + std::to_string(row < file_rows.size() ? file_rows[row] : row + 1);
}

namespace {

/// Images have no names, no text and no separators; options about them would be ignored.
void refuse_csv_options(const TableSource& source) {
  const auto refuse = [&](bool given, const char* option) {
    if (given)
      throw Error(source.data.string() + " is no CSV table: leave " + option +
                  " out, which is for CSV alone");
  };
  const ColumnChoice& choice = source.choice;
  refuse(!choice.columns.empty(), "--columns");
  refuse(!choice.ignored.empty(), "--ignore");
  refuse(choice.text != ColumnChoice::Text::automatic, "--categorical");
  refuse(source.format.separator.has_value(), "--separator");
  refuse(source.format.decimal != '.', "--decimal");
  refuse(!source.format.header, "--no-header");
}

}  // namespace

bool is_idx(const TableSource& source, Input& data) {
  // No text starts with two zero bytes.
  return source.labels || data.peek(2) == std::string_view("\0\0", 2);
}

Table load_table(const TableSource& source) {
  Input data(source.data);
  return is_idx(source, data) ? load_idx_table(source, std::move(data)) : load_csv(std::move(data), source);
}

Table load_idx_table(const TableSource& source, Input data) {
  if (source.label_column)
    throw Error(source.data.string() + " is no CSV table: it has no column " +
                in_quotes(*source.label_column) + " for --label; give the file of its labels with --labels");
  refuse_csv_options(source);
  std::optional<Input> labels;
  if (source.labels) labels.emplace(*source.labels);
  Table table = load_idx(std::move(data), std::move(labels));
  table.task = source.task;
  if (source.expected && source.expected->features != table.columns)
    throw Error(source.data.string() + " has " + std::to_string(table.columns.size()) +
                " pixels an image, the profile has " + std::to_string(source.expected->features.size()) +
                " columns of its own names");
  return table;
}

Table take_rows(const Table& table, const std::vector<std::size_t>& indices) {
  Table out{table.columns, Matrix<double>(indices.size(), table.values.cols()), table.label_column, {}};
  out.levels = table.levels;
  out.header = table.header;
  out.task = table.task;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= table.rows())
      throw Error("row " + std::to_string(indices[i]) + " is not in a table of " +
                  std::to_string(table.rows()) + " rows");
    for (std::size_t j = 0; j < table.values.cols(); ++j) out.values(i, j) = table.values(indices[i], j);
    if (table.has_labels()) out.labels.push_back(table.labels[indices[i]]);
    out.file_rows.push_back(table.file_rows.empty() ? indices[i] + 1 : table.file_rows[indices[i]]);
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string out = "'";
  for (const char c : text.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  // Half a UTF-8 character at the cut would spoil the line.
  if (text.size() > longest) {
    while (out.size() > 1 && (static_cast<unsigned char>(out.back()) & 0x80) != 0) out.pop_back();
    out += "..";
  }
  return out + "'";
}

Fingerprint digest(const Table& table) {
  Sha256 hash;
  hash.add(std::string_view("smlp-table 1"));
  hash.add(std::uint64_t{table.columns.size()});
  for (const std::string& name : table.columns) hash.add_counted(name);
  hash.add_counted(table.label_column);
  hash.add(std::uint64_t{table.rows()});
  if (table.levels.empty()) hash.add(table.values.cells());
  for (std::size_t i = 0; !table.levels.empty() && i < table.rows(); ++i)
    for (std::size_t j = 0; j < table.columns.size(); ++j) {
      const double value = table.values(i, j);
      const auto texts = table.levels.find(table.columns[j]);
      if (texts == table.levels.end())
        hash.add(std::vector<double>{value});
      else  // the numbers of levels differ from reading to reading
        hash.add_counted(value >= 0 && value < static_cast<double>(texts->second.size())
                             ? texts->second[static_cast<std::size_t>(value)]
                             : std::string());
    }
  hash.add(std::uint64_t{table.labels.size()});
  for (const std::string& label : table.labels) hash.add_counted(label);
  return hash.value();
}

}  // namespace smlp
