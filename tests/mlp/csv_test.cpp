// CSV tables: what is accepted, and the message for each thing that is not.
#include "mlp/csv.h"

#include <doctest/doctest.h>

#include "tests/mlp/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

struct Csv {
  TemporaryDirectory directory;
  Table load(std::string_view text, const std::optional<std::string>& label = {},
             const ExpectedColumns* expected = nullptr) {
    return load_csv(write_text(directory / "t.csv", text), label, expected);
  }
  std::string refusal(std::string_view text, const std::optional<std::string>& label = {},
                      const ExpectedColumns* expected = nullptr) {
    const std::string message = message_of([&] { load(text, label, expected); });
    CHECK(contains(message, (directory / "t.csv").string()));
    return message;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Csv, "the label is the last column or the named one") {
  const Table last = load("a,b,class\n1,2.5,x\n-3e2,+4,y\n");
  CHECK(last.columns == std::vector<std::string>{"a", "b"});
  CHECK(last.label_column == "class");
  CHECK(last.labels == std::vector<std::string>{"x", "y"});
  CHECK(last.values.cells() == std::vector<double>{1, 2.5, -300, 4});
  CHECK(last.rows() == 2);
  CHECK(last.has_labels());

  const Table named = load("class,a,b\nx,1,2\n", "class");
  CHECK(named.columns == std::vector<std::string>{"a", "b"});
  CHECK(named.labels == std::vector<std::string>{"x"});
  CHECK(named.values.cells() == std::vector<double>{1, 2});
}

TEST_CASE_FIXTURE(Csv, "line ends, quotes, byte order mark, blanks") {
  const Table table =
      load("\xEF\xBB\xBF\"a, b\" , \"say \"\"c\"\"\",label\r\n 1 ,\"2\",\"x,y\"\r\n3,\t4,z w\r\n\r\n\n");
  CHECK(table.columns == std::vector<std::string>{"a, b", "say \"c\""});
  CHECK(table.labels == std::vector<std::string>{"x,y", "z w"});
  CHECK(table.values.cells() == std::vector<double>{1, 2, 3, 4});
  CHECK(load("a,l\n1,x").labels == std::vector<std::string>{"x"});
}

TEST_CASE_FIXTURE(Csv, "queries have the columns of the profile, with or without its label") {
  const ExpectedColumns expected{{"a", "b"}, "class"};
  const Table without = load("b,a\n1,2\n", {}, &expected);
  CHECK(without.columns == expected.features);
  CHECK(without.values.cells() == std::vector<double>{2, 1});
  CHECK_FALSE(without.has_labels());
  CHECK(without.label_column.empty());
  const Table with = load("class,a,b\nx,1,2\n", {}, &expected);
  CHECK(with.labels == std::vector<std::string>{"x"});
  CHECK(with.values.cells() == std::vector<double>{1, 2});
  CHECK(load("truth,a,b\nx,1,2\n", "truth", &expected).label_column == "truth");

  CHECK(contains(refusal("a\n1\n", {}, &expected), "lacks the column 'b' of the profile"));
  CHECK(contains(refusal("a,b,c\n1,2,3\n", {}, &expected),
                 "has a column 'c', which the profile does not know"));
  CHECK(contains(refusal("a,b\n1,2\n", "class", &expected), "has no label column 'class'"));
}

TEST_CASE_FIXTURE(Csv, "bad shapes are refused by name") {
  CHECK(contains(message_of([&] { load_csv(directory / "none.csv", {}); }), "none.csv: No such file"));
  CHECK(contains(message_of([&] { load_csv(directory.path(), {}); }), "is a directory"));
  CHECK(contains(refusal(""), "is empty"));
  CHECK(contains(refusal("a,b\n"), "has a header but no rows"));
  CHECK(contains(refusal("a,b"), "has a header but no rows"));
  CHECK(contains(refusal("a,b\n\n\n"), "has a header but no rows"));
  CHECK(contains(refusal("a,b\n1,x\n2,y,z\n"), "row 2 has 3 cells, the header has 2"));
  CHECK(contains(refusal("a,b\n1,x\n2\n"), "row 2 has 1 cells, the header has 2"));
  CHECK(contains(refusal("a,b\n1,x\n\n2,y\n"), "row 2 is blank, and rows follow"));
  CHECK(contains(refusal("a,b,a\n1,2,3\n"), "columns 1 and 3 are both named 'a'"));
  CHECK(contains(refusal("a,,c\n1,2,3\n"), "column 2 has no name"));
  CHECK(contains(refusal("a,b\n1,x\n", "species"), "has no label column 'species'"));
  CHECK(contains(refusal("class\nx\n"), "only the label column"));
  CHECK(contains(refusal("a,b\n1,\"x\n"), "row 1, cell 2: the quote is not closed"));
  CHECK(contains(refusal("a,b\n\"1\"2,x\n"), "row 1, cell 1: text after the closing quote"));
  CHECK(contains(refusal("a\x01,b\n1,x\n"), "control character"));
  CHECK(contains(refusal("a,b\n1," + std::string(std::size_t{1} << 20, 'x') + "\n"),
                 "line 2 is longer than 1048576"));
}

TEST_CASE_FIXTURE(Csv, "a bad cell is refused with its row and column") {
  const auto cell = [&](std::string_view text) {
    const std::string message = refusal("a,b,class\n1,2,x\n3," + std::string(text) + ",y\n");
    CHECK(contains(message, "row 2, column 'b'"));
    return message;
  };
  CHECK(contains(cell("abc"), "is 'abc', not a number"));
  CHECK(contains(cell("1.5x"), "not a number"));
  CHECK(contains(cell("1 2"), "not a number"));
  CHECK(contains(cell("0x10"), "not a number"));
  CHECK(contains(cell("+-1"), "not a number"));
  CHECK(contains(cell("+"), "not a number"));
  CHECK(contains(cell("\"1,5\""), "not a number"));
  CHECK(contains(cell(""), "is empty"));
  CHECK(contains(cell("nan"), "only finite numbers"));
  CHECK(contains(cell("-inf"), "only finite numbers"));
  CHECK(contains(cell("1e999"), "out of range"));
  CHECK(contains(cell(std::string("1\0", 2)), "is '1?', not a number"));
  CHECK(cell(std::string(5000, 'z')).size() < 300);
  CHECK(contains(refusal("a,class\n1,\n"), "row 1, column 'class' is empty"));
}

TEST_CASE_FIXTURE(Csv, "text that is not UTF-8 is refused by its line") {
  // Ill-formed sequences of the Unicode standard, section 3.9, and the extremes of each well-formed length.
  const auto table = [](const std::string& label) { return "a,label\n1," + label + "\n2,x\n"; };
  for (const char* label :
       {"caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
    CHECK(load(table(label)).labels[0] == label);
  for (const char* label : {"caf\xE9", "\xC0\xAF", "\xE0\x9F\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF0\x80\x80\x80", "\xC3", "\xE2\x82", "\x80", "\xFF"})
    CHECK(contains(refusal(table(label)), "line 2 is not UTF-8 text"));
}
