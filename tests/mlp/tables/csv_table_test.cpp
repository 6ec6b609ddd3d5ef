// CSV tables: what columns are and what becomes of their cells, and the message for each thing that is
// refused.
#include "mlp/tables/csv_table.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

using Names = std::vector<std::string>;

struct CsvTable {
  TemporaryDirectory directory;
  TableSource source;  ///< for the next table

  CsvTable() { source.data = directory / "t.csv"; }
  Table load(std::string_view text) {
    write_text(source.data, text);
    return load_table(source);
  }
  Table load(std::string_view text, const ColumnChoice& choice) {
    source.choice = choice;
    return load(text);
  }
  std::string refusal(std::string_view text) {
    const std::string message = message_of([&] { load(text); });
    CHECK(contains(message, source.data.string()));
    return message;
  }
  std::string refusal(std::string_view text, const ColumnChoice& choice) {
    source.choice = choice;
    return message_of([&] { load(text); });
  }
};

ColumnChoice with(Missing missing) {
  ColumnChoice choice;
  choice.missing = missing;
  return choice;
}

ColumnChoice text_columns(const Names& names) {
  ColumnChoice choice;
  choice.text = names.empty() ? ColumnChoice::Text::refused : ColumnChoice::Text::named;
  choice.text_columns = names;
  return choice;
}

}  // namespace

TEST_CASE_FIXTURE(CsvTable, "the label is the last column or the named one") {
  const Table last = load("a,b,class\n1,2.5,x\n-3e2,+4,y\n");
  CHECK(last.columns == Names{"a", "b"});
  CHECK(last.label_column == "class");
  CHECK(last.labels == Names{"x", "y"});
  CHECK(last.values.cells() == std::vector<double>{1, 2.5, -300, 4});
  CHECK(last.header == Names{"a", "b", "class"});
  CHECK(last.notes.empty());

  source.label_column = "class";
  const Table named = load("class,a,b\nx,1,2\n");
  CHECK(named.columns == Names{"a", "b"});
  CHECK(named.labels == Names{"x"});
  CHECK(named.values.cells() == std::vector<double>{1, 2});
}

TEST_CASE_FIXTURE(CsvTable, "queries have the columns of the profile, with or without its label") {
  source.expected = ExpectedColumns{{"a", "b"}, "class", {}, {"a", "id", "b", "class"}};
  const Table without = load("b,a\n1,2\n");
  CHECK(without.columns == Names{"a", "b"});
  CHECK(without.values.cells() == std::vector<double>{2, 1});
  CHECK_FALSE(without.has_labels());
  CHECK(without.label_column.empty());
  // A column that the profile's table had and left out is left out here too.
  const Table with_label = load("class,id,a,b\nx,seven,1,2\n");
  CHECK(with_label.labels == Names{"x"});
  CHECK(with_label.values.cells() == std::vector<double>{1, 2});
  // Labels of queries are taken as they are.
  CHECK(load("a,b,class\n1,2,\n3,4,?\n").labels == Names{"", "?"});

  CHECK(contains(refusal("a\n1\n"), "lacks the column 'b' of the profile"));
  CHECK(contains(refusal("a,b,c\n1,2,3\n"), "has a column 'c', which the profile does not know; --ignore"));
  CHECK(contains(refusal("a,b\n1,x\n"), "row 1, column 'b' is 'x', not a number"));
  CHECK(contains(refusal("a,b\n1,\n"), "was learnt without --missing mean"));
  source.choice.ignored = {"c"};
  CHECK(load("a,b,c\n1,2,3\n").columns == Names{"a", "b"});
  CHECK(contains(refusal("a,b\n1,2\n"), "has no column 'c' of --ignore"));
  source.choice.ignored = {"id"};  // the profile's table had it
  CHECK(load("a,b\n1,2\n").columns == Names{"a", "b"});
  source.choice = {};
  source.label_column = "truth";
  CHECK(load("truth,a,b\nx,1,2\n").label_column == "truth");
  CHECK(contains(refusal("a,b\n1,2\n"), "has no label column 'truth'"));
}

TEST_CASE_FIXTURE(CsvTable, "a first line of numbers is asked about") {
  for (const char* text : {"5.1,3.5,1.4,setosa\n4.9,3,1.4,setosa\n", "5,0,0,12,0\n0,0,3,0,0\n",
                           "1,14.2\n2,3\n", "0,1,1\n1,0,1\n"})
    CHECK(contains(refusal(text), "looks like data"));
  CHECK(contains(refusal("1,2,x\n"), "is the header missing? add one, or --no-header"));
  const Names counted{"0", "1", "2", "3"};  // as pandas names them
  CHECK(load("0,1,2,3,label\n5,6,7,8,x\n").columns == counted);
  CHECK(load(",0,1,2,3\n0,5,6,7,x\n").columns == Names{"0", "1", "2"});
  CHECK(load("Unnamed: 0,0,1,2,3,label\n0,5,6,7,8,x\n").columns == counted);
  source.label_column = "label";
  CHECK(load("label,0,1,2,3\nx,5,6,7,8\n").columns == counted);
  source.label_column = "country";
  CHECK(load("country,2019,2020,2021\nx,5,6,7\n").columns == Names{"2019", "2020", "2021"});
  source.label_column.reset();
  CHECK(contains(refusal("setosa,5.1,3.5\nsetosa,4.9,3\n"), "looks like data"));
  CHECK(contains(refusal("red,-0.5,1.5,yes\nblue,0.5,2,no\n"), "looks like data"));
  CHECK(load("sample,400.5,401.5,class\n1,2,3,x\n").columns == Names{"sample", "400.5", "401.5"});

  source.format.header = false;
  const Table table = load("5.1,3.5,setosa\n4.9,3,virginica\n");
  CHECK(table.columns == Names{"column-1", "column-2"});
  CHECK(table.label_column == "column-3");
  CHECK(table.labels == Names{"setosa", "virginica"});
  CHECK(table.rows() == 2);
  CHECK(contains(refusal("1,2,x\n3,y\n"), "row 2 has 2 cells, the first row has 3"));
  source.label_column = "column-1";
  CHECK(load("x,1,2\n").columns == Names{"column-2", "column-3"});

  // Queries by position, with the label in its place or without it.
  source.label_column.reset();
  source.expected = ExpectedColumns{{"column-2", "column-3"}, "column-1", {}, table.header};
  CHECK(load("1,2\n").values.cells() == std::vector<double>{1, 2});
  CHECK(load("x,1,2\n").values.cells() == std::vector<double>{1, 2});
  CHECK(contains(refusal("1\n"), "has 1 columns; without a header they are those of the profile, 3"));
  source.expected->header.clear();  // of the first version of profiles
  CHECK(load("1,2\n").values.cells() == std::vector<double>{1, 2});
}

TEST_CASE_FIXTURE(CsvTable, "a row index of pandas is left out and told") {
  for (const char* text : {",a,label\n0,1,x\n1,2,y\n", "Unnamed: 0,a,label\n0,1,x\n1,2,y\n"}) {
    const Table table = load(text);
    CHECK(table.columns == Names{"a"});
    REQUIRE(table.notes.size() == 1);
    CHECK(contains(table.notes[0], "row index"));
  }
  // Named by an option it is a column like others.
  ColumnChoice choice;
  choice.ignored = {"Unnamed: 0"};
  const Table ignored = load("Unnamed: 0,a,label\n0,1,x\n1,2,y\n", choice);
  CHECK(ignored.columns == Names{"a"});
  CHECK(ignored.notes.empty());
  source.choice = {};
  source.expected = ExpectedColumns{{"a"}, "label"};
  CHECK(load(",a\n0,1\n").values.cells() == std::vector<double>{1});
}

TEST_CASE_FIXTURE(CsvTable, "columns are chosen by name") {
  const char* text = "id,a,b,class,note\n7,1,2,x,u\n8,3,4,y,v\n";
  ColumnChoice choice;
  choice.ignored = {"id", "note"};
  const Table ignored = load(text, choice);
  CHECK(ignored.columns == Names{"a", "b"});
  CHECK(ignored.label_column == "class");
  CHECK(ignored.header.size() == 5);
  choice = {};
  choice.columns = {"b"};
  source.label_column = "class";
  CHECK(load(text, choice).values.cells() == std::vector<double>{2, 4});
  choice.columns = {"b", "class"};
  CHECK(contains(refusal(text, choice), "--columns names the label column 'class'"));
  choice.columns = {"c"};
  CHECK(contains(refusal(text, choice), "has no column 'c' of --columns; it has 'id', 'a'"));
  choice = {};
  choice.ignored = {"class"};
  CHECK(contains(refusal(text, choice), "--ignore leaves out 'class', which --label names"));
}

TEST_CASE_FIXTURE(CsvTable, "text columns have levels, in the order of the rows") {
  const Table table = load("colour,n,sure,class\nred,1,True,x\nblue,2,False,y\nred,3,True,x\n");
  CHECK(table.levels == Levels{{"colour", {"red", "blue"}}});
  CHECK(table.values.cells() == std::vector<double>{0, 1, 1, 1, 2, 0, 0, 3, 1});
  REQUIRE(table.notes.size() == 1);
  CHECK(contains(table.notes[0], "column 'colour' is text: each of its 2 values becomes a feature"));
  CHECK(load("zip,class\n01,x\n1,y\n", text_columns({"zip"})).levels == Levels{{"zip", {"01", "1"}}});

  CHECK(contains(refusal("colour,class\nred,x\n", text_columns({})),
                 "row 1, column 'colour' is 'red', not a number; --categorical 'colour'"));
  CHECK(contains(
      refusal("a,class\n1,x\noops,y\n", {}),
      "row 2, column 'a' is 'oops', not a number; --categorical 'a' takes the whole column as text"));
  CHECK(contains(refusal("a,class\nred,x\n1,y\n"), "row 2, column 'a' is '1', a number in a column of text"));
  CHECK(contains(refusal("a,class\n\"1,5\",x\n"), "add --decimal ,"));
  CHECK(contains(refusal("\"it's \"\"a\"\", b\",class\n1,x\nz,y\n"),
                 R"(--ignore '"it'\''s ""a"", b"' leaves it out)"));
  CHECK(contains(refusal("a,class\n1e999,x\n"), "out of range"));
  std::string names = "name,class\n", many = "name,class\n";
  for (int i = 0; i < 20; ++i) names += "n" + std::to_string(i) + ",x\n";
  CHECK(contains(refusal(names), "column 'name' is text and has 20 different values in 20 rows; --ignore"));
  CHECK(load(names, text_columns({"name"})).levels.at("name").size() == 20);
  for (std::size_t i = 0; i <= max_levels; ++i) many += "n" + std::to_string(i) + ",x\n";
  CHECK(contains(refusal(many), "column 'name' has more than 1024 different texts"));

  source.choice = {};
  source.expected = ExpectedColumns{{"colour", "n"}, "class", {{"colour", {"red"}}}};
  CHECK(load("n,colour\n1,7\n2,red\n").levels.at("colour") == Names{"7", "red"});
  std::string queries = "n,colour\n";  // of which no text becomes a feature
  for (std::size_t i = 0; i < 2 * max_levels; ++i) queries += "1,c" + std::to_string(i) + "\n";
  CHECK(load(queries).levels.at("colour").size() == 2 * max_levels);
}

TEST_CASE_FIXTURE(CsvTable, "missing values are refused, kept or their rows left out") {
  const char* text = "a,b,class\n1,2,x\n?,3,y\n4,,x\n5,6,?\n7,8,y\n";
  CHECK(contains(refusal(text), "row 2, column 'a' is '?', which stands for no value; --missing mean"));
  CHECK(contains(refusal("a,class\n1,x\n,y\n"), "row 2, column 'a' is empty; --missing mean"));
  CHECK(contains(refusal(text, with(Missing::mean)), "row 4, column 'class' is '?', a class name is needed"));
  const Table dropped = load(text, with(Missing::drop));
  CHECK(dropped.values.cells() == std::vector<double>{1, 2, 7, 8});
  CHECK(dropped.labels == Names{"x", "y"});
  CHECK(dropped.row_name(1) == "row 5");
  REQUIRE(dropped.notes.size() == 1);
  CHECK(contains(dropped.notes[0], "3 of 5 rows have a missing value and are left out"));
  CHECK(take_rows(dropped, {1}).row_name(0) == "row 5");
  // A class may have the name of nothing.
  CHECK(load("a,class\n1,None\n2,NA\n3,null\n", with(Missing::refuse)).labels == Names{"None", "NA", "null"});
  // Texts of rows that are left out are none of their column.
  std::string texts = "a,text,class\n";
  for (std::size_t i = 0; i < 2 * max_levels; ++i)
    texts += (i % 1000 == 0 ? "1,t" : ",t") + std::to_string(i) + ",x\n";
  CHECK(load(texts, with(Missing::drop)).levels.at("text") == Names{"t0", "t1000", "t2000"});
  const Table kept = load("a,b,class\n1,2,x\nnan,3,y\n", with(Missing::mean));
  CHECK(std::isnan(kept.values(1, 0)));
  CHECK(contains(refusal("a,class\n?,x\n?,y\n", with(Missing::drop)), "missing value in each of its 2 rows"));
  CHECK(contains(refusal("a,class\n?,x\n?,y\n", with(Missing::mean)), "has no value in any row; --ignore"));
}

TEST_CASE_FIXTURE(CsvTable, "decimal commas") {
  source.format = {.separator = ';', .decimal = ','};
  CHECK(load("a;b;class\n1,5;2;x\n").values.cells() == std::vector<double>{1.5, 2});
  CHECK(contains(refusal("a;b;class\n1,5;2.5;x\n"),
                 "row 1, column 'b' is '2.5', not a number with a decimal comma"));
}

TEST_CASE_FIXTURE(CsvTable, "bad shapes are refused by name") {
  TableSource other;
  other.data = directory / "none.csv";
  CHECK(contains(message_of([&] { load_table(other); }), "none.csv: No such file"));
  other.data = directory.path();
  CHECK(contains(message_of([&] { load_table(other); }), "is a directory"));
  CHECK(contains(refusal("a,b\n"), "has a header but no rows"));
  CHECK(contains(refusal("a,b\n\n\n"), "has a header but no rows"));
  CHECK(contains(refusal("a,b\n1,x\n2,y,z\n"), "row 2 has 3 cells, the header has 2"));
  CHECK(contains(refusal("a,b\n1,x\n2\n"), "row 2 has 1 cells, the header has 2"));
  CHECK(contains(refusal("a,b\n1,x\n# end\n"), "lines of comments are to be taken out"));
  CHECK(contains(refusal("# made by tool 1.2\na,b,label\n1,2,x\n"),
                 "begins with a comment, '# made by tool 1.2'"));
  CHECK(contains(refusal("a,b,a\n1,2,3\n"), "columns 1 and 3 are both named 'a'; is the header missing?"));
  CHECK(contains(refusal("a,,c\n1,2,3\n"), "column 2 has no name in the header; is the header missing?"));
  CHECK(contains(refusal("class\nx\n"), "only the label column"));
  CHECK(contains(refusal("a\x01,b\n1,x\n"), "control character"));
  source.label_column = "species";
  CHECK(contains(refusal("a,b\n1,x\n"), "has no label column 'species'; it has 'a', 'b'"));
}

TEST_CASE_FIXTURE(CsvTable, "a bad cell is refused with its row and column") {
  const auto cell = [&](std::string_view text) {
    const std::string message = refusal("a,b,class\n1,2,x\n3," + std::string(text) + ",y\n");
    CHECK(contains(message, "row 2, column 'b'"));
    return message;
  };
  CHECK(contains(cell("abc"), "is 'abc', not a number"));
  CHECK(contains(cell("-inf"), "only finite numbers"));
  CHECK(contains(cell("1e999"), "out of range"));
  CHECK(contains(cell(""), "is empty"));
  CHECK(contains(cell(std::string("1\0", 2)), "is '1?', not a number"));
  CHECK(cell(std::string(5000, 'z')).size() < 400);
}

TEST_CASE("labels of a regression are numbers, however they are written") {
  CsvTable csv;
  csv.source.task = Task::regression;
  const Table table = csv.load("a,y\n1,2.50\n2,-1e3\n3,True\n");
  CHECK(table.labels == Names{"2.5", "-1000", "1"});
  CHECK(table.task == Task::regression);
  CHECK(take_rows(table, {0}).task == Task::regression);
  CHECK(
      contains(csv.refusal("a,y\n1,2\n2,x\n"), "row 2, column 'y' is 'x', not a number; --task regression"));
  CHECK(contains(csv.refusal("a,y\n1,2\n2,NA\n"), "column 'y' is 'NA', a number is needed"));
  CHECK(csv.load("a,y\n1,2\n2,NA\n", with(Missing::drop)).labels == Names{"2"});
  csv.source.choice = {};
  csv.source.format.separator = ';';
  csv.source.format.decimal = ',';
  CHECK(csv.load("a;y\n1,5;2,25\n").labels == Names{"2.25"});
  // Those of queries may be anything.
  csv.source.expected = ExpectedColumns{.features = {"a"}, .label = "y"};
  CHECK(csv.load("a;y\n1;?\n2;3,50\n").labels == Names{"?", "3.5"});
}
