// Scaling, class names and the profile file.
#include "mlp/tables/profile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/mlp/files/files_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

Table small_table() {
  Table table{{"a", "constant", "large"}, Matrix<double>(4, 3), "class", {"b", "a", "b", "c"}};
  table.values.cells() = {1, 7, 1e9 + 1, 2, 7, 1e9 + 3, 3, 7, 1e9 + 5, 6, 7, 1e9 + 7};
  return table;
}

Table labelled(const std::vector<std::string>& labels) {
  return {{"a"}, Matrix<double>(labels.size(), 1), "class", labels};
}

}  // namespace

TEST_CASE("standard scaling gives mean 0 and deviation 1, and 0 for a constant") {
  const Table table = small_table();
  const Profile profile = learn_profile(table, Scaling::standard);
  // a: mean 3, population variance (4 + 1 + 0 + 9) / 4; large: mean 1e9 + 4, variance 5.
  CHECK(profile.offset[0] == doctest::Approx(3));
  CHECK(1 / profile.factor[0] == doctest::Approx(std::sqrt(3.5)));
  CHECK(profile.offset[2] == doctest::Approx(1e9 + 4));
  CHECK(1 / profile.factor[2] == doctest::Approx(std::sqrt(5.0)));
  const Matrix<double> scaled = apply(profile, table);
  for (std::size_t i = 0; i < 4; ++i) CHECK(scaled(i, 1) == 0);
  CHECK(scaled(0, 0) == doctest::Approx(-2 / std::sqrt(3.5)));
  CHECK(scaled(3, 2) == doctest::Approx(3 / std::sqrt(5.0)));
}

TEST_CASE("min-max scaling gives [0, 1], none leaves values") {
  const Table table = small_table();
  const Matrix<double> scaled = apply(learn_profile(table, Scaling::min_max), table);
  CHECK(scaled(0, 0) == 0);
  CHECK(scaled(1, 0) == doctest::Approx(0.2));
  CHECK(scaled(3, 0) == 1);
  CHECK(scaled(2, 1) == 0);
  CHECK(apply(learn_profile(table, Scaling::none), table) == table.values);
}

TEST_CASE("a constant that no sum of doubles hits exactly is still 0") {
  Table table{{"a"}, Matrix<double>(3, 1, 0.1), "class", {"x", "y", "x"}};
  for (const Scaling scaling : {Scaling::standard, Scaling::min_max})
    CHECK(apply(learn_profile(table, scaling), table).cells() == std::vector<double>{0, 0, 0});
}

TEST_CASE("classes are sorted as numbers where all are") {
  CHECK(learn_profile(labelled({"10", "9", "10", "-1"}), Scaling::none).classes ==
        std::vector<std::string>{"-1", "9", "10"});
  CHECK(learn_profile(labelled({"10", "9", "x"}), Scaling::none).classes ==
        std::vector<std::string>{"10", "9", "x"});
  const Profile profile = learn_profile(small_table(), Scaling::none);
  CHECK(class_indices(profile, small_table()) == std::vector<std::size_t>{1, 0, 1, 2});
  CHECK(contains(message_of([&] {
                   class_indices(profile, labelled({"a", "d"}));
                 }),
                 "row 2 has the class 'd'"));
  CHECK(contains(message_of([&] { class_indices(profile, labelled({})); }), "no label"));
}

TEST_CASE("a profile refuses what cannot be learnt or applied") {
  CHECK(contains(message_of([] {
                   learn_profile(labelled({"x", "x"}), Scaling::none);
                 }),
                 "has one class only, 'x'"));
  CHECK(contains(message_of([] { learn_profile(labelled({}), Scaling::none); }), "none"));
  std::vector<std::string> many;
  for (std::size_t i = 0; i <= max_classes; ++i) many.push_back(std::to_string(i));
  CHECK(contains(message_of([&] { learn_profile(labelled(many), Scaling::none); }), "1025 classes"));
  Table wide = labelled({"x", "y"});
  wide.values.cells() = {-1.7e308, 1.7e308};
  CHECK(contains(message_of([&] { learn_profile(wide, Scaling::min_max); }), "column 'a'"));
  CHECK(contains(message_of([&] { learn_profile(wide, Scaling::standard); }), "column 'a'"));
  CHECK(contains(message_of([] { apply(learn_profile(small_table(), Scaling::none), labelled({"x"})); }),
                 "columns"));
}

TEST_CASE("a text column is a feature for each level, and unknown texts are none of them") {
  Table table{{"a", "colour"}, Matrix<double>(4, 2), "class", {"x", "y", "x", "y"}};
  table.values.cells() = {1, 0, 2, 1, 3, 0, 6, 0};
  table.levels = {{"colour", {"red", "blue"}}};
  const Profile profile = learn_profile(table, Scaling::standard);
  CHECK(profile.features() == std::vector<std::string>{"a", "colour=blue", "colour=red"});
  CHECK(profile.levels == Levels{{"colour", {"blue", "red"}}});
  const Matrix<double> scaled = apply(profile, table);
  CHECK(scaled.cols() == 3);
  CHECK(scaled(0, 1) == 0);
  CHECK(scaled(0, 2) == 1);
  CHECK(scaled(1, 1) == 1);

  Table queries{{"a", "colour"}, Matrix<double>(2, 2), "", {}};
  queries.values.cells() = {1, 0, 2, 1};
  queries.levels = {{"colour", {"green", "red"}}};
  const Matrix<double> answers = apply(profile, queries);
  CHECK(answers(0, 1) == 0);
  CHECK(answers(0, 2) == 0);
  CHECK(answers(1, 2) == 1);
  REQUIRE(unknown_texts(profile, queries).size() == 1);
  CHECK(contains(unknown_texts(profile, queries)[0], "in 1 row, first 'green' in row 1"));
  CHECK(unknown_texts(profile, table).empty());
  // A level that the training part lacks is unknown to it.
  CHECK(learn_profile(take_rows(table, {0, 3}), Scaling::none).levels.at("colour") ==
        std::vector<std::string>{"red"});
  queries.levels.clear();
  CHECK(contains(message_of([&] { apply(profile, queries); }), "kind"));
}

TEST_CASE("missing values take the mean of their feature") {
  Table table{{"a", "colour"}, Matrix<double>(4, 2), "class", {"x", "y", "x", "y"}};
  table.values.cells() = {1, 0, 2, NAN, NAN, 1, 6, 1};
  table.levels = {{"colour", {"blue", "red"}}};
  const Profile profile = learn_profile(table, Scaling::min_max, Missing::mean);
  CHECK(profile.means == std::vector<double>{3, 1.0 / 3, 2.0 / 3});
  const Matrix<double> scaled = apply(profile, table);
  CHECK(scaled(2, 0) == doctest::Approx(0.4));  // (3 - 1) / (6 - 1)
  CHECK(scaled(1, 1) == doctest::Approx(1.0 / 3));
  CHECK(scaled(1, 2) == doctest::Approx(2.0 / 3));
  CHECK(apply(learn_profile(table, Scaling::standard, Missing::mean), table)(2, 0) == doctest::Approx(0));
  CHECK(contains(message_of([&] { apply(learn_profile(table, Scaling::min_max), table); }),
                 "row 3, column 'a'"));
  table.values(0, 0) = table.values(1, 0) = table.values(3, 0) = NAN;
  CHECK(contains(message_of([&] { learn_profile(table, Scaling::standard, Missing::mean); }), "no value"));
}

TEST_CASE("labels that the profile does not know are found") {
  const Profile profile = learn_profile(small_table(), Scaling::none);
  CHECK_FALSE(unknown_label(profile, small_table()));
  CHECK(contains(*unknown_label(profile, labelled({"a", ""})), "row 2 has the class ''"));
}

TEST_CASE("scalings have names") {
  for (const Scaling scaling : {Scaling::standard, Scaling::min_max, Scaling::none})
    CHECK(scaling_from_name(name(scaling)) == scaling);
  CHECK_THROWS_WITH_AS(scaling_from_name("log"), "--scaling is 'log', allowed are standard, min-max, none",
                       Error);
}

TEST_CASE("a profile file gives back every bit of the profile") {
  const TemporaryDirectory directory;
  Profile profile = learn_profile(small_table(), Scaling::standard);
  profile.offset[1] = 0.1 + 0.2;
  profile.factor[1] = 4.9406564584124654e-324;
  save_profile(profile, directory / "p.json");
  CHECK(load_profile(directory / "p.json") == profile);
  save_profile(profile, directory / "p.json");
  CHECK(directory.entries() == 1);
  profile.levels = {{"constant", {"blue", "red"}}};
  profile.offset.push_back(0);
  profile.factor.push_back(1);
  profile.missing = Missing::mean;
  profile.means = {1, 0.5, 0.25, 0.1};
  profile.header = {"a", "constant", "id", "large", "class"};
  save_profile(profile, directory / "p.json");
  CHECK(load_profile(directory / "p.json") == profile);
}

TEST_CASE("numbers to learn are standardised, and come back in their units") {
  Table table = labelled({"10", "1.5", "-4"});
  table.task = Task::regression;
  const Profile profile = learn_profile(table, Scaling::none);
  CHECK(profile.classes.empty());
  CHECK(profile.outputs() == 1);
  CHECK(profile.label_offset == doctest::Approx(2.5));
  const std::vector<double> scaled = scaled_labels(profile, table);
  CHECK(scaled[0] + scaled[1] + scaled[2] == doctest::Approx(0));
  CHECK(scaled[0] * scaled[0] + scaled[1] * scaled[1] + scaled[2] * scaled[2] == doctest::Approx(3));
  CHECK(profile.label_of(scaled[2]) == doctest::Approx(-4));
  Table queries = labelled({"1e3", "?", ""});
  queries.task = Task::regression;
  CHECK(contains(*unknown_label(profile, queries), "row 2 has the label '?', which is no number"));
  CHECK(contains(message_of([&] { scaled_labels(profile, queries); }), "row 2"));
  table.labels = {"7", "7", "7"};
  CHECK(contains(message_of([&] { learn_profile(table, Scaling::none); }), "one number only, '7'"));
  table.labels = {"7", "x", "7"};
  CHECK(contains(message_of([&] { learn_profile(table, Scaling::none); }), "row 2, the label column"));
}

TEST_CASE("a profile of a regression comes back, and its scale is checked") {
  const TemporaryDirectory directory;
  Table table = labelled({"10", "1.5", "-4"});
  table.task = Task::regression;
  Profile profile = learn_profile(table, Scaling::standard);
  save_profile(profile, directory / "p.json");
  CHECK(load_profile(directory / "p.json") == profile);
  Profile other = profile;
  other.label_factor *= 1 + 1e-15;
  CHECK(fingerprint(other) != fingerprint(profile));
  for (const double factor : {0.0, -1.0, std::nan("")}) {
    other.label_factor = factor;
    CHECK(contains(message_of([&] { save_profile(other, directory / "q.json"); }), "finite and positive"));
  }
  other = profile;
  other.classes = {"a", "b"};
  CHECK(contains(message_of([&] { save_profile(other, directory / "q.json"); }), "its labels are numbers"));
}

TEST_CASE("a profile of the first version loads") {
  // Written by the program before profiles had levels, missing values and other columns.
  const TemporaryDirectory directory;
  const Profile profile = load_profile(write_text(
      directory / "p.json",
      R"({"format": "smlp-profile", "version": 1, "scaling": "min-max", "label_column": "class", "classes": ["x", "y"], "columns": ["a", "b"], "offset": [1.5, -2.25], "factor": [0.5, 0.125], "checksum": 4240211134})"));
  CHECK(profile.columns == std::vector<std::string>{"a", "b"});
  CHECK(profile.features() == profile.columns);
  CHECK(profile.missing == Missing::refuse);
  CHECK(profile.levels.empty());
  CHECK(profile.header.empty());
}

TEST_CASE("a fingerprint names one profile, and no guess of its content finds it") {
  const TemporaryDirectory directory;
  const Profile profile = learn_profile(small_table(), Scaling::standard);
  const Fingerprint of_profile = fingerprint(profile);
  save_profile(profile, directory / "p.json");
  CHECK(fingerprint(load_profile(directory / "p.json")) == of_profile);
  const Profile again = learn_profile(small_table(), Scaling::standard);
  CHECK(again.table == profile.table);
  CHECK(again.offset == profile.offset);
  CHECK(again.salt != profile.salt);
  CHECK(fingerprint(again) != of_profile);
  Profile other = profile;
  other.factor[0] *= 1 + 1e-15;
  CHECK(fingerprint(other) != of_profile);
  other = profile;
  other.classes[0] += "'";
  CHECK(fingerprint(other) != of_profile);
}

TEST_CASE("a profile file that is damaged, edited or foreign is refused") {
  const TemporaryDirectory directory;
  const Profile profile = learn_profile(small_table(), Scaling::min_max);
  const auto path = directory / "p.json";
  save_profile(profile, path);
  const auto refusal = [&](const std::string& text) {
    return message_of([&] { load_profile(write_text(directory / "x", text)); });
  };
  std::string text = read_text(path);
  const std::size_t place = text.find("\"constant\"");
  REQUIRE(place != std::string::npos);
  CHECK(contains(refusal(std::string(text).replace(place, 10, "\"constans\"")), "checksum"));
  CHECK(contains(refusal(std::string(text).replace(text.find("\"version\": 2"), 12, "\"version\": 4")),
                 "version is 4, this program reads 1 to 3"));
  CHECK(contains(refusal("{}"), "no profile"));
  CHECK(contains(refusal("[1]"), "no profile"));
  CHECK(contains(refusal("{\"format\": \"smlp-profile\"}"), "missing"));
  CHECK(contains(refusal(""), "no JSON"));
  CHECK(contains(message_of([&] { load_profile(directory / "none"); }), "none"));

  // The last byte is a line end, without which the text is the same profile.
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  damage(path, 100, [&](const auto& file) { return load_profile(file) == profile; });
}

TEST_CASE("an impossible profile is not written") {
  const TemporaryDirectory directory;
  const Profile good = learn_profile(small_table(), Scaling::none);
  const auto refuse = [&](Profile profile) {
    return message_of([&] { save_profile(profile, directory / "p"); });
  };
  Profile profile = good;
  profile.offset.pop_back();
  CHECK(contains(refuse(profile), "2 offsets"));
  profile = good;
  profile.levels = {{"a", {"x", "x"}}};
  profile.offset.push_back(0);
  profile.factor.push_back(1);
  CHECK(contains(refuse(profile), "texts of column 'a' are not distinct"));
  profile = good;
  profile.means = {1, 2, 3};
  CHECK(contains(refuse(profile), "3 means"));
  profile = good;
  profile.header = {"a", "large", "class"};
  CHECK(contains(refuse(profile), "header of its table"));
  profile = good;
  profile.factor[0] = INFINITY;
  CHECK(contains(refuse(profile), "not finite"));
  profile = good;
  profile.classes[1] = profile.classes[0];
  CHECK(contains(refuse(profile), "classes are not distinct"));
  profile = good;
  profile.label_column = "a";
  CHECK(contains(refuse(profile), "column names"));
  profile = good;
  profile.classes = {"only"};
  CHECK(contains(refuse(profile), "1 classes"));
  profile = good;
  profile.classes[0] = "\xff";
  CHECK(contains(refuse(profile), "UTF-8"));
  profile = good;
  profile.salt.pop_back();
  CHECK(contains(refuse(profile), "64 hexadecimal digits"));
  CHECK(contains(message_of([&] { save_profile(good, directory / "none" / "p"); }), "p"));
  CHECK(directory.entries() == 0);
}
