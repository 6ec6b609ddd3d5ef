// Cutting, whole numbers, quotes for a shell.
#include "mlp/text.h"

#include <doctest/doctest.h>

using namespace smlp;

TEST_CASE("text is cut at each separator") {
  using Pieces = std::vector<std::string>;
  CHECK(split("a,b", ',') == Pieces{"a", "b"});
  CHECK(split("", ',') == Pieces{""});
  CHECK(split(",a,,", ',') == Pieces{"", "a", "", ""});
  CHECK(split("a b", ',') == Pieces{"a b"});
}

TEST_CASE("a number is the whole text") {
  CHECK(number_from<std::size_t>("17") == 17);
  CHECK(number_from<double>("0.5") == 0.5);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1.0", "1e2", "99999999999999999999"})
    CHECK(!number_from<std::size_t>(text));
}

TEST_CASE("a shell reads back what was quoted") {
  CHECK(shell_quoted("plain") == "'plain'");
  CHECK(shell_quoted("it's $HOME") == "'it'\\''s $HOME'");
}
