// Tables: choice of the reader, rows, text for messages.
#include "mlp/table.h"

#include <array>
#include <fstream>

#include "mlp/csv.h"
#include "mlp/idx.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// IDX starts with two zero bytes, gzip with 1f 8b; no text table starts with either.
bool starts_like_idx(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 2> start{};
  if (!file.read(start.data(), start.size())) return false;
  return start == std::array<char, 2>{'\0', '\0'} || start == std::array<char, 2>{'\x1f', '\x8b'};
}

}  // namespace

Table load_table(const TableSource& source) {
  if (!source.labels && !starts_like_idx(source.data))
    return load_csv(source.data, source.label_column, source.expected ? &*source.expected : nullptr);
  if (source.label_column)
    throw Error(source.data.string() + " is no CSV table: it has no column " +
                in_quotes(*source.label_column) + " for --label; give the file of its labels with --labels");
  Table table = load_idx(source.data, source.labels);
  if (source.expected && source.expected->features != table.columns)
    throw Error(source.data.string() + " has " + std::to_string(table.columns.size()) +
                " pixels an image, the profile has " + std::to_string(source.expected->features.size()) +
                " columns of its own names");
  return table;
}

Table take_rows(const Table& table, const std::vector<std::size_t>& indices) {
  Table out{table.columns, Matrix<double>(indices.size(), table.values.cols()), table.label_column, {}};
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= table.rows())
      throw Error("row " + std::to_string(indices[i]) + " is not in a table of " +
                  std::to_string(table.rows()) + " rows");
    for (std::size_t j = 0; j < table.values.cols(); ++j) out.values(i, j) = table.values(indices[i], j);
    if (table.has_labels()) out.labels.push_back(table.labels[indices[i]]);
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

}  // namespace smlp
