// Labels and roundings that look wrong.
#include "mlp/tables/suspicions.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <unordered_map>

#include "mlp/text.h"

namespace smlp {

namespace {

constexpr std::size_t most_told = 3;

/// The label without case, spaces and a `.0` at its end.
std::string core(const std::string& label) {
  std::string out;
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isspace(byte) == 0) out.push_back(static_cast<char>(std::tolower(byte)));
  }
  const std::size_t point = out.find('.');
  if (point != std::string::npos && point > 0 && out.find_first_not_of('0', point + 1) == std::string::npos)
    out.resize(point);
  return out;
}

void tell_labels(const Table& table, const Profile& profile, std::vector<std::string>& out) {
  std::map<std::string, std::string> seen;
  std::size_t told = 0;
  for (const std::string& label : profile.classes) {
    const auto [other, inserted] = seen.emplace(core(label), label);
    if (!inserted && told++ < most_told)
      out.push_back("the classes " + in_quotes(other->second) + " and " + in_quotes(label) + " of " +
                    in_quotes(profile.label_column) + " differ in case, spaces or '.0' alone; are they one?");
  }
  constexpr std::size_t usual = 10;
  const bool numbers = std::ranges::all_of(
      profile.classes, [](const std::string& label) { return number_from<double>(label).has_value(); });
  if (profile.classes.size() > usual && 2 * profile.classes.size() > table.rows())
    out.push_back("the label column " + in_quotes(profile.label_column) + " has " +
                  std::to_string(profile.classes.size()) + " classes in " + std::to_string(table.rows()) +
                  " rows; is it the right column? --label names another" +
                  (numbers ? ", --task regression learns numbers" : ""));
}

/// Whether most rows of a feature are one number after rounding to `fraction_bits` though they were
/// different. `raw` are the values before scaling, without missing ones.
bool is_lost(const std::vector<double>& raw, double offset, double factor, std::size_t fraction_bits) {
  const auto rounded = [&](double value) {
    return std::round(std::ldexp((value - offset) * factor, static_cast<int>(fraction_bits)));
  };
  double common = 0;  // what most rows are, if there is such a number (Boyer and Moore's vote)
  std::size_t votes = 0;
  for (const double value : raw) {
    if (votes == 0) common = rounded(value);
    votes = rounded(value) == common ? votes + 1 : votes - 1;
  }
  const auto is_common = [&](double value) { return rounded(value) == common; };
  const auto rows = static_cast<std::size_t>(std::ranges::count_if(raw, is_common));
  if (10 * rows < 9 * raw.size()) return false;
  std::unordered_map<double, std::size_t> values;
  std::size_t most = 0;
  for (const double value : raw)
    if (is_common(value)) most = std::max(most, ++values[value]);
  return 10 * (rows - most) >= raw.size();
}

/// What would keep the values apart: a scaling and a precision, tried, or else other rows.
std::string remedies(const std::vector<double>& raw, const Profile& profile, std::size_t feature,
                     const Numbers& numbers) {
  const double offset = profile.offset[feature], factor = profile.factor[feature];
  std::string out;
  const auto add = [&](const std::string& remedy) { out += (out.empty() ? "; " : ", or ") + remedy; };
  if (profile.scaling != Scaling::standard) {
    double mean = 0, squares = 0;
    for (const double value : raw) mean += value / static_cast<double>(raw.size());
    for (const double value : raw) squares += std::pow(value - mean, 2) / static_cast<double>(raw.size());
    if (!is_lost(raw, mean, 1 / std::sqrt(squares), numbers.fraction_bits)) add("use --scaling standard");
  }
  for (std::size_t f = numbers.fraction_bits + 1; f <= 40; ++f)
    if (!is_lost(raw, offset, factor, f)) {
      f = std::min<std::size_t>(f + 4, 40);  // a few steps between neighbours
      add("use --fraction-bits " + std::to_string(f) + " --value-bits " +
          std::to_string(std::min<std::size_t>(60, f + numbers.value_bits - numbers.fraction_bits)));
      break;
    }
  add("take out the rows far from the others");
  return out;
}

void tell_roundings(const Table& table, const Profile& profile, const Numbers& numbers,
                    std::vector<std::string>& out) {
  std::size_t feature = 0, told = 0;
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    if (const auto texts = profile.levels.find(table.columns[j]); texts != profile.levels.end()) {
      feature += texts->second.size();
      continue;
    }
    const std::size_t place = feature++;
    std::vector<double> raw;
    for (std::size_t i = 0; i < table.rows(); ++i)
      if (!std::isnan(table.values(i, j))) raw.push_back(table.values(i, j));
    if (!is_lost(raw, profile.offset[place], profile.factor[place], numbers.fraction_bits)) continue;
    if (told++ < most_told)
      out.push_back("nearly every value of column " + in_quotes(table.columns[j]) +
                    " becomes one number at " + std::to_string(numbers.fraction_bits) +
                    " fraction bits, so the feature is lost" + remedies(raw, profile, place, numbers));
  }
  if (told > most_told)
    out.push_back("another " + std::to_string(told - most_told) + " columns are lost in the same way");
}

}  // namespace

std::vector<std::string> suspicions(const Table& table, const Profile& profile, const Numbers& numbers) {
  std::vector<std::string> out;
  tell_labels(table, profile, out);
  tell_roundings(table, profile, numbers, out);
  return out;
}

}  // namespace smlp
