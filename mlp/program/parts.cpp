// Reading, splitting, scaling.
#include "mlp/program/parts.h"

#include <numeric>

#include "mlp/tables/split.h"
#include "mlp/tables/suspicions.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// The row of the file, from 1, of each row of a table.
std::vector<std::size_t> file_rows(const Table& table) {
  if (!table.file_rows.empty()) return table.file_rows;
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{1});
  return rows;
}

}  // namespace

PartSource::PartSource(const PartOptions& options)
    : options_(options), all_(load_table(options.data.source())) {
  digests_["data"] = to_hex(digest(all_));
  if (!options.test) return;
  TableSource source = options.data.source();
  source.expected = learn_profile(all_, options.scaling, options.data.choice.missing).expected();
  source.data = *options.test;
  source.labels.reset();
  if (options.test_labels) source.labels = *options.test_labels;
  test_ = load_table(source);
  if (!test_->has_labels())
    throw Error("the test table " + *options.test + " has no labels to compare answers with");
  digests_["test"] = to_hex(digest(*test_));
}

Parts PartSource::parts(const Seeds& seeds, const Numbers& numbers, Console* console) const {
  const Missing missing = options_.data.choice.missing;
  Table train = all_, test;
  std::vector<std::string> notes = all_.notes;
  if (test_) {
    test = *test_;
    notes.insert(notes.end(), test.notes.begin(), test.notes.end());
  } else {
    // Numbers have no classes to keep the shares of.
    const std::vector<std::size_t> classes =
        all_.task == Task::regression ? std::vector<std::size_t>(all_.rows(), 0)
                                      : class_indices(learn_profile(all_, Scaling::none, missing), all_);
    const Split split = stratified_split(classes, options_.test_fraction, seeds.split());
    train = take_rows(all_, split.train);
    test = take_rows(all_, split.test);
  }
  const Profile profile = learn_profile(train, options_.scaling, missing);
  Parts out{digests_, file_rows(test), profile, prepare_table(train, profile, seeds.shuffle()),
            prepare_table(test, profile, seeds.shuffle())};
  if (console == nullptr) return out;
  for (const std::string& note : notes) console->warning("note: " + note);
  for (const std::string& warning : suspicions(train, profile, numbers))
    console->warning("warning: " + options_.data.data + ": " + warning);
  for (const std::string& unknown : unknown_texts(profile, test))
    console->warning("warning: " + options_.test.value_or(options_.data.data + ": of the test part") + ": " +
                     unknown);
  return out;
}

}  // namespace smlp
