// Roles of columns.
#include "mlp/tables/columns.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "mlp/tables/cells.h"
#include "paillier/error.h"

namespace smlp {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
    out += (i == 0 ? "" : ", ") + in_quotes(names[i]);
  return out + (names.size() > most ? ", .." : "");
}

bool is_named_by_option(const std::string& column, const TableSource& source) {
  const ColumnChoice& choice = source.choice;
  return contains(choice.ignored, column) || contains(choice.columns, column) ||
         contains(choice.text_columns, column) || source.label_column == column;
}

/// pandas writes its row index first, without a name, and reads that as Unnamed: 0.
bool has_row_index(const std::vector<std::string>& header, const TableSource& source) {
  if (header.size() < 2) return false;
  const std::string& first = header.front();
  return first.empty() || (first == "Unnamed: 0" && !is_named_by_option(first, source) &&
                           !(source.expected && contains(source.expected->features, first)));
}

bool is_number(const std::string& text) {
  return number_in(text, '.') || number_in(text, ',');
}

/// A whole number without a sign, as names may be: years, or places.
bool is_count(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// 0, 1, 2, .. as pandas numbers columns without names. Four in a row are no chance.
bool counts_columns(std::span<const std::string> names) {
  std::size_t next = 0;
  for (const std::string& name : names)
    if (is_number(name) && name != std::to_string(next++)) return false;
  return next >= 4;
}

constexpr auto header_question =
    "is the header missing? add one, or --no-header to name them column-1, column-2, ..";

/// All names are numbers, or all but a last one, as labels are; behind another text, all are numbers that
/// count nothing. Or half of them are, among texts, and one is below 0, as no wavelength is.
void refuse_data(const std::vector<std::string>& header, const TableSource& source) {
  const auto names = std::span(header).subspan(has_row_index(header, source) ? 1 : 0);
  if (source.expected && contains(source.expected->features, names.front())) return;
  const auto numbers = static_cast<std::size_t>(std::ranges::count_if(names, is_number));
  const bool mixed = 2 * numbers >= names.size() && std::ranges::any_of(names, [](const std::string& text) {
                       return is_number(text) && text.starts_with('-');
                     });
  if (numbers == 0 || (numbers + 1 < names.size() && !mixed) || counts_columns(names)) return;
  const auto may_name = [](const std::string& text) { return !is_number(text) || is_count(text); };
  if (is_number(names.back()) && numbers < names.size() && std::ranges::all_of(names, may_name)) return;
  throw Error(source.data.string() + ": the first line is to name the columns, but it looks like data (" +
              listed(header) + "): " + header_question);
}

void check_header(std::vector<std::string>& header, const TableSource& source, ColumnRoles& roles) {
  const std::string name = source.data.string();
  if (header.size() == 1 && header.front().starts_with('#'))
    throw Error(name + " begins with a comment, " + in_quotes(header.front()) +
                "; take such lines out (grep -v '^#')");
  refuse_data(header, source);
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < header.size(); ++i) {
    std::ranges::replace_if(
        header[i], [](char c) { return c == '\n' || c == '\t'; }, ' ');
    if (i == 0 && has_row_index(header, source)) {
      roles.notes.push_back(name + ": the first column has " +
                            (header[i].empty() ? "no name" : "the name " + in_quotes(header[i])) +
                            "; it is taken for a row index and left out");
      header[i].clear();
      continue;
    }
    if (header[i].empty())
      throw Error(name + ": column " + std::to_string(i + 1) + " has no name in the header; " +
                  header_question);
    if (std::ranges::any_of(header[i], [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      throw Error(name + ": the name of column " + std::to_string(i + 1) +
                  " holds a control character: " + in_quotes(header[i]));
    const auto [first, inserted] = seen.emplace(header[i], i);
    if (!inserted)
      throw Error(name + ": columns " + std::to_string(first->second + 1) + " and " + std::to_string(i + 1) +
                  " are both named " + in_quotes(header[i]) + "; " + header_question);
  }
}

void require_columns(const std::vector<std::string>& header, const std::vector<std::string>& wanted,
                     const char* option, const std::string& name) {
  for (const std::string& column : wanted)
    if (!contains(header, column))
      throw Error(name + " has no column " + in_quotes(column) + " of " + option + "; it has " +
                  listed(header));
}

std::string training_label(const std::vector<std::string>& header, const TableSource& source) {
  const ColumnChoice& choice = source.choice;
  const std::string name = source.data.string();
  if (source.label_column) {
    if (!contains(header, *source.label_column))
      throw Error(name + " has no label column " + in_quotes(*source.label_column) + "; it has " +
                  listed(header));
    if (contains(choice.ignored, *source.label_column))
      throw Error("--ignore leaves out " + in_quotes(*source.label_column) + ", which --label names");
    return *source.label_column;
  }
  for (auto column = header.rbegin(); column != header.rend(); ++column)
    if (!column->empty() && !contains(choice.ignored, *column)) return *column;
  throw Error(name + " has no column left for the label");
}

ColumnRoles training_roles(const std::vector<std::string>& header, const TableSource& source) {
  const ColumnChoice& choice = source.choice;
  const std::string name = source.data.string();
  require_columns(header, choice.ignored, "--ignore", name);
  require_columns(header, choice.columns, "--columns", name);
  require_columns(header, choice.text_columns, "--categorical", name);
  ColumnRoles roles;
  roles.label_name = training_label(header, source);
  if (contains(choice.columns, roles.label_name))
    throw Error("--columns names the label column " + in_quotes(roles.label_name) +
                "; name another one by --label");
  const std::unordered_set<std::string> ignored(choice.ignored.begin(), choice.ignored.end());
  const std::unordered_set<std::string> columns(choice.columns.begin(), choice.columns.end());
  for (const std::string& column : header) {
    const bool chosen =
        columns.empty() ? !column.empty() && !ignored.contains(column) : columns.contains(column);
    if (column == roles.label_name) {
      roles.of_column.push_back(ColumnRoles::label);
    } else if (!chosen) {
      roles.of_column.push_back(ColumnRoles::ignored);
    } else {
      roles.of_column.push_back(roles.features.size());
      roles.features.push_back(column);
    }
  }
  if (roles.features.empty())
    throw Error(name + " has only the label column " + in_quotes(roles.label_name) + ", no feature");
  return roles;
}

ColumnRoles query_roles(const std::vector<std::string>& header, const TableSource& source) {
  const ExpectedColumns& expected = *source.expected;
  const std::string name = source.data.string();
  std::vector<std::string> ignored = source.choice.ignored;  // those of the profile's table may be absent
  std::erase_if(ignored, [&](const std::string& column) { return contains(expected.header, column); });
  require_columns(header, ignored, "--ignore", name);
  const std::unordered_set<std::string> known(expected.header.begin(), expected.header.end());
  std::unordered_map<std::string, std::size_t> wanted;
  for (std::size_t i = 0; i < expected.features.size(); ++i) wanted.emplace(expected.features[i], i);
  const std::string label = source.label_column.value_or(expected.label);
  ColumnRoles roles{{}, expected.features, {}, {}, {}};
  for (const std::string& column : header) {
    const auto feature = wanted.find(column);
    if (column == label) {
      roles.label_name = label;
      roles.of_column.push_back(ColumnRoles::label);
    } else if (feature != wanted.end()) {
      roles.of_column.push_back(feature->second);
      wanted.erase(feature);
    } else if (column.empty() || known.contains(column) || contains(source.choice.ignored, column)) {
      roles.of_column.push_back(ColumnRoles::ignored);
    } else {
      throw Error(name + " has a column " + in_quotes(column) +
                  ", which the profile does not know; --ignore leaves it out");
    }
  }
  if (source.label_column && roles.label_name.empty())
    throw Error(name + " has no label column " + in_quotes(label) + "; it has " + listed(header));
  // In the order of the profile, so that the message does not depend on hashing.
  for (const std::string& feature : expected.features)
    if (wanted.contains(feature))
      throw Error(name + " lacks the column " + in_quotes(feature) + " of the profile; it has " +
                  listed(header));
  return roles;
}

ColumnRoles roles_of(const std::vector<std::string>& header, const TableSource& source) {
  return source.expected ? query_roles(header, source) : training_roles(header, source);
}

}  // namespace

ColumnRoles roles_by_header(std::vector<std::string> header, const TableSource& source) {
  ColumnRoles checked;
  check_header(header, source, checked);
  ColumnRoles roles = roles_of(header, source);
  roles.notes = std::move(checked.notes);
  roles.header = std::move(header);
  return roles;
}

ColumnRoles roles_by_position(std::size_t count, const TableSource& source) {
  std::vector<std::string> header;
  if (!source.expected) {
    for (std::size_t i = 0; i < count; ++i) header.push_back("column-" + std::to_string(i + 1));
  } else {
    header = source.expected->header;
    if (header.empty()) {  // a profile of the first version, or of images
      header = source.expected->features;
      header.push_back(source.expected->label);
    }
    const std::size_t all = header.size();
    if (count != header.size()) std::erase(header, source.expected->label);
    if (count != header.size())
      throw Error(source.data.string() + " has " + std::to_string(count) +
                  " columns; without a header they are those of the profile, " + std::to_string(all) +
                  ", or one fewer without the label");
  }
  ColumnRoles roles = roles_of(header, source);
  roles.header = std::move(header);
  return roles;
}

}  // namespace smlp
