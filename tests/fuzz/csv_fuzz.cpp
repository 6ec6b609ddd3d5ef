// CSV tables, of training and of queries, in every way of reading them: numbers in the shape that was
// promised. The first byte chooses the way.
#include <cmath>

#include "mlp/tables/profile.h"
#include "mlp/tables/suspicions.h"
#include "tests/fuzz/fuzz.h"

using namespace smlp;

namespace {

void check(const Table& table, Missing missing) {
  fuzz::expect(table.rows() > 0 && table.columns.size() == table.values.cols(), "a table has its columns");
  fuzz::expect(table.labels.empty() || table.labels.size() == table.rows(), "a table has its labels");
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    const auto levels = table.levels.find(table.columns[j]);
    for (std::size_t i = 0; i < table.rows(); ++i) {
      const double value = table.values(i, j);
      fuzz::expect(std::isfinite(value) || (std::isnan(value) && missing == Missing::mean),
                   "a cell is finite");
      fuzz::expect(levels == table.levels.end() || std::isnan(value) ||
                       (value >= 0 && value < static_cast<double>(levels->second.size())),
                   "a text has a level");
    }
  }
}

/// A profile fits the table that it was learnt from.
void learn(const Table& table, Missing missing) {
  const Profile profile = learn_profile(table, Scaling::standard, missing);
  const Matrix<double> scaled = apply(profile, table);
  fuzz::expect(scaled.cols() == profile.features().size(), "a feature has its column");
  fuzz::expect(unknown_texts(profile, table).empty() && !unknown_label(profile, table), "nothing is unknown");
  if (profile.task == Task::regression)
    for (const double label : scaled_labels(profile, table))
      fuzz::expect(std::isfinite(label), "a label is finite");
  for (const std::string& sentence : suspicions(table, profile, {}))
    fuzz::expect(sentence.find('\n') == std::string::npos, "a warning is one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices({data, size});
  const auto way = static_cast<unsigned>(choices.number(1));
  TableSource source;
  source.data = fuzz::file_of(choices.text(size));
  source.format.header = (way & 1) == 0;
  source.format.decimal = (way & 2) == 0 ? '.' : ',';
  if ((way & 4) != 0) source.format.separator = ";\t |"[way >> 3 & 3];
  source.choice.missing =
      std::array{Missing::refuse, Missing::mean, Missing::drop, Missing::mean}[way >> 5 & 3];
  if ((way >> 5 & 3) == 3) source.task = Task::regression;
  if ((way & 128) != 0) source.choice.text = ColumnChoice::Text::refused;
  fuzz::may_refuse([&] {
    const Table table = load_table(source);
    check(table, source.choice.missing);
    learn(table, source.choice.missing);
  });
  source.expected = ExpectedColumns{{"b", "a"}, "class", {{"a", {"x"}}}, {"a", "b", "class"}};
  fuzz::may_refuse([&] {
    const Table table = load_table(source);
    fuzz::expect(table.columns == source.expected->features || table.columns.front() == "pixel_0",
                 "queries come in the order of the profile");
    check(table, source.choice.missing);
  });
  return 0;
}
