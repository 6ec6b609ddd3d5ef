// Counts of true classes against answers.
#include "mlp/program/confusion.h"

#include <doctest/doctest.h>

#include <cmath>

#include "paillier/error.h"

using namespace smlp;

TEST_CASE("each row counts under its true class and its answer") {
  const Confusion confusion({"cat", "dog"}, {0, 0, 0, 1, 1}, {0, 0, 1, 1, 0});
  CHECK(confusion.counts(0, 0) == 2);
  CHECK(confusion.counts(0, 1) == 1);
  CHECK(confusion.counts(1, 0) == 1);
  CHECK(confusion.counts(1, 1) == 1);
  CHECK(confusion.accuracy() == 3.0 / 5);
  CHECK(confusion.count_rows() == std::vector<std::vector<std::size_t>>{{2, 1}, {1, 1}});
}

TEST_CASE("lines stand in columns, whatever the names") {
  const Confusion confusion({"a", "K\xC3\xA4se", "a very long name of a class"}, {0, 1, 2, 2}, {0, 1, 2, 0});
  const std::vector<std::string> lines = confusion.lines();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "   true \\ answer  a  K\xC3\xA4se  a very long name");
  CHECK(lines[1] == "               a  1     0                 0");
  CHECK(lines[2] == "            K\xC3\xA4se  0     1                 0");
  CHECK(lines[3] == "a very long name  1     0                 1");
}

TEST_CASE("answers that do not fit") {
  CHECK_THROWS_WITH_AS(Confusion({"a", "b"}, {0, 1}, {0}), "there are 1 answers for 2 rows", Error);
  CHECK_THROWS_WITH_AS(Confusion({"a", "b"}, {0, 2}, {0, 1}), "row 2 has a class that is none of 2", Error);
  CHECK_THROWS_WITH_AS(Confusion({"a", "b"}, {}, {}), "there are 0 answers for 0 rows", Error);
}

TEST_CASE("recall, precision and F1 by class") {
  // scikit-learn's classification_report of these rows: a 2/3, 2/2, 0.8; b 1, 1/2, 2/3; c 0 of 1, no answer.
  const Confusion confusion({"a", "b", "c", "unused"}, {0, 0, 0, 1, 2}, {0, 0, 1, 1, 3});
  CHECK(confusion.rows(0) == 3);
  CHECK(confusion.answers(1) == 2);
  CHECK(confusion.recall(0) == 2.0 / 3);
  CHECK(confusion.precision(0) == 1.0);
  CHECK(confusion.f1(0) == 0.8);
  CHECK(confusion.recall(1) == 1.0);
  CHECK(confusion.precision(1) == 0.5);
  CHECK(confusion.f1(1) == 2.0 / 3);
  CHECK(confusion.recall(2) == 0.0);
  CHECK(std::isnan(confusion.precision(2)));
  CHECK(std::isnan(confusion.recall(3)));
  CHECK(confusion.precision(3) == 0.0);
  const std::vector<std::string> lines = confusion.class_lines();
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == " class  rows   recall  precision      F1");
  CHECK(lines[1] == "     a     3   66.7 %    100.0 %  80.0 %");
  CHECK(lines[3] == "     c     1    0.0 %          -   0.0 %");
}
