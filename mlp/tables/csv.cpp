// Cuts CSV into rows and cells.
#include "mlp/tables/csv.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "mlp/tables/csv_guess.h"
#include "mlp/tables/table.h"
#include "mlp/text.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> separators{
    {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"space", ' '}, {"pipe", '|'}}};

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

/// The separator of a first line like `sep=;`, as Excel writes and reads it; the line is taken.
std::optional<char> take_separator_line(Input& input) {
  const std::string_view head = input.peek(6);
  if (head.size() < 5 || head.substr(1, 3) != "ep=" || (head[0] != 's' && head[0] != 'S')) return {};
  if (head.size() > 5 && head[5] != '\r' && head[5] != '\n') return {};
  const char separator = head[4];
  for (std::size_t i = 0; i < std::min<std::size_t>(head.size(), 6); ++i) input.next();
  if (head.size() > 5 && head[5] == '\r' && input.peek(1) == "\n") input.next();
  return separator;
}

char separator_of_line(char stated, const std::string& name) {
  try {
    return separator_from_name({&stated, 1});
  } catch (const Error&) {
    throw Error(name + ": the first line says sep=" + std::string(1, stated) +
                ", which cannot separate cells; take the line out, or name the separator by --separator");
  }
}

}  // namespace

char separator_from_name(std::string_view name) {
  for (const auto& [word, separator] : separators)
    if (name == word) return separator;
  if (name == "\\t") return '\t';
  constexpr std::string_view impossible = "\"\r\n.+-";
  if (name.size() == 1 && static_cast<unsigned char>(name[0]) < 0x80 &&
      std::isalnum(static_cast<unsigned char>(name[0])) == 0 &&
      impossible.find(name[0]) == std::string_view::npos)
    return name[0];
  throw Error("--separator is " + in_quotes(name) +
              ", allowed are comma, semicolon, tab, space, pipe or one character that no number has");
}

char decimal_from_name(std::string_view name) {
  if (name == "." || name == ",") return name[0];
  throw Error("--decimal is " + in_quotes(name) + ", allowed are . and ,");
}

std::string plural_name(char separator) {
  for (const auto& [word, character] : separators)
    if (separator == character) return std::string(word) + "s";
  return in_quotes({&separator, 1});
}

std::vector<std::string> names_from_list(std::string_view list, const std::string& option) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (c == '"' && quoted && list.substr(i + 1).starts_with('"')) {
      names.back() += list[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  if (quoted) throw Error(option + " has a quote that is not closed");
  if (std::ranges::find(names, "") != names.end()) throw Error(option + " has an empty name");
  return names;
}

std::string list_argument(std::string_view name) {
  if (name.find_first_of(",\"") == std::string_view::npos) return shell_quoted(name);
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? "\"\"" : std::string(1, c);
  return shell_quoted(out + "\"");
}

CsvReader::CsvReader(Input& input, const CsvFormat& format)
    : input_(input), separator_(format.separator.value_or(',')), header_(format.header) {
  refuse_binary(input_.peek(8), input_.name());
  if (input_.peek(3) == "\xEF\xBB\xBF")
    for (int i = 0; i < 3; ++i) input_.next();
  const std::optional<char> stated = take_separator_line(input_);
  if (stated) ++line_;
  if (stated && !format.separator) separator_ = separator_of_line(*stated, input_.name());
  if (input_.peek(1).empty()) throw Error(input_.name() + " is empty, a header and rows are needed");
  const std::string_view head = input_.peek(Input::buffer_bytes);
  const bool said = (stated || format.separator) &&
                    head.substr(0, head.find_first_of("\r\n")).find(separator_) != std::string_view::npos;
  if (!said) refuse_other_separator(head, separator_, input_.name());
}

std::string CsvReader::where() const {
  const std::size_t row = header_ ? rows_ - 1 : rows_;
  return input_.name() + ": " + (header_ && rows_ == 1 ? "header" : "row " + std::to_string(row));
}

void CsvReader::fail(const std::string& problem) const {
  throw Error(where() + ", cell " + std::to_string(cell_) + ": " + problem);
}

int CsvReader::take() {
  if (++bytes_ > longest_row + 1)
    throw Error(where() + " (line " + std::to_string(line_) + ") is longer than " +
                std::to_string(longest_row) + " bytes" + (quoted_ ? "; is a quote left open?" : ""));
  return input_.next();
}

CsvReader::End CsvReader::end_of(int c) {
  if (c < 0) return End::input;
  if (c == '\r' && input_.peek(1) == "\n") input_.next();
  if (c == '\r' || c == '\n') {
    ++line_;
    return End::row;
  }
  return End::cell;
}

/// The rest of a cell behind its opening quote, with LF for every line end in it.
void CsvReader::read_quoted(std::string& cell) {
  quoted_ = true;
  for (int c = take();; c = take()) {
    if (c < 0) fail("the quote is not closed");
    if (c == '"') {
      if (input_.peek(1) != "\"") break;
      take();
    }
    if (c == '\r' && input_.peek(1) == "\n") c = take();
    if (c == '\r') c = '\n';
    if (c == '\n') ++line_;
    cell.push_back(static_cast<char>(c));
  }
}

CsvReader::End CsvReader::read_cell(std::string& cell) {
  cell.clear();
  ++cell_;
  quoted_ = false;
  int c = take();
  while (is_blank(c)) c = take();
  if (c == '"') {
    read_quoted(cell);
    c = take();
    while (is_blank(c) && !ends_cell(c)) c = take();
    if (!ends_cell(c)) fail("text after the closing quote");
  } else {
    for (; !ends_cell(c); c = take()) cell.push_back(static_cast<char>(c));
    while (!cell.empty() && is_blank(static_cast<unsigned char>(cell.back()))) cell.pop_back();
  }
  if (!is_utf8(cell))
    throw Error(input_.name() + ": line " + std::to_string(line_) +
                " is not UTF-8 text; save the table as UTF-8");
  if (separator_ == ' ' && is_blank(c)) {  // a run of blanks; before the end of the line it separates nothing
    const auto following = [&] { return input_.peek(1).empty() ? -1 : input_.peek(1)[0]; };
    while (is_blank(following())) take();
    if (!ends_cell(following())) return End::cell;
    c = take();
  }
  return end_of(c);
}

bool CsvReader::next(std::vector<std::string>& cells) {
  while (true) {
    ++rows_;
    cell_ = bytes_ = 0;
    if (input_.peek(1).empty()) return false;
    End end = End::cell;
    while (end == End::cell) {
      if (cell_ == cells.size()) cells.emplace_back();
      std::string& cell = cells[cell_];
      end = read_cell(cell);
    }
    cells.resize(cell_);
    const bool blank = cells.size() == 1 && cells.front().empty() && !quoted_;
    if (!blank && first_blank_.empty()) return true;
    if (!blank) throw Error(first_blank_ + " is blank, and rows follow");
    if (first_blank_.empty()) first_blank_ = where();
  }
}

}  // namespace smlp
