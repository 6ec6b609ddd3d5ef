// Measures of answers.
#include "mlp/program/quality.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("R^2 and the errors of numbers, by hand") {
  // Errors 1, -1, 0, 2 about truths of mean 2.5: 6 of 5.
  const Measures found = number_quality({1, 2, 3, 4}, {2, 1, 3, 6});
  CHECK(found.at("squared_error") == 1.5);
  CHECK(found.at("absolute_error") == 1);
  CHECK(found.at("r2") == doctest::Approx(1 - 6.0 / 5));
  CHECK(number_quality({1, 2}, {1, 2}).at("r2") == 1);
  CHECK(std::isnan(number_quality({3, 3}, {1, 2}).at("r2")));
  CHECK(contains(message_of([] { number_quality({1}, {}); }), "0 answers for 1 rows"));
}

TEST_CASE("numbers are measured in the label's own units") {
  Table table{{"a"}, Matrix<double>(3, 1), "y", {"100", "300", "200"}};
  table.task = Task::regression;
  const Profile profile = learn_profile(table, Scaling::none);
  const OwnerTable owner = prepare_table(table, profile, RandomSource::from_seed(1).stream({}));
  CHECK(quality(profile, owner, owner.targets.all()).at("r2") == doctest::Approx(1));
  const Matrix<double> zero(3, 1);  // the mean of the label
  CHECK(label_values(profile, zero) == std::vector<double>(3, 200));
  CHECK(quality(profile, owner, zero).at("absolute_error") == doctest::Approx(200.0 / 3));
  CHECK(quality(profile, owner, zero).at("squared_error") == doctest::Approx(20000.0 / 3));
  CHECK(quality(profile, owner, zero).at("r2") == doctest::Approx(0));
}
