// Reads CSV tables.
#include "mlp/csv.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <unordered_map>

#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;

/// Lines of a file, without their ends. Never holds more than one line of at most longest_line bytes.
/// Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i), second = byte(i + 1);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead < 0xC2 || lead > 0xF4) return false;
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (second < lowest || second > highest) return false;
    for (std::size_t k = 2; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    i += length;
  }
  return true;
}

class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& path) : name_(path.string()) {
    if (std::filesystem::is_directory(path)) throw Error(name_ + " is a directory, not a CSV file");
    file_.open(path, std::ios::binary);
    if (!file_) throw Error("cannot open " + name_ + ": " + std::strerror(errno));
  }

  /// False at the end of the file.
  bool next(std::string& line) {
    line.clear();
    ++number_;
    std::streambuf& buffer = *file_.rdbuf();
    constexpr int end = std::char_traits<char>::eof();
    int c = buffer.sbumpc();
    if (c == end) return false;
    for (; c != end && c != '\n'; c = buffer.sbumpc()) {
      if (line.size() == longest_line)
        throw Error(name_ + ": line " + std::to_string(number_) + " is longer than " +
                    std::to_string(longest_line) + " bytes");
      line.push_back(static_cast<char>(c));
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!is_utf8(line)) throw Error(name_ + ": line " + std::to_string(number_) + " is not UTF-8 text");
    return true;
  }

 private:
  std::string name_;
  std::ifstream file_;
  std::size_t number_ = 0;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The cells of one line. `where` opens the message of an error.
std::vector<std::string> split_cells(std::string_view line, const std::string& where) {
  std::vector<std::string> cells;
  std::size_t at = 0;
  while (true) {
    std::string cell;
    std::size_t start = at;
    while (start < line.size() && (line[start] == ' ' || line[start] == '\t')) ++start;
    if (start < line.size() && line[start] == '"') {
      at = start + 1;
      while (true) {
        const std::size_t quote = line.find('"', at);
        if (quote == std::string_view::npos)
          throw Error(where + ", cell " + std::to_string(cells.size() + 1) +
                      ": the quote is not closed on its line");
        cell += line.substr(at, quote - at);
        at = quote + 1;
        if (at == line.size() || line[at] != '"') break;
        cell += '"';
        ++at;
      }
      const std::size_t comma = std::min(line.find(',', at), line.size());
      if (!trimmed(line.substr(at, comma - at)).empty())
        throw Error(where + ", cell " + std::to_string(cells.size() + 1) + ": text after the closing quote");
      at = comma;
    } else {
      const std::size_t comma = std::min(line.find(',', at), line.size());
      cell = trimmed(line.substr(at, comma - at));
      at = comma;
    }
    cells.push_back(std::move(cell));
    if (at == line.size()) return cells;
    ++at;
  }
}

/// `where` makes the start of a message; it is called for an error alone.
template <typename Where>
double parse_number(std::string_view text, const Where& where) {
  if (text.empty()) throw Error(where() + " is empty, a number is needed");
  std::string_view digits = text;
  if (digits.size() > 1 && digits.front() == '+' && digits[1] != '-') digits.remove_prefix(1);
  double value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem == std::errc::result_out_of_range && end == digits.data() + digits.size())
    throw Error(where() + " is " + in_quotes(text) + ", a number out of range");
  if (problem != std::errc{} || end != digits.data() + digits.size())
    throw Error(where() + " is " + in_quotes(text) + ", not a number");
  if (!std::isfinite(value))
    throw Error(where() + " is " + in_quotes(text) + ", only finite numbers are allowed");
  return value;
}

std::vector<std::string> read_header(LineReader& reader, const std::string& name) {
  std::string line;
  if (!reader.next(line)) throw Error(name + " is empty, a header and rows are needed");
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  std::vector<std::string> header = split_cells(line, name + ": header");
  std::unordered_map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty())
      throw Error(name + ": column " + std::to_string(i + 1) + " has no name in the header");
    if (std::ranges::any_of(header[i], [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      throw Error(name + ": the name of column " + std::to_string(i + 1) +
                  " holds a control character: " + in_quotes(header[i]));
    const auto [first, inserted] = seen.emplace(header[i], i);
    if (!inserted)
      throw Error(name + ": columns " + std::to_string(first->second + 1) + " and " + std::to_string(i + 1) +
                  " are both named " + in_quotes(header[i]));
  }
  return header;
}

/// For each column of the file: the feature that it is, or one of these.
constexpr std::size_t is_label = static_cast<std::size_t>(-1);

struct Roles {
  std::vector<std::size_t> of_column;
  std::vector<std::string> features;
  std::string label;  ///< empty when absent
};

Roles training_roles(const std::vector<std::string>& header, const std::optional<std::string>& label_column,
                     const std::string& name) {
  Roles roles;
  roles.label = label_column.value_or(header.back());
  if (std::ranges::find(header, roles.label) == header.end())
    throw Error(name + " has no label column " + in_quotes(roles.label) + "; its last column is " +
                in_quotes(header.back()));
  if (header.size() < 2)
    throw Error(name + " has only the label column " + in_quotes(roles.label) + ", no feature");
  for (const std::string& column : header) {
    roles.of_column.push_back(column == roles.label ? is_label : roles.features.size());
    if (column != roles.label) roles.features.push_back(column);
  }
  return roles;
}

Roles query_roles(const std::vector<std::string>& header, const std::optional<std::string>& label_column,
                  const ExpectedColumns& expected, const std::string& name) {
  std::unordered_map<std::string, std::size_t> wanted;
  for (std::size_t i = 0; i < expected.features.size(); ++i) wanted.emplace(expected.features[i], i);
  const std::string label = label_column.value_or(expected.label);
  Roles roles{{}, expected.features, {}};
  for (const std::string& column : header) {
    const auto feature = wanted.find(column);
    if (column == label) {
      roles.label = label;
      roles.of_column.push_back(is_label);
    } else if (feature != wanted.end()) {
      roles.of_column.push_back(feature->second);
      wanted.erase(feature);
    } else {
      throw Error(name + " has a column " + in_quotes(column) + ", which the profile does not know");
    }
  }
  if (label_column && roles.label.empty()) throw Error(name + " has no label column " + in_quotes(label));
  // In the order of the profile, so that the message does not depend on hashing.
  for (const std::string& feature : expected.features)
    if (wanted.contains(feature))
      throw Error(name + " lacks the column " + in_quotes(feature) + " of the profile");
  return roles;
}

}  // namespace

Table load_csv(const std::filesystem::path& path, const std::optional<std::string>& label_column,
               const ExpectedColumns* expected) {
  const std::string name = path.string();
  LineReader reader(path);
  const std::vector<std::string> header = read_header(reader, name);
  const Roles roles = expected ? query_roles(header, label_column, *expected, name)
                               : training_roles(header, label_column, name);

  std::vector<double> cells;
  Table table{roles.features, {}, roles.label, {}};
  const std::size_t features = roles.features.size();
  std::string line;
  std::size_t row = 0;
  std::size_t first_blank = 0;
  while (reader.next(line)) {
    ++row;
    if (trimmed(line).empty()) {
      if (first_blank == 0) first_blank = row;
      continue;
    }
    const std::string where = name + ": row " + std::to_string(row);
    if (first_blank != 0)
      throw Error(name + ": row " + std::to_string(first_blank) + " is blank, and rows follow");
    const std::vector<std::string> texts = split_cells(line, where);
    if (texts.size() != header.size())
      throw Error(where + " has " + std::to_string(texts.size()) + " cells, the header has " +
                  std::to_string(header.size()));
    cells.resize(cells.size() + features);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto cell = [&] { return where + ", column " + in_quotes(header[i]); };
      if (roles.of_column[i] != is_label) {
        cells[cells.size() - features + roles.of_column[i]] = parse_number(texts[i], cell);
      } else if (texts[i].empty()) {
        throw Error(cell() + " is empty, a class name is needed");
      } else {
        table.labels.push_back(texts[i]);
      }
    }
  }
  const std::size_t rows = features == 0 ? 0 : cells.size() / features;
  if (rows == 0) throw Error(name + " has a header but no rows");
  table.values = Matrix<double>(rows, features);
  table.values.cells() = std::move(cells);
  return table;
}

}  // namespace smlp
