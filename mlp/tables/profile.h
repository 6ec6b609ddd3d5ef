// The owner's profile: what becomes of each column of a table, how features are scaled, and what the classes
// are called or how the numbers to learn are scaled. It tells about the data (means, ranges), so it is never
// part of a file that a server sees.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mlp/tables/table.h"
#include "paillier/keys.h"

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

/// A column of numbers is one feature; a column of text is one for each of its levels, 1 in the rows that
/// have it. value -> (value - offset) * factor, feature by feature; a constant column has factor 0 (except
/// with Scaling::none), and levels are not scaled.
struct Profile {
  Scaling scaling = Scaling::standard;
  std::vector<std::string> columns;
  std::string label_column;
  std::vector<double> offset;        ///< a feature each
  std::vector<double> factor;        ///< a feature each
  std::vector<std::string> classes;  ///< sorted: by value when all are numbers, else by bytes
  Levels levels = {};                ///< of the columns that are text; sorted
  Missing missing = Missing::refuse;
  std::vector<double> means = {};        ///< a feature each, with Missing::mean; else empty
  std::vector<std::string> header = {};  ///< every column of the table that it was learnt from, in its order
  Task task = Task::classification;
  /// With regression, of the label: it is learnt as (label - label_offset) * label_factor, of mean 0 and
  /// standard deviation 1. `classes` is empty then.
  double label_offset = 0, label_factor = 1;
  std::string table = {};  ///< digest() of the table that it was learnt from, 64 hexadecimal digits
  std::string salt = {};   ///< random, of as many: makes the fingerprint tell nothing

  /// "age", and "colour=red" for a level.
  std::vector<std::string> features() const;
  /// Classes, or 1 with regression.
  std::size_t outputs() const { return task == Task::classification ? classes.size() : 1; }
  /// A label of which so much was learnt, in its own units.
  double label_of(double scaled) const { return scaled / label_factor + label_offset; }
  ExpectedColumns expected() const { return {columns, label_column, levels, header}; }
  bool operator==(const Profile&) const = default;
};

/// Learns from a table with labels (the training part), from the values that are not missing. Throws Error:
/// no labels, one class or number only, more than max_classes classes, a column whose range overflows a
/// double or that has no value.
Profile learn_profile(const Table& table, Scaling scaling, Missing missing = Missing::refuse);

/// The scaled features, rows x features. A missing value takes the mean of its feature; a text that the
/// profile does not know is 0 in all levels. Throws Error: the columns are not those of the profile, or a
/// value is missing and the profile has no means.
Matrix<double> apply(const Profile& profile, const Table& table);
/// A sentence for each column with texts that the profile does not know.
std::vector<std::string> unknown_texts(const Profile& profile, const Table& table);

/// The class of each row as an index into profile.classes. Throws Error: no labels, or a class that the
/// profile does not know (row named).
std::vector<std::size_t> class_indices(const Profile& profile, const Table& table);
/// With regression the scaled label of each row. Throws Error: no labels, or one that is no number (row
/// named).
std::vector<double> scaled_labels(const Profile& profile, const Table& table);
/// Where a table has labels that the profile does not know, that are no numbers (regression) or empty, the
/// first of them as a sentence.
std::optional<std::string> unknown_label(const Profile& profile, const Table& table);

/// Names a profile in the files that servers have: SHA-256 over all of it. Who does not know its salt can
/// test no guess of a mean or a range by it.
Fingerprint fingerprint(const Profile& profile);

/// JSON with a checksum, mode 0600, written whole or not at all.
void save_profile(const Profile& profile, const std::filesystem::path& path);
/// Throws Error naming the file and the field.
Profile load_profile(const std::filesystem::path& path);

}  // namespace smlp
