// Counts of true classes against answers.
#include "mlp/program/confusion.h"

#include <doctest/doctest.h>

#include "paillier/error.h"

using namespace smlp;

TEST_CASE("each row counts under its true class and its answer") {
  const Confusion confusion({"cat", "dog"}, {0, 0, 0, 1, 1}, {0, 0, 1, 1, 0});
  CHECK(confusion.counts(0, 0) == 2);
  CHECK(confusion.counts(0, 1) == 1);
  CHECK(confusion.counts(1, 0) == 1);
  CHECK(confusion.counts(1, 1) == 1);
  CHECK(confusion.accuracy() == 3.0 / 5);
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
