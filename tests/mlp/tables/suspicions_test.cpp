// Tables that may not have been meant so.
#include "mlp/tables/suspicions.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

Table table_of(const std::vector<double>& values, const std::vector<std::string>& labels = {}) {
  Table table{{"a"}, Matrix<double>(values.size(), 1), "class", labels};
  table.values.cells() = values;
  for (std::size_t i = table.labels.size(); i < values.size(); ++i)
    table.labels.push_back(i % 2 == 0 ? "x" : "y");
  return table;
}

std::vector<std::string> told(const Table& table, Scaling scaling, const Numbers& numbers = {}) {
  return suspicions(table, learn_profile(table, scaling), numbers);
}

/// 50 values from 0 to 70, and one far away.
std::vector<double> with_outlier(double outlier) {
  std::vector<double> values{outlier};
  for (int i = 0; i < 50; ++i) values.push_back(i * 1.4);
  return values;
}

}  // namespace

TEST_CASE("a feature that rounds to one number is told, with remedies that help") {
  CHECK(told(table_of(with_outlier(60)), Scaling::standard).empty());
  const auto of_standard = told(table_of(with_outlier(-1e9)), Scaling::standard);
  REQUIRE(of_standard.size() == 1);
  CHECK(contains(of_standard[0], "nearly every value of column 'a' becomes one number at 10 fraction bits"));
  CHECK_FALSE(contains(of_standard[0], "--scaling"));
  CHECK(contains(of_standard[0], "take out the rows far from the others"));
  const auto of_min_max = told(table_of(with_outlier(1e6)), Scaling::min_max);
  REQUIRE(of_min_max.size() == 1);
  CHECK_FALSE(contains(of_min_max[0], "--scaling"));  // the outlier is as far by deviations
  std::vector<double> tiny;
  for (int i = 0; i < 50; ++i) tiny.push_back(1e-6 * i);
  const auto of_none = told(table_of(tiny), Scaling::none);
  REQUIRE(of_none.size() == 1);
  CHECK(contains(of_none[0], "use --scaling standard"));

  // The fraction bits that it names do help.
  const std::size_t place = of_min_max[0].find("--fraction-bits ");
  REQUIRE(place != std::string::npos);
  Numbers more;
  more.fraction_bits = static_cast<std::size_t>(std::stoul(of_min_max[0].substr(place + 16)));
  more.value_bits = more.fraction_bits + 10;
  more.check();
  CHECK(told(table_of(with_outlier(1e6)), Scaling::min_max, more).empty());
}

TEST_CASE("columns that are one number before rounding, or nearly so, are not lost") {
  CHECK(told(table_of(std::vector<double>(40, 3)), Scaling::standard).empty());
  std::vector<double> sparse(100, 0);
  sparse[7] = 1e6;
  sparse[9] = 3;
  CHECK(told(table_of(sparse), Scaling::standard).empty());
}

TEST_CASE("suspicious labels are told") {
  const auto of = [](const std::vector<std::string>& labels) {
    std::vector<double> values(labels.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 3);
    return told(table_of(values, labels), Scaling::standard);
  };
  for (const auto& [one, other] :
       {std::pair("Yes", "yes"), std::pair("a b", "a  b"), std::pair("1", "1.0")}) {
    const auto sentences = of({one, other, "third", one});
    REQUIRE(sentences.size() == 1);
    CHECK(contains(sentences[0], "differ in case, spaces or '.0' alone"));
  }
  CHECK(of({"1", "10", "1.5", "0.1"}).empty());
  std::vector<std::string> numbers;
  for (int i = 0; i < 30; ++i) numbers.push_back(std::to_string(i));
  CHECK(contains(of(numbers).at(0), "'class' has 30 classes in 30 rows; is it the right column? --label"));
}
