// What a table may not have been meant to hold: nothing here is an error, all of it is told.
#pragma once

#include <string>
#include <vector>

#include "mlp/tables/profile.h"
#include "mlp/tables/table.h"
#include "protocols/bit_budget.h"

namespace smlp {

/// Sentences about a table that `profile` was learnt from: classes that differ in case,
/// spaces or `.0` alone; a class for nearly every row; features that the fixed-point numbers round to one
/// value, with the remedies that help there.
std::vector<std::string> suspicions(const Table& table, const Profile& profile, const Numbers& numbers);

}  // namespace smlp
