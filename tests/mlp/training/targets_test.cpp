// Targets as rows of numbers.
#include "mlp/training/targets.h"

#include <doctest/doctest.h>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("a class is one in its column") {
  const Targets targets = class_targets({1, 0, 2}, 3);
  CHECK(targets.all().cells() == std::vector<double>{0, 1, 0, 1, 0, 0, 0, 0, 1});
  CHECK(targets.of_rows({2, 0}).cells() == std::vector<double>{0, 0, 1, 0, 1, 0});
  const Numbers numbers{.value_bits = 12, .fraction_bits = 4, .sigma = 40};
  targets.check(numbers);
  CHECK(contains(message_of([&] { class_targets({0, 3}, 3).check(numbers); }), "row 2 is of class number 3"));
  CHECK(contains(message_of([&] { class_targets({0}, 0).check(numbers); }), "at least one class"));
}

TEST_CASE("a number to learn is one column, and must fit its bits") {
  const Targets targets = number_targets({0.5, -2, 127});
  CHECK(targets.outputs == 1);
  CHECK(targets.of_rows({1, 0}).cells() == std::vector<double>{-2, 0.5});
  const Numbers numbers{.value_bits = 12, .fraction_bits = 4, .sigma = 40};
  targets.check(numbers);
  CHECK(contains(message_of([&] {
                   number_targets({0, 128}).check(numbers);
                 }),
                 "row 2, column 'label' is 128"));
}
