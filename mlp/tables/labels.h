// The labels of a table alone: what answers are scored against.
#pragma once

#include <string>
#include <vector>

#include "mlp/tables/table.h"

namespace smlp {

/// The label of every row of a table, in its order, as it stands there: also empty. Other columns are not
/// read, so they may hold anything. `source` is one without a profile (no source.expected). Throws Error
/// naming the file: what the readers of tables refuse, a table without labels.
std::vector<std::string> load_labels(const TableSource& source);

}  // namespace smlp
