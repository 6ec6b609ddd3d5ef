// The owner's profile: how columns are scaled and what the classes are called. It tells about the data
// (means, ranges), so it is never part of a file that a server sees.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/table.h"

namespace smlp {

enum class Scaling {
  standard,  ///< to mean 0 and standard deviation 1 (over the rows, divided by their number)
  min_max,   ///< to [0, 1]
  none,
};
std::string_view name(Scaling scaling);
/// "standard", "min-max", "none"; throws Error with this list.
Scaling scaling_from_name(std::string_view name);

inline constexpr std::size_t max_classes = 1024;

/// value -> (value - offset) * factor, column by column; a constant column has factor 0 (except with
/// Scaling::none).
struct Profile {
  Scaling scaling = Scaling::standard;
  std::vector<std::string> columns;
  std::string label_column;
  std::vector<double> offset;
  std::vector<double> factor;
  std::vector<std::string> classes;  ///< sorted: by value when all are numbers, else by bytes

  ExpectedColumns expected() const { return {columns, label_column}; }
  bool operator==(const Profile&) const = default;
};

/// Learns from a table with labels (the training part). Throws Error: no labels, one class only, more than
/// max_classes classes, a column whose range overflows a double.
Profile learn_profile(const Table& table, Scaling scaling);

/// The scaled features, rows x columns. Throws Error when the columns are not those of the profile.
Matrix<double> apply(const Profile& profile, const Table& table);

/// The class of each row as an index into profile.classes. Throws Error: no labels, or a class that the
/// profile does not know (row named).
std::vector<std::size_t> class_indices(const Profile& profile, const Table& table);

/// JSON with a checksum, mode 0600, written whole or not at all.
void save_profile(const Profile& profile, const std::filesystem::path& path);
/// Throws Error naming the file and the field.
Profile load_profile(const std::filesystem::path& path);

}  // namespace smlp
