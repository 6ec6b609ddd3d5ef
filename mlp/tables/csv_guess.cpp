// Guesses from the first lines alone; only ever used to word a refusal.
#include "mlp/tables/csv_guess.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

#include "mlp/tables/csv.h"
#include "paillier/error.h"

namespace smlp {

namespace {

struct Magic {
  std::string_view start;
  const char* what;
};

constexpr std::array<Magic, 7> magics{{
    {"\xFF\xFE", "is UTF-16 text; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
    {"\xFE\xFF", "is UTF-16 text; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)"},
    {"PK\x03\x04", "is a workbook or another zip file; save the sheet as CSV"},
    {"\xD0\xCF\x11\xE0", "is an old workbook; save the sheet as CSV"},
    {"\x89HDF", "is an HDF5 file; a table in the clear is CSV or IDX"},
    {"PAR1", "is a Parquet file; save it as CSV"},
    {"\x1F\x8B", "is compressed more than once; decompress it"},
}};

/// The first line of `text` and what follows it; lines in quotes are not told apart.
std::string_view first_line(std::string_view text, std::string_view& rest) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  std::size_t next = end;
  while (next < text.size() && (text[next] == '\r' || text[next] == '\n')) ++next;
  rest = text.substr(next);
  return text.substr(0, end);
}

/// How often the separator stands outside quotes; of spaces, the gaps between words.
std::size_t count_of(std::string_view line, char separator) {
  bool quoted = false, in_word = false;
  std::size_t separators = 0, words = 0;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    separators += !quoted && c == separator ? 1 : 0;
    const bool blank = !quoted && (c == ' ' || c == '\t');
    words += !blank && !in_word ? 1 : 0;
    in_word = !blank;
  }
  return separator == ' ' ? words - std::min<std::size_t>(words, 1) : separators;
}

bool has_decimal_comma(std::string_view line) {
  for (std::size_t i = 1; i + 1 < line.size(); ++i)
    if (line[i] == ',' && std::isdigit(static_cast<unsigned char>(line[i - 1])) != 0 &&
        std::isdigit(static_cast<unsigned char>(line[i + 1])) != 0)
      return true;
  return false;
}

std::string option_name(char separator) {
  const std::string plural = plural_name(separator);
  return plural.substr(0, plural.size() - 1);
}

}  // namespace

void refuse_binary(std::string_view head, const std::string& name) {
  for (const Magic& magic : magics)
    if (head.starts_with(magic.start)) throw Error(name + " " + magic.what);
  if (head.substr(0, 4).find('\0') != std::string_view::npos)
    throw Error(name + " is no text, or UTF-16 text without a byte order mark; save it as UTF-8");
}

void refuse_other_separator(std::string_view head, char separator, const std::string& name) {
  std::string_view rest;
  const std::string_view first = first_line(head, rest);
  const std::string_view second = first_line(rest, rest);
  const auto fits = [&](char candidate) {
    const std::size_t count = count_of(first, candidate);
    return count > 0 && (second.empty() ? candidate != ' ' : count == count_of(second, candidate));
  };
  if (fits(separator) || first.empty()) return;
  char best = '\0';
  for (const char candidate : {';', '\t', ',', '|', ' '}) {
    const bool possible =
        candidate != separator && fits(candidate) && (candidate != ' ' || count_of(first, separator) == 0);
    if (possible && (best == '\0' || count_of(first, candidate) > count_of(first, best))) best = candidate;
  }
  if (best == '\0') return;
  const bool comma = best != ',' && has_decimal_comma(second);
  throw Error(name + ": columns are to be separated by " + plural_name(separator) + "; this looks like " +
              plural_name(best) + (comma ? " and decimal commas" : "") + ": add --separator " +
              option_name(best) + (comma ? " --decimal ," : ""));
}

}  // namespace smlp
