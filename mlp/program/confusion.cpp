// Counting and printing.
#include "mlp/program/confusion.h"

#include <algorithm>
#include <cmath>

#include "mlp/program/console.h"
#include "mlp/program/report.h"
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

double part(std::size_t count, std::size_t of) {
  return of == 0 ? std::nan("") : static_cast<double>(count) / static_cast<double>(of);
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

std::vector<std::vector<std::size_t>> Confusion::count_rows() const {
  std::vector<std::vector<std::size_t>> out(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = 0; j < names.size(); ++j) out[i].push_back(counts(i, j));
  return out;
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

std::size_t Confusion::rows(std::size_t of_class) const {
  std::size_t sum = 0;
  for (std::size_t j = 0; j < names.size(); ++j) sum += counts(of_class, j);
  return sum;
}

std::size_t Confusion::answers(std::size_t of_class) const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < names.size(); ++i) sum += counts(i, of_class);
  return sum;
}

double Confusion::recall(std::size_t of_class) const {
  return part(counts(of_class, of_class), rows(of_class));
}

double Confusion::precision(std::size_t of_class) const {
  return part(counts(of_class, of_class), answers(of_class));
}

double Confusion::f1(std::size_t of_class) const {
  return part(2 * counts(of_class, of_class), rows(of_class) + answers(of_class));
}

std::vector<std::string> Confusion::class_lines() const {
  std::vector<std::vector<std::string>> cells{{"class", "rows", "recall", "precision", "F1"}};
  const auto text = [](double value) { return std::isnan(value) ? std::string("-") : percent(value); };
  for (std::size_t i = 0; i < names.size(); ++i)
    cells.push_back(
        {shortened(names[i]), std::to_string(rows(i)), text(recall(i)), text(precision(i)), text(f1(i))});
  std::vector<std::size_t> widths(cells.front().size(), 0);
  for (const auto& row : cells)
    for (std::size_t j = 0; j < row.size(); ++j) widths[j] = std::max(widths[j], columns(row[j]));
  std::vector<std::string> out;
  for (const auto& row : cells) {
    out.push_back(right(row[0], widths[0]));
    for (std::size_t j = 1; j < row.size(); ++j) out.back() += "  " + right(row[j], widths[j]);
  }
  return out;
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
