// The owner's rows in the clear, in the order and groups in which they are encrypted.
#include "mlp/program/owner.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "mlp/program/quality.h"

using namespace smlp;

namespace {

/// 5 rows x 2 features; row i is (i, 10 i), its class is i mod 2.
Table example_table() {
  Table table;
  table.columns = {"x", "y"};
  table.label_column = "parity";
  table.values = Matrix<double>(5, 2);
  for (std::size_t i = 0; i < 5; ++i) {
    table.values(i, 0) = static_cast<double>(i);
    table.values(i, 1) = 10 * static_cast<double>(i);
    table.labels.push_back(i % 2 == 0 ? "even" : "odd");
  }
  return table;
}

OwnerTable example_owner() {
  const Table table = example_table();
  return prepare_table(table, learn_profile(table, Scaling::none), RandomSource::from_seed(4).stream({}));
}

}  // namespace

TEST_CASE("a prepared table keeps the order of the file and a permutation of it") {
  const OwnerTable owner = example_owner();
  CHECK(owner.features == example_table().values);
  CHECK(owner.targets == class_targets({0, 1, 0, 1, 0}, 2));
  std::vector<std::size_t> order = owner.row_order;
  std::ranges::sort(order);
  CHECK(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("groups of the clear tables hold the rows of the encrypted one") {
  const OwnerTable owner = example_owner();
  const TableGroups groups = table_groups(5, 4, 2);
  const auto doubles = float_table(owner, groups);
  const Numbers numbers{.value_bits = 20, .fraction_bits = 3, .sigma = 40};
  const auto integers = integer_table(owner, groups, numbers);
  const auto read = doubles.reader();
  const auto read_integers = integers.reader();
  std::size_t position = 0;
  for (std::size_t group = 0; group < groups.widths.size(); ++group) {
    REQUIRE(read.features(group).rows() == groups.widths[group]);
    for (std::size_t i = 0; i < groups.widths[group]; ++i, ++position) {
      const std::size_t row = owner.row_order[position];
      CHECK(read.features(group)(i, 1) == 10 * static_cast<double>(row));
      CHECK(read.labels(group)(i, row % 2) == 1);
      CHECK(read.labels(group)(i, 1 - row % 2) == 0);
      CHECK(read_integers.features(group)(i, 0) == 8 * static_cast<long>(row));
      CHECK(read_integers.labels(group)(i, row % 2) == 8);
    }
  }
  CHECK(position == 5);
  CHECK(rows_in_file_order(doubles.features, owner.row_order) == owner.features);
}

TEST_CASE("loss and accuracy of known weights") {
  const OwnerTable owner = example_owner();
  // One layer: output 0 is 1, output 1 is x / 2. Classes by hand: x = 0, 1, 2 -> 0 (first of equals), 3, 4
  // -> 1.
  std::vector<Matrix<double>> weights{Matrix<double>(3, 2)};
  weights[0](0, 1) = 0.5;
  weights[0](2, 0) = 1;
  const Network network{{weights[0].rows() - 1, weights[0].cols()}};
  CHECK(scores(network, weights, owner)(3, 1) == 1.5);
  const Profile profile = learn_profile(example_table(), Scaling::none);
  CHECK(quality(profile, owner, scores(network, weights, owner)) == Measures{{"accuracy", 3.0 / 5}});
  // Squared errors: even x: (1 - 1)^2 + (x / 2)^2 = 0, 1, 4; odd x: 1 + (x / 2 - 1)^2 = 1.25, 1.25.
  CHECK(loss(network, weights, owner) == doctest::Approx(7.5 / 2 / 5));
}
