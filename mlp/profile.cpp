// Scaling and class names.
#include "mlp/profile.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>

#include "paillier/error.h"

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

/// Mean and standard deviation of a column, about its first value so that large offsets cost no digits.
std::pair<double, double> moments(const Matrix<double>& values, std::size_t column) {
  const auto rows = static_cast<double>(values.rows());
  const double first = values(0, column);
  double sum = 0;
  for (std::size_t i = 0; i < values.rows(); ++i) sum += values(i, column) - first;
  const double mean = first + sum / rows;
  double squares = 0;
  for (std::size_t i = 0; i < values.rows(); ++i) squares += std::pow(values(i, column) - mean, 2);
  return {mean, std::sqrt(squares / rows)};
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

Profile learn_profile(const Table& table, Scaling scaling) {
  if (!table.has_labels() || table.rows() == 0)
    throw Error("a profile is learnt from rows with labels; the table has none");
  Profile profile{scaling, table.columns, table.label_column, {}, {}, sorted_classes(table.labels)};
  if (profile.classes.size() < 2)
    throw Error("the label column " + in_quotes(table.label_column) + " has one class only, " +
                in_quotes(profile.classes.front()) + "; at least 2 are needed");
  if (profile.classes.size() > max_classes)
    throw Error("the label column " + in_quotes(table.label_column) + " has " +
                std::to_string(profile.classes.size()) + " classes, at most " + std::to_string(max_classes) +
                " are allowed; is it the right column?");

  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    double low = table.values(0, j);
    double high = low;
    for (std::size_t i = 0; i < table.rows(); ++i) {
      low = std::min(low, table.values(i, j));
      high = std::max(high, table.values(i, j));
    }
    double offset = 0;
    double factor = 1;
    if (scaling == Scaling::min_max) {
      offset = low;
      factor = low < high ? 1 / (high - low) : 0;
    } else if (scaling == Scaling::standard) {
      const auto [mean, deviation] = moments(table.values, j);
      offset = mean;
      factor = low < high ? 1 / deviation : 0;
    }
    if (!std::isfinite(offset) || !std::isfinite(factor) ||
        (scaling != Scaling::none && factor == 0 && low < high))
      throw Error("the values of column " + in_quotes(table.columns[j]) +
                  " span a range that a double cannot scale");
    profile.offset.push_back(offset);
    profile.factor.push_back(factor);
  }
  return profile;
}

Matrix<double> apply(const Profile& profile, const Table& table) {
  if (table.columns != profile.columns)
    throw Error("the table has " + std::to_string(table.columns.size()) + " columns, the profile has " +
                std::to_string(profile.columns.size()) + "; names and order must be the same");
  Matrix<double> out = table.values;
  for (std::size_t i = 0; i < out.rows(); ++i)
    for (std::size_t j = 0; j < out.cols(); ++j)
      out(i, j) = (out(i, j) - profile.offset[j]) * profile.factor[j];
  return out;
}

std::vector<std::size_t> class_indices(const Profile& profile, const Table& table) {
  if (!table.has_labels()) throw Error("the table has no label column");
  std::unordered_map<std::string, std::size_t> index;
  for (std::size_t c = 0; c < profile.classes.size(); ++c) index.emplace(profile.classes[c], c);
  std::vector<std::size_t> out;
  out.reserve(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto found = index.find(table.labels[i]);
    if (found == index.end())
      throw Error("row " + std::to_string(i + 1) + " has the class " + in_quotes(table.labels[i]) +
                  ", which is none of the " + std::to_string(profile.classes.size()) +
                  " classes of the profile");
    out.push_back(found->second);
  }
  return out;
}

}  // namespace smlp
