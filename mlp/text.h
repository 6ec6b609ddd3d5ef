// Small work on text that several places do: cutting, numbers, quotes for a shell.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smlp {

/// The pieces between the separators; also empty ones, and one where there is no separator.
std::vector<std::string> split(std::string_view text, char separator);

/// The number that is the whole text. None for other text, and for a number out of range.
template <typename Number>
std::optional<Number> number_from(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end) return std::nullopt;
  return value;
}

/// The shortest text that reads back as the same double.
std::string shortest_text(double value);

/// One word of a shell's command line, in quotes.
std::string shell_quoted(std::string_view text);

}  // namespace smlp
