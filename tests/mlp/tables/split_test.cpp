// Permutations and the stratified split.
#include "mlp/tables/split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("every permutation of four comes up equally often") {
  const RandomSource source = RandomSource::from_seed(3);
  std::map<std::vector<std::size_t>, double> counts;
  constexpr std::size_t draws = 4800;
  for (std::size_t i = 0; i < draws; ++i) {
    RandomStream stream = source.stream({.element = i});
    counts[shuffled(4, stream)] += 1;
  }
  CHECK(counts.size() == 24);
  double chi_square = 0;
  for (const auto& [order, count] : counts) chi_square += (count - 200) * (count - 200) / 200;
  CHECK(chi_square < 49.73);  // 23 degrees of freedom, error rate 0.001; the seed is fixed
  RandomStream stream = source.stream({});
  CHECK(shuffled(0, stream).empty());
  CHECK(shuffled(1, stream) == std::vector<std::size_t>{0});
}

TEST_CASE("a stratified split keeps the share of each class") {
  std::vector<std::size_t> classes;
  for (std::size_t i = 0; i < 50; ++i) classes.push_back(0);
  for (std::size_t i = 0; i < 10; ++i) classes.push_back(1);
  for (std::size_t i = 0; i < 2; ++i) classes.push_back(2);
  classes.push_back(3);
  const RandomSource source = RandomSource::from_seed(4);
  const Split split = stratified_split(classes, 0.2, source);

  std::vector<std::size_t> tests(4);
  for (const std::size_t row : split.test) ++tests[classes.at(row)];
  CHECK(tests == std::vector<std::size_t>{10, 2, 1, 0});
  std::vector<std::size_t> all = split.train;
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::ranges::sort(all);
  std::vector<std::size_t> wanted(classes.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = i;
  CHECK(all == wanted);
  CHECK(std::ranges::is_sorted(split.train));
  CHECK(std::ranges::is_sorted(split.test));

  CHECK(stratified_split(classes, 0.2, source).test == split.test);
  CHECK(stratified_split(classes, 0.2, RandomSource::from_seed(5)).test != split.test);
  // Whatever the fraction, a class of two rows is on both sides.
  for (const double fraction : {0.001, 0.999}) {
    const Split extreme = stratified_split({0, 0, 1, 1}, fraction, source);
    CHECK(extreme.train.size() == 2);
    CHECK(extreme.test.size() == 2);
  }
}

TEST_CASE("a split that cannot be made is refused") {
  const RandomSource source = RandomSource::from_seed(4);
  for (const double fraction : {0.0, 1.0, -0.5, 2.0, std::nan("")})
    CHECK(contains(message_of([&] { stratified_split({0, 0}, fraction, source); }), "--test-fraction"));
  CHECK(contains(message_of([&] { stratified_split({0, 1}, 0.5, source); }), "cannot be split"));
  CHECK(contains(message_of([&] { stratified_split({}, 0.5, source); }), "cannot be split"));
}
