// Orders and splits of rows.
#include "mlp/tables/split.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "paillier/error.h"

namespace smlp {

std::vector<std::size_t> shuffled(std::size_t count, RandomStream& random) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(std::uint64_t{i})]);
  return order;
}

Split stratified_split(const std::vector<std::size_t>& classes, double fraction, const RandomSource& random) {
  if (!(fraction > 0 && fraction < 1))
    throw Error("--test-fraction is " + std::to_string(fraction) +
                ", allowed are numbers above 0 and below 1");
  std::map<std::size_t, std::vector<std::size_t>> rows_of_class;
  for (std::size_t i = 0; i < classes.size(); ++i) rows_of_class[classes[i]].push_back(i);

  const RandomSource source = random.derive("stratified split");
  Split split;
  for (const auto& [index, rows] : rows_of_class) {
    RandomStream stream = source.stream({.element = index});
    const std::vector<std::size_t> order = shuffled(rows.size(), stream);
    auto tests = static_cast<std::size_t>(std::llround(fraction * static_cast<double>(rows.size())));
    tests = rows.size() < 2 ? 0 : std::clamp<std::size_t>(tests, 1, rows.size() - 1);
    for (std::size_t i = 0; i < rows.size(); ++i)
      (i < tests ? split.test : split.train).push_back(rows[order[i]]);
  }
  if (split.train.empty() || split.test.empty())
    throw Error("a table of " + std::to_string(classes.size()) +
                " rows cannot be split: a class needs at least 2 rows to be on both sides");
  std::ranges::sort(split.train);
  std::ranges::sort(split.test);
  return split;
}

}  // namespace smlp
