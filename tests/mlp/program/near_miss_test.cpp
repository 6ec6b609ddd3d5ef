// Mistyped words.
#include "mlp/program/near_miss.h"

#include <doctest/doctest.h>

using namespace smlp;

TEST_CASE("a mistyped word is near the one that was meant, another word is not") {
  const std::vector<std::string> known{"train", "run", "release", "serve", "epochs", "learning-rate"};
  CHECK(near_miss("trian", known) == "train");       // two letters swapped
  CHECK(near_miss("realease", known) == "release");  // one too many
  CHECK(near_miss("epoch", known) == "epochs");      // one left out
  CHECK(near_miss("serbe", known) == "serve");       // another letter
  CHECK(near_miss("learning_rate", known) == "learning-rate");
  CHECK(near_miss("rum", known) == "run");
  CHECK(near_miss("fly", known) == "");
  CHECK(near_miss("train", known) == "");  // that one it is
  CHECK(near_miss("", known) == "");
  CHECK(near_miss(std::string(1000, 'r'), known) == "");
  CHECK(near_miss("train", {}) == "");
}
