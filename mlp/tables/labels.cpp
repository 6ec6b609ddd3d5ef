// One column of a CSV table, or the labels of images.
#include "mlp/tables/labels.h"

#include <algorithm>
#include <utility>

#include "mlp/tables/columns.h"
#include "paillier/error.h"

namespace smlp {

std::vector<std::string> load_labels(const TableSource& source) {
  const std::string name = source.data.string();
  Input data(source.data);
  if (is_idx(source, data)) {
    Table table = load_idx_table(source, std::move(data));
    if (!table.has_labels()) throw Error(name + " has no labels; give the file of its labels with --labels");
    return std::move(table.labels);
  }
  CsvReader reader(data, source.format);
  std::vector<std::string> cells, labels;
  if (!reader.next(cells)) throw Error(name + " has no header and no rows");
  const ColumnRoles roles =
      source.format.header ? roles_by_header(cells, source) : roles_by_position(cells.size(), source);
  const auto label = static_cast<std::size_t>(std::ranges::find(roles.of_column, ColumnRoles::label) -
                                              roles.of_column.begin());
  const auto add = [&] {
    if (cells.size() != roles.of_column.size())
      throw Error(reader.where() + " has " + std::to_string(cells.size()) + " cells, the first line has " +
                  std::to_string(roles.of_column.size()));
    labels.push_back(std::move(cells[label]));
  };
  if (!source.format.header) add();
  while (reader.next(cells)) add();
  if (labels.empty()) throw Error(name + " has a header but no rows");
  return labels;
}

}  // namespace smlp
