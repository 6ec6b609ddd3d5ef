// The label column alone, whatever the others hold.
#include "mlp/tables/labels.h"

#include <doctest/doctest.h>

#include "paillier/error.h"
#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

using Labels = std::vector<std::string>;

TableSource source_of(const TemporaryDirectory& directory, const std::string& text) {
  TableSource source;
  source.data = write_text(directory.path() / "t.csv", text);
  return source;
}

}  // namespace

TEST_CASE("the last column, a named one, the last that is not ignored") {
  const TemporaryDirectory directory;
  TableSource source = source_of(directory, "name,x,kind\n\"a, b\",,cat\n?,word,\n");
  CHECK(load_labels(source) == Labels{"cat", ""});
  source.label_column = "x";
  CHECK(load_labels(source) == Labels{"", "word"});
  source.label_column.reset();
  source.choice.ignored = {"kind", "x"};
  CHECK_THROWS_WITH_AS(load_labels(source), doctest::Contains("no feature"), Error);
  source.choice.ignored = {"kind"};
  CHECK(load_labels(source) == Labels{"", "word"});
}

TEST_CASE("without a header") {
  const TemporaryDirectory directory;
  TableSource source = source_of(directory, "1;2,5;b\n1;3;a\n");
  source.format = {.separator = ';', .decimal = ',', .header = false};
  CHECK(load_labels(source) == Labels{"b", "a"});
}

TEST_CASE("a table without rows, a ragged one, no such column") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH_AS(load_labels(source_of(directory, "a,b\n")), doctest::Contains("no rows"), Error);
  CHECK_THROWS_WITH_AS(load_labels(source_of(directory, "a,b\n1,2\n1\n")),
                       doctest::Contains("row 2 has 1 cells, the first line has 2"), Error);
  TableSource source = source_of(directory, "a,b\n1,2\n");
  source.label_column = "c";
  CHECK_THROWS_WITH_AS(load_labels(source), doctest::Contains("has no label column 'c'"), Error);
}
