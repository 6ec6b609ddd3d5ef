// What stands in one cell of a CSV table.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smlp {

/// Whether the cell stands for no value: empty, ?, NA, N/A, NaN, null or None, in upper or lower case.
bool is_missing(std::string_view cell);
/// Whether a cell of the label column names no class: empty or ?. Words are names: a class may well be called
/// None or NA.
bool is_missing_label(std::string_view cell);
/// The finite number in the cell; True is 1 and False is 0. `decimal` is its point, '.' or ','. None for
/// other text.
std::optional<double> number_in(std::string_view cell, char decimal);
/// Why number_in() gives none, with the cell and with a remedy where one is known, to stand behind the name
/// of the column: "is 'x', not a number".
std::string why_no_number(std::string_view cell, char decimal);

}  // namespace smlp
