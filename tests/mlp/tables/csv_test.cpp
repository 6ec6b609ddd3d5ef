// CSV as text: separators, quotes, line ends, and the message for what is no CSV.
#include "mlp/tables/csv.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

using Rows = std::vector<std::vector<std::string>>;

struct Csv {
  TemporaryDirectory directory;
  Rows rows(std::string_view text, const CsvFormat& format = {}) {
    Input input(write_text(directory / "t.csv", text));
    CsvReader reader(input, format);
    Rows out;
    for (std::vector<std::string> cells; reader.next(cells);) out.push_back(cells);
    return out;
  }
  std::string refusal(std::string_view text, const CsvFormat& format = {}) {
    const std::string message = message_of([&] { rows(text, format); });
    CHECK(contains(message, (directory / "t.csv").string()));
    return message;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Csv, "line ends, quotes, byte order mark, blanks") {
  const Rows expected{{"a, b", "say \"c\"", "label"}, {"1", "2", "x,y"}, {"3", "4", "z w"}};
  const std::string text =
      "\xEF\xBB\xBF\"a, b\" , \"say \"\"c\"\"\",label\n 1 ,\"2\",\"x,y\"\n3,\t4,z w\n\n\n";
  CHECK(rows(text) == expected);
  for (const std::string end : {"\r\n", "\r"}) {
    std::string other;
    for (const char c : text) other += c == '\n' ? end : std::string(1, c);
    CHECK(rows(other) == expected);
  }
  CHECK(rows("a,l\n1,x") == Rows{{"a", "l"}, {"1", "x"}});
  CHECK(rows("a,b\n1,\n,\n") == Rows{{"a", "b"}, {"1", ""}, {"", ""}});
  // A quoted cell keeps its line ends, all as LF.
  for (const char* end : {"\n", "\r\n", "\r"})
    CHECK(rows("a,b\n\"two" + std::string(end) + "lines\",1\n") == Rows{{"a", "b"}, {"two\nlines", "1"}});
  CHECK(rows("pr\xC3\xA9nom,b\n1,2\n").front().front() == "pr\xC3\xA9nom");
}

TEST_CASE_FIXTURE(Csv, "cells are cut at any separator") {
  const Rows expected{{"a", "b c", "l"}, {"1,5", "2", "x"}};
  CHECK(rows("a;b c;l\n1,5;2;x\n", {.separator = ';'}) == expected);
  CHECK(rows("a\tb c\tl\n1,5\t 2\tx\n", {.separator = '\t'}) == expected);
  CHECK(rows("a|b c|l\n1,5|2|x\n", {.separator = '|'}) == expected);
  // Runs of blanks, also at the ends of lines.
  CHECK(rows("  a \"b c\"\t l\n1,5  2 x  \n", {.separator = ' '}) == expected);
  CHECK(rows("a\t\tb\n", {.separator = '\t'}) == Rows{{"a", "", "b"}});
  // Excel's first line; an option goes before it.
  for (const char* end : {"\n", "\r\n", "\r"}) {
    CHECK(rows("sep=;" + std::string(end) + "a;b\n1;2\n") == Rows{{"a", "b"}, {"1", "2"}});
    CHECK(rows("sep=,\na;b\n1;2\n", {.separator = ';'}) == Rows{{"a", "b"}, {"1", "2"}});
  }
  CHECK(contains(refusal("sep=5\na,b\n"), "the first line says sep=5, which cannot separate cells"));
  CHECK(rows("separate,b\n1,2\n").front().front() == "separate");
}

TEST_CASE_FIXTURE(Csv, "what the text looks like is named") {
  CHECK(contains(
      refusal("a;b;label\n1;2;x\n"),
      "columns are to be separated by commas; this looks like semicolons: add --separator semicolon"));
  CHECK(refusal("a;b;label\n1;2;x\n").ends_with("semicolon"));
  CHECK(contains(refusal("\"a b\";\"b\";\"label\"\n1;2;x\n"), "--separator semicolon"));
  CHECK(
      contains(refusal("a;b;label\n1,5;2,25;x\n"), "decimal commas: add --separator semicolon --decimal ,"));
  CHECK(contains(refusal("fixed acidity\tpH\tquality\n1\t2\tx\n"), "tabs: add --separator tab"));
  CHECK(contains(refusal("a b label\n1 2 x\n"), "spaces: add --separator space"));
  CHECK(contains(refusal("a|b\n1|2\n"), "pipes: add --separator pipe"));
  CHECK(contains(refusal("a,b\n1,2\n", {.separator = ';'}), "commas: add --separator comma"));
  CHECK(contains(refusal("a;b"), "--separator semicolon"));
  // One column may have blanks in its name, and other text is no separator.
  CHECK(rows("petal length\n1\n").size() == 2);
  CHECK(rows("a;b,c\n1;2,3\n").front() == std::vector<std::string>{"a;b", "c"});
  // What the owner says counts where it cuts the first line at all.
  CHECK(rows("a;b,c\n1,2\n", {.separator = ';'}).size() == 2);

  CHECK(contains(refusal("\xFF\xFE" + std::string("a\0,\0b\0\n\0", 8)), "is UTF-16 text; save it as UTF-8"));
  CHECK(contains(refusal("\xFE\xFF" + std::string("\0a\0,", 4)), "is UTF-16 text"));
  CHECK(contains(refusal(std::string("a\0,\0b\0\n\0", 8)), "without a byte order mark"));
  CHECK(contains(refusal("PK\x03\x04 and more"), "save the sheet as CSV"));
  CHECK(contains(refusal("\x89HDF\r\n"), "is an HDF5 file"));
}

TEST_CASE_FIXTURE(Csv, "bad shapes are refused by row") {
  CHECK(contains(refusal(""), "is empty"));
  CHECK(contains(refusal("\xEF\xBB\xBF"), "is empty"));
  CHECK(contains(refusal("a,b\n1,x\n\n2,y\n"), "row 2 is blank, and rows follow"));
  CHECK(contains(refusal("\na,b\n"), "header is blank, and rows follow"));
  CHECK(contains(refusal("a,b\n1,\"x\n2,y\n"), "row 1, cell 2: the quote is not closed"));
  CHECK(contains(refusal("a,b\n\"1\"2,x\n"), "row 1, cell 1: text after the closing quote"));
  CHECK(contains(refusal("a,b\n1," + std::string(std::size_t{1} << 20, 'x') + "\n"),
                 "row 1 (line 2) is longer than 1048576 bytes"));
  CHECK(contains(refusal("a,b\n1,\"" + std::string(std::size_t{1} << 20, '\n') + "\n"),
                 "is longer than 1048576 bytes; is a quote left open?"));
  CHECK(contains(refusal("1,\"x\n", {.header = false}), "row 1, cell 2"));
}

TEST_CASE_FIXTURE(Csv, "text that is not UTF-8 is refused by its line") {
  // Ill-formed sequences of the Unicode standard, section 3.9, and the extremes of each well-formed length.
  const auto table = [](const std::string& label) { return "a,label\n1," + label + "\n2,x\n"; };
  for (const char* label :
       {"caf\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
    CHECK(rows(table(label))[1][1] == label);
  for (const char* label : {"caf\xE9", "\xC0\xAF", "\xE0\x9F\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF0\x80\x80\x80", "\xC3", "\xE2\x82", "\x80", "\xFF"})
    CHECK(contains(refusal(table(label)), "line 2 is not UTF-8 text"));
}

TEST_CASE("separators, decimal points and lists of names") {
  CHECK(separator_from_name("semicolon") == ';');
  CHECK(separator_from_name(":") == ':');
  CHECK(separator_from_name("\\t") == '\t');
  for (const char* name : {"", "dot", ".", "-", "5", "\"", "\n", "\xE2\x82\xAC", ",,"})
    CHECK_THROWS_AS(separator_from_name(name), Error);
  CHECK(decimal_from_name(",") == ',');
  CHECK_THROWS_AS(decimal_from_name(";"), Error);
  for (const char* name : {"plain", "a, b", "\"q\"", "\""}) {
    const std::string argument = list_argument(name);  // none has the quote of a shell
    CHECK(names_from_list(argument.substr(1, argument.size() - 2), "--ignore") ==
          std::vector<std::string>{name});
  }
  CHECK(names_from_list("a,b c,\"d,e\"", "--ignore") == std::vector<std::string>{"a", "b c", "d,e"});
  for (const char* list : {"", "a,", ",a", "a,,b", "\"a"})
    CHECK_THROWS_AS(names_from_list(list, "--ignore"), Error);
}
