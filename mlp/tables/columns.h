// What the columns of a CSV table are: features that are numbers, features that are text, the label, or
// nothing to the network.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mlp/tables/table.h"

namespace smlp {

/// The role of each column of a file.
struct ColumnRoles {
  static constexpr std::size_t label = static_cast<std::size_t>(-1);
  static constexpr std::size_t ignored = static_cast<std::size_t>(-2);
  std::vector<std::size_t> of_column;  ///< the number of the feature, or one of the above
  std::vector<std::string> features;
  std::string label_name;           ///< empty when there is none
  std::vector<std::string> header;  ///< every name, in the order of the file
  std::vector<std::string> notes;   ///< what the owner is to be told
};

/// Roles by the names in the first line, or by the profile (queries). Throws Error
/// naming the column: no name, two of one name, numbers where names belong, a column that is missing, that
/// nothing knows or that an option names and the file has not.
ColumnRoles roles_by_header(std::vector<std::string> header, const TableSource& source);
/// Roles without a header, for a file of `count` columns: column-1, column-2, ..; with a profile by position,
/// with or without its label.
ColumnRoles roles_by_position(std::size_t count, const TableSource& source);

}  // namespace smlp
