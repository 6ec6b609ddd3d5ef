// Scaling and class names.
#include "mlp/tables/profile.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "paillier/error.h"
#include "paillier/random.h"

namespace smlp {

namespace {

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::vector<std::string> sorted_classes(const std::vector<std::string>& labels) {
  const std::set<std::string> names(labels.begin(), labels.end());
  std::vector<std::string> classes(names.begin(), names.end());
  if (std::ranges::all_of(classes, [](const std::string& name) { return as_number(name).has_value(); }))
    std::ranges::stable_sort(classes, {}, [](const std::string& name) { return *as_number(name); });
  return classes;
}

/// Of the values of one column that are there.
struct Statistics {
  std::size_t count = 0;
  double low = 0, high = 0;
  double mean = 0, deviation = 0;  ///< the mean about the first value, so that large offsets cost no digits
};

Statistics statistics(const Matrix<double>& values, std::size_t column) {
  Statistics out;
  double first = 0, sum = 0;
  const auto each = [&](auto&& use) {
    for (std::size_t i = 0; i < values.rows(); ++i)
      if (!std::isnan(values(i, column))) use(values(i, column));
  };
  each([&](double value) {
    if (out.count++ == 0) first = out.low = out.high = value;
    out.low = std::min(out.low, value);
    out.high = std::max(out.high, value);
    sum += value - first;
  });
  const auto count = static_cast<double>(out.count);
  out.mean = first + sum / count;
  double squares = 0;
  each([&](double value) { squares += std::pow(value - out.mean, 2); });
  out.deviation = std::sqrt(squares / count);
  return out;
}

/// How often each level of a text column is there, in the order of table.levels.
std::vector<std::size_t> level_counts(const Table& table, std::size_t column) {
  std::vector<std::size_t> counts(table.levels.at(table.columns[column]).size());
  for (std::size_t i = 0; i < table.rows(); ++i)
    if (!std::isnan(table.values(i, column))) ++counts[static_cast<std::size_t>(table.values(i, column))];
  return counts;
}

/// The scale of the numbers that are learnt.
void learn_label(Profile& profile, const Table& table) {
  const std::string column = "the label column " + in_quotes(table.label_column);
  Matrix<double> labels(table.rows(), 1);
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto value = as_number(table.labels[i]);
    if (!value)
      throw Error(table.row_name(i) + ", " + column + " is " + in_quotes(table.labels[i]) + ", not a number");
    labels(i, 0) = *value;
  }
  const Statistics all = statistics(labels, 0);
  if (all.low == all.high)
    throw Error(column + " has one number only, " + in_quotes(table.labels.front()) +
                "; there is nothing to learn");
  profile.label_offset = all.mean;
  profile.label_factor = 1 / all.deviation;
  if (!std::isfinite(all.mean) || !std::isfinite(profile.label_factor) || profile.label_factor == 0)
    throw Error("the values of " + column + " span a range that a double cannot scale");
}

void check_classes(const Profile& profile) {
  const std::string column = "the label column " + in_quotes(profile.label_column);
  if (profile.classes.size() < 2)
    throw Error(column + " has one class only, " + in_quotes(profile.classes.front()) +
                "; at least 2 are needed");
  if (profile.classes.size() <= max_classes) return;
  const bool numbers = as_number(profile.classes.front()) && as_number(profile.classes.back());
  throw Error(column + " has " + std::to_string(profile.classes.size()) + " classes, at most " +
              std::to_string(max_classes) + " are allowed; is it the right column? --label names another" +
              (numbers ? ", --task regression learns numbers" : ""));
}

void learn_number(Profile& profile, const Table& table, std::size_t column) {
  const Statistics all = statistics(table.values, column);
  if (all.count == 0)
    throw Error("column " + in_quotes(table.columns[column]) +
                " has no value in the rows to learn from; --ignore leaves it out");
  double offset = 0;
  double factor = 1;
  if (profile.scaling == Scaling::min_max) {
    offset = all.low;
    factor = all.low < all.high ? 1 / (all.high - all.low) : 0;
  } else if (profile.scaling == Scaling::standard) {
    offset = all.mean;
    factor = all.low < all.high ? 1 / all.deviation : 0;
  }
  if (!std::isfinite(offset) || !std::isfinite(factor) ||
      (profile.missing == Missing::mean && !std::isfinite(all.mean)) ||
      (profile.scaling != Scaling::none && factor == 0 && all.low < all.high))
    throw Error("the values of column " + in_quotes(table.columns[column]) +
                " span a range that a double cannot scale");
  profile.offset.push_back(offset);
  profile.factor.push_back(factor);
  if (profile.missing == Missing::mean) profile.means.push_back(all.mean);
}

/// Levels that are in the table, sorted; their means are their shares of the rows.
void learn_text(Profile& profile, const Table& table, std::size_t column) {
  const std::vector<std::string>& texts = table.levels.at(table.columns[column]);
  const std::vector<std::size_t> counts = level_counts(table, column);
  std::map<std::string, std::size_t> there;
  std::size_t all = 0;
  for (std::size_t k = 0; k < texts.size(); ++k) {
    if (counts[k] > 0) there.emplace(texts[k], counts[k]);
    all += counts[k];
  }
  if (there.empty())
    throw Error("column " + in_quotes(table.columns[column]) +
                " has no value in the rows to learn from; --ignore leaves it out");
  std::vector<std::string>& levels = profile.levels[table.columns[column]];
  for (const auto& [text, count] : there) {
    levels.push_back(text);
    profile.offset.push_back(0);
    profile.factor.push_back(1);
    if (profile.missing == Missing::mean)
      profile.means.push_back(static_cast<double>(count) / static_cast<double>(all));
  }
}

constexpr std::size_t unknown = static_cast<std::size_t>(-1);

/// For each level of the table its number in the profile, or `unknown`.
std::vector<std::size_t> known_levels(const std::vector<std::string>& of_table,
                                      const std::vector<std::string>& of_profile) {
  std::vector<std::size_t> out;
  for (const std::string& text : of_table) {
    const auto place = std::ranges::lower_bound(of_profile, text);
    out.push_back(place != of_profile.end() && *place == text
                      ? static_cast<std::size_t>(place - of_profile.begin())
                      : unknown);
  }
  return out;
}

void check_columns(const Profile& profile, const Table& table) {
  const auto names = [](const Levels& levels) {
    std::vector<std::string> out;
    for (const auto& [column, texts] : levels) out.push_back(column);
    return out;
  };
  if (table.columns != profile.columns || names(table.levels) != names(profile.levels))
    throw Error("the table has " + std::to_string(table.columns.size()) + " columns, the profile has " +
                std::to_string(profile.columns.size()) + "; names, order and kind must be the same");
}

}  // namespace

std::string_view name(Scaling scaling) {
  switch (scaling) {
    case Scaling::standard:
      return "standard";
    case Scaling::min_max:
      return "min-max";
    case Scaling::none:
      return "none";
  }
  throw Error("a scaling has no name");
}

Scaling scaling_from_name(std::string_view text) {
  for (const Scaling scaling : {Scaling::standard, Scaling::min_max, Scaling::none})
    if (text == name(scaling)) return scaling;
  throw Error("--scaling is " + in_quotes(text) + ", allowed are standard, min-max, none");
}

std::vector<std::string> Profile::features() const {
  std::vector<std::string> out;
  for (const std::string& column : columns) {
    const auto texts = levels.find(column);
    if (texts == levels.end())
      out.push_back(column);
    else
      for (const std::string& text : texts->second) out.push_back(column + "=" + text);
  }
  return out;
}

Profile learn_profile(const Table& table, Scaling scaling, Missing missing) {
  if (!table.has_labels() || table.rows() == 0)
    throw Error("a profile is learnt from rows with labels; the table has none");
  Profile profile{scaling, table.columns, table.label_column, {}, {}, {}};
  profile.missing = missing;
  profile.header = table.header;
  profile.task = table.task;
  if (table.task == Task::regression) {
    learn_label(profile, table);
  } else {
    profile.classes = sorted_classes(table.labels);
    check_classes(profile);
  }
  for (std::size_t j = 0; j < table.columns.size(); ++j)
    if (table.levels.contains(table.columns[j]))
      learn_text(profile, table, j);
    else
      learn_number(profile, table, j);
  profile.table = to_hex(digest(table));
  Fingerprint salt{};
  RandomSource::from_system().stream({}).fill(salt);
  profile.salt = to_hex(salt);
  return profile;
}

Matrix<double> apply(const Profile& profile, const Table& table) {
  check_columns(profile, table);
  Matrix<double> out(table.rows(), profile.offset.size());
  std::size_t feature = 0;  // the first of the column
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    const std::string& column = table.columns[j];
    const bool text = profile.levels.contains(column);
    const std::size_t width = text ? profile.levels.at(column).size() : 1;
    const std::vector<std::size_t> places =
        text ? known_levels(table.levels.at(column), profile.levels.at(column)) : std::vector<std::size_t>{};
    for (std::size_t i = 0; i < table.rows(); ++i) {
      const double value = table.values(i, j);
      if (std::isnan(value)) {
        if (profile.means.empty())
          throw Error(table.row_name(i) + ", column " + in_quotes(column) +
                      " has no value, and the profile has no means to fill it in");
        for (std::size_t k = feature; k < feature + width; ++k)
          out(i, k) = (profile.means[k] - profile.offset[k]) * profile.factor[k];
      } else if (!text) {
        out(i, feature) = (value - profile.offset[feature]) * profile.factor[feature];
      } else if (const std::size_t place = places[static_cast<std::size_t>(value)]; place != unknown) {
        out(i, feature + place) = 1;
      }
    }
    feature += width;
  }
  return out;
}

std::vector<std::string> unknown_texts(const Profile& profile, const Table& table) {
  check_columns(profile, table);
  std::vector<std::string> out;
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    const std::string& column = table.columns[j];
    if (!profile.levels.contains(column)) continue;
    const std::vector<std::size_t> places = known_levels(table.levels.at(column), profile.levels.at(column));
    std::size_t rows = 0, first = 0;
    for (std::size_t i = table.rows(); i-- > 0;)
      if (!std::isnan(table.values(i, j)) &&
          places[static_cast<std::size_t>(table.values(i, j))] == unknown) {
        ++rows;
        first = i;
      }
    if (rows == 0) continue;
    const auto level = static_cast<std::size_t>(table.values(first, j));
    out.push_back("column " + in_quotes(column) + " has texts that the profile does not know in " +
                  std::to_string(rows) + (rows == 1 ? " row" : " rows") + ", first " +
                  in_quotes(table.levels.at(column)[level]) + " in " + table.row_name(first) +
                  "; they count as none of its values");
  }
  return out;
}

std::optional<std::string> unknown_label(const Profile& profile, const Table& table) {
  if (profile.task == Task::regression) {
    for (std::size_t i = 0; i < table.labels.size(); ++i)
      if (!as_number(table.labels[i]))
        return table.row_name(i) + " has the label " + in_quotes(table.labels[i]) + ", which is no number";
    return std::nullopt;
  }
  const std::set<std::string> known(profile.classes.begin(), profile.classes.end());
  for (std::size_t i = 0; i < table.labels.size(); ++i)
    if (!known.contains(table.labels[i]))
      return table.row_name(i) + " has the class " + in_quotes(table.labels[i]) + ", which is none of the " +
             std::to_string(known.size()) + " classes of the profile";
  return std::nullopt;
}

std::vector<std::size_t> class_indices(const Profile& profile, const Table& table) {
  if (!table.has_labels()) throw Error("the table has no label column");
  if (const auto problem = unknown_label(profile, table)) throw Error(*problem);
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t c = 0; c < profile.classes.size(); ++c) index.emplace(profile.classes[c], c);
  std::vector<std::size_t> out;
  out.reserve(table.rows());
  for (const std::string& label : table.labels) out.push_back(index.at(label));
  return out;
}

std::vector<double> scaled_labels(const Profile& profile, const Table& table) {
  if (!table.has_labels()) throw Error("the table has no label column");
  if (const auto problem = unknown_label(profile, table)) throw Error(*problem);
  std::vector<double> out;
  out.reserve(table.rows());
  for (const std::string& label : table.labels)
    out.push_back((*as_number(label) - profile.label_offset) * profile.label_factor);
  return out;
}

}  // namespace smlp
