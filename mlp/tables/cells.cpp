// Numbers, missing values and other text.
#include "mlp/tables/cells.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "mlp/tables/table.h"

namespace smlp {

namespace {

bool same(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower,
                            [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
}

struct Parsed {
  double value = 0;
  std::errc problem = std::errc::invalid_argument;
};

/// The number that is the whole text, finite or not.
Parsed parse(std::string_view text, char decimal) {
  std::string with_point;
  if (decimal == ',' && text.find(',') != std::string_view::npos) {
    if (text.find('.') != std::string_view::npos) return {};
    with_point = text;
    std::ranges::replace(with_point, ',', '.');
    text = with_point;
  } else if (decimal == ',' && text.find('.') != std::string_view::npos) {
    return {};
  }
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  Parsed parsed;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), parsed.value);
  if (end == text.data() + text.size()) parsed.problem = problem;
  return parsed;
}

}  // namespace

bool is_missing(std::string_view cell) {
  constexpr std::array<std::string_view, 8> words{"", "?", "na", "n/a", "nan", "null", "none", "<na>"};
  if (cell.size() > 4) return false;
  return std::ranges::any_of(words, [&](std::string_view word) { return same(cell, word); });
}

bool is_missing_label(std::string_view cell) {
  return cell.empty() || cell == "?";
}

std::optional<double> number_in(std::string_view cell, char decimal) {
  const Parsed parsed = parse(cell, decimal);
  if (parsed.problem == std::errc{} && std::isfinite(parsed.value)) return parsed.value;
  if (same(cell, "true")) return 1;
  if (same(cell, "false")) return 0;
  return {};
}

std::string why_no_number(std::string_view cell, char decimal) {
  const std::string is = "is " + in_quotes(cell);
  const Parsed parsed = parse(cell, decimal);
  if (parsed.problem == std::errc::result_out_of_range) return is + ", a number out of range";
  if (parsed.problem == std::errc{}) return is + ", only finite numbers are allowed";
  const char other = decimal == '.' ? ',' : '.';
  if (number_in(cell, other))
    return is + ", not a number with a decimal " + (decimal == '.' ? "point" : "comma") + "; add --decimal " +
           other;
  return is + ", not a number";
}

}  // namespace smlp
