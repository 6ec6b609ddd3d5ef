// Choice of the reader, rows of a table, text for messages.
#include "mlp/tables/table.h"

#include <doctest/doctest.h>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("the reader is chosen by content") {
  const TemporaryDirectory directory;
  write_text(directory / "t", "a,class\n1,x\n");
  write_text(directory / "i", std::string("\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x02\x05\x06", 18));
  write_text(directory / "l", std::string("\0\0\x08\x01\0\0\0\x01\x03", 9));
  CHECK(load_table({.data = directory / "t", .labels = {}, .label_column = {}, .expected = {}}).labels ==
        std::vector<std::string>{"x"});
  const Table images =
      load_table({.data = directory / "i", .labels = directory / "l", .label_column = {}, .expected = {}});
  CHECK(images.labels == std::vector<std::string>{"3"});
  CHECK(images.values.cells() == std::vector<double>{5, 6});

  const auto refusal = [&](const TableSource& source) { return message_of([&] { load_table(source); }); };
  CHECK(contains(refusal({directory / "i", {}, "class", {}, {}, {}}), "no CSV table"));
  CHECK(contains(refusal({directory / "i", {}, {}, ExpectedColumns{{"pixel_0"}, "label"}, {}, {}}),
                 "the profile has 1"));
  CHECK(contains(refusal({directory / "t", directory / "l", {}, {}}), "no IDX file"));
  CHECK(contains(refusal({directory / "i", {}, {}, {}, {.separator = ','}}), "leave --separator out"));
  CHECK(contains(refusal({directory / "i", {}, {}, {}, {.decimal = ','}}), "leave --decimal out"));
  CHECK(contains(refusal({directory / "i", {}, {}, {}, {.header = false}}), "leave --no-header out"));
  ColumnChoice ignored, chosen, text;
  ignored.ignored = chosen.columns = {"pixel_0"};
  text.text = ColumnChoice::Text::refused;
  CHECK(contains(refusal({directory / "i", {}, {}, {}, {}, ignored}), "leave --ignore out"));
  CHECK(contains(refusal({directory / "i", {}, {}, {}, {}, chosen}), "leave --columns out"));
  CHECK(contains(refusal({directory / "i", {}, {}, {}, {}, text}), "leave --categorical out"));
  CHECK(contains(refusal({directory / "none", {}, {}, {}}), "none"));
  CHECK(load_table({directory / "i", {}, {}, ExpectedColumns{{"pixel_0", "pixel_1"}, "label"}}).rows() == 1);
}

TEST_CASE("rows are taken in the order asked for") {
  Table table{{"a"}, Matrix<double>(3, 1), "l", {"x", "y", "z"}};
  table.values.cells() = {1, 2, 3};
  const Table taken = take_rows(table, {2, 0});
  CHECK(taken.values.cells() == std::vector<double>{3, 1});
  CHECK(taken.labels == std::vector<std::string>{"z", "x"});
  CHECK(taken.columns == table.columns);
  CHECK_THROWS_WITH_AS(take_rows(table, {3}), "row 3 is not in a table of 3 rows", Error);
}

TEST_CASE("foreign text is shown short and on one line") {
  CHECK(in_quotes("age") == "'age'");
  CHECK(in_quotes("a\nb\x7f") == "'a?b?'");
  CHECK(in_quotes(std::string(41, 'x')) == "'" + std::string(40, 'x') + "..'");
  // A character of two bytes at the cut is left out whole.
  CHECK(in_quotes(std::string(39, 'x') + "\xC3\xA9") == "'" + std::string(39, 'x') + "..'");
}

TEST_CASE("the digest of a table is that of its bytes") {
  Table table{{"a", "b"}, Matrix<double>(2, 2), "class", {"x", "yy"}};
  table.values.cells() = {1, -2.5, 0.1, 3};
  // By Python's hashlib and struct, from the description in docs/formats.md.
  CHECK(to_hex(digest(table)) == "eea1a7caf0361d44a28215c60a1cac4f8b372a258bfbdd4cd95591e3ac8c9736");
  table.labels = {"xy", "y"};
  CHECK(to_hex(digest(table)) != "eea1a7caf0361d44a28215c60a1cac4f8b372a258bfbdd4cd95591e3ac8c9736");
}
