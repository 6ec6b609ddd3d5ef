// Counting and printing.
#include "mlp/program/confusion.h"

#include <algorithm>

#include "mlp/program/console.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::size_t widest_name = 16;

/// Columns as a terminal shows them: bytes that continue a UTF-8 character have none.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string shortened(const std::string& name) {
  std::string out;
  std::size_t count = 0;
  for (const char c : one_line(name)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++count > widest_name) break;
    out += c;
  }
  return out;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, columns(text)), ' ') + text;
}

}  // namespace

Confusion::Confusion(std::vector<std::string> class_names, const std::vector<std::size_t>& truth,
                     const std::vector<std::size_t>& answers)
    : names(std::move(class_names)), counts(names.size(), names.size()) {
  if (truth.size() != answers.size() || truth.empty())
    throw Error("there are " + std::to_string(answers.size()) + " answers for " +
                std::to_string(truth.size()) + " rows");
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] >= names.size() || answers[i] >= names.size())
      throw Error("row " + std::to_string(i + 1) + " has a class that is none of " +
                  std::to_string(names.size()));
    ++counts(truth[i], answers[i]);
  }
}

double Confusion::accuracy() const {
  std::size_t right_ones = 0, all = 0;
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = 0; j < names.size(); ++j) {
      all += counts(i, j);
      if (i == j) right_ones += counts(i, j);
    }
  return static_cast<double>(right_ones) / static_cast<double>(all);
}

std::vector<std::string> Confusion::lines() const {
  std::vector<std::string> heads;
  std::size_t left = columns("true \\ answer");
  for (const std::string& name : names) {
    heads.push_back(shortened(name));
    left = std::max(left, columns(heads.back()));
  }
  std::vector<std::size_t> widths;
  std::vector<std::string> out{right("true \\ answer", left)};
  for (std::size_t j = 0; j < names.size(); ++j) {
    std::size_t width = columns(heads[j]);
    for (std::size_t i = 0; i < names.size(); ++i)
      width = std::max(width, std::to_string(counts(i, j)).size());
    widths.push_back(width);
    out.front() += "  " + right(heads[j], width);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string line = right(heads[i], left);
    for (std::size_t j = 0; j < names.size(); ++j)
      line += "  " + right(std::to_string(counts(i, j)), widths[j]);
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace smlp
