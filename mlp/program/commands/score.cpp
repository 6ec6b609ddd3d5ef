// smlp score: how good decrypted answers are, for whoever has the labels.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "mlp/program/commands/commands.h"
#include "mlp/program/confusion.h"
#include "mlp/program/options.h"
#include "mlp/program/provenance.h"
#include "mlp/program/quality.h"
#include "mlp/program/report.h"
#include "mlp/tables/cells.h"
#include "mlp/tables/labels.h"
#include "mlp/text.h"
#include "paillier/error.h"

namespace smlp {

namespace {

/// What smlp decrypt has written.
struct ReadAnswers {
  std::vector<std::size_t> rows;     ///< of the owner's file, from 1
  std::vector<std::string> classes;  ///< answered
  std::vector<std::string> names;    ///< of the classes that the model knows, in its order
  std::vector<double> numbers;       ///< of a regression; then there are no classes
  bool regression = false;
};

constexpr std::string_view output_prefix = "output_";

ReadAnswers read_answers(const std::string& file) {
  Input input(file);
  CsvReader reader(input, {});
  const auto foreign = [&] {
    return Error(file + " is no table of answers: smlp decrypt writes columns row, class and one " +
                 std::string(output_prefix) + ".. for each class, or row and value of a regression");
  };
  ReadAnswers out;
  std::vector<std::string> cells;
  if (!reader.next(cells)) throw foreign();
  out.regression = cells == std::vector<std::string>{"row", "value"};
  if (!out.regression && (cells.size() < 3 || cells[0] != "row" || cells[1] != "class")) throw foreign();
  const std::size_t columns = cells.size();
  for (std::size_t i = 2; i < columns; ++i) {
    if (!cells[i].starts_with(output_prefix)) throw foreign();
    out.names.push_back(cells[i].substr(output_prefix.size()));
  }
  while (reader.next(cells)) {
    if (cells.size() != columns)
      throw Error(reader.where() + " has " + std::to_string(cells.size()) + " cells, the header has " +
                  std::to_string(columns));
    const auto row = number_from<std::size_t>(cells[0]);
    if (!row || *row == 0)
      throw Error(reader.where() + ", column 'row' is " + in_quotes(cells[0]) + ", not a number from 1");
    out.rows.push_back(*row);
    if (out.regression) {
      const auto value = number_in(cells[1], '.');
      if (!value) throw Error(reader.where() + ", column 'value' " + why_no_number(cells[1], '.'));
      out.numbers.push_back(*value);
      continue;
    }
    if (std::ranges::find(out.names, cells[1]) == out.names.end())
      throw Error(reader.where() + ", column 'class' is " + in_quotes(cells[1]) +
                  ", which no column of outputs is of");
    out.classes.push_back(std::move(cells[1]));
  }
  if (out.rows.empty()) throw Error(file + " has a header but no answers");
  return out;
}

/// For each answer the label of its row; empty where it is missing.
std::vector<std::string> labels_of(const ReadAnswers& answers, const std::string& answers_file,
                                   const std::vector<std::string>& labels, const std::string& table_file) {
  std::vector<bool> seen(labels.size(), false);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < answers.rows.size(); ++i) {
    const std::size_t row = answers.rows[i];
    const std::string where = answers_file + ": row " + std::to_string(i + 1) + " answers row " +
                              std::to_string(row) + " of the table";
    if (row > labels.size())
      throw Error(where + ", but " + table_file + " has " + count_text(labels.size(), "row") +
                  ": give the table that was encrypted for these answers");
    if (seen[row - 1]) throw Error(where + " a second time");
    seen[row - 1] = true;
    const std::string& label = labels[row - 1];
    const bool missing = answers.regression ? is_missing(label) : is_missing_label(label);
    out.push_back(missing ? std::string() : label);
  }
  if (std::ranges::all_of(out, [](const std::string& label) { return label.empty(); }))
    throw Error(table_file + " has no label in any row that was answered");
  return out;
}

Confusion score(const ReadAnswers& answers, const std::string& answers_file,
                const std::vector<std::string>& labels, const std::string& table_file) {
  std::vector<std::string> names = answers.names;
  std::vector<std::size_t> truth, answered;
  std::size_t known = 0;
  const auto number = [&](const std::string& name) {
    const auto at = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    if (at == names.size()) names.push_back(name);
    return at;
  };
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) continue;
    truth.push_back(number(labels[i]));
    answered.push_back(number(answers.classes[i]));
    known += truth.back() < answers.names.size() ? 1 : 0;
  }
  if (known == 0)
    throw Error("no label of " + table_file + " is a class of " + answers_file + ": there is " +
                in_quotes(names[truth.front()]) + ", answers are of classes such as " +
                in_quotes(answers.names.front()) +
                "; name the label column by --label, and have smlp decrypt name the classes by --profile");
  return {std::move(names), truth, answered};
}

Measures score_numbers(const ReadAnswers& answers, const std::vector<std::string>& labels,
                       const DataOptions& data) {
  std::vector<double> truth, answered;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) continue;
    const auto value = number_in(labels[i], data.format.decimal);
    if (!value)
      throw Error(data.data + ": row " + std::to_string(answers.rows[i]) + ", the label " +
                  why_no_number(labels[i], data.format.decimal) + "; name the label column by --label");
    truth.push_back(*value);
    answered.push_back(answers.numbers[i]);
  }
  return number_quality(truth, answered);
}

/// Null where there is none.
nlohmann::json number_json(double value) {
  return value == value ? nlohmann::json(value) : nlohmann::json(nullptr);
}

nlohmann::json class_json(const Confusion& confusion, std::size_t i) {
  return {{"class", confusion.names[i]},
          {"rows", confusion.rows(i)},
          {"answers", confusion.answers(i)},
          {"recall", number_json(confusion.recall(i))},
          {"precision", number_json(confusion.precision(i))},
          {"f1", number_json(confusion.f1(i))}};
}

void say_numbers(const Measures& measures, std::size_t scored, std::size_t unlabelled,
                 const std::string& answers_file, const DataOptions& data, bool json, Console& console) {
  if (json) {
    nlohmann::json report{{"answers", answers_file},
                          {"data", data.data},
                          {"task", name(Task::regression)},
                          {"rows", scored},
                          {"unlabelled", unlabelled}};
    for (const auto& [measure, value] : measures) report[measure] = number_json(value);
    console.document(report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const std::string& measure : measures_of(Task::regression))
    console.result(measure_name(measure) + " " + measure_text(measure, measures.at(measure)) +
                   (measure == "r2"
                        ? " of " + count_text(scored, "row") + "; always answering their mean would give 0"
                        : ""));
}

}  // namespace

int score_command(const Words& words, Console& console) {
  std::string answers_file;
  DataOptions data;
  OutputOptions output;
  CommandLine line("score",
                   "Compares decrypted answers with the labels of the table that they are for: accuracy, "
                   "confusion, and precision, recall and F1 of each class; of a regression R^2, mean "
                   "squared and mean absolute error.");
  line.required("answers", answers_file, "the CSV of smlp decrypt");
  data.add_label_to(line);
  output.add_to(line, false);
  if (const auto help = line.parse(words)) return console.document(*help), 0;
  console.configure(output.json, output.quiet);

  const ReadAnswers answers = read_answers(answers_file);
  const std::vector<std::string> labels =
      labels_of(answers, answers_file, load_labels(data.source()), data.data);
  const auto unlabelled = static_cast<std::size_t>(std::ranges::count(labels, std::string()));
  const std::size_t scored = answers.rows.size() - unlabelled;
  if (unlabelled > 0)
    console.note(data.data + ": " + count_text(unlabelled, "answered row") + " without a label not scored");
  if (answers.regression) {
    const Measures measures = score_numbers(answers, labels, data);
    say_numbers(measures, scored, unlabelled, answers_file, data, output.json, console);
    return 0;
  }
  const Confusion confusion = score(answers, answers_file, labels, data.data);
  std::size_t largest = 0;
  for (std::size_t i = 0; i < confusion.names.size(); ++i) {
    if (confusion.rows(i) > confusion.rows(largest)) largest = i;
    if (confusion.rows(i) > 0 && confusion.counts(i, i) == 0)
      console.warning("warning: none of the " + count_text(confusion.rows(i), "row") + " of class " +
                      in_quotes(confusion.names[i]) + " is answered right");
  }
  const double always = static_cast<double>(confusion.rows(largest)) / static_cast<double>(scored);

  if (output.json) {
    nlohmann::json classes = nlohmann::json::array();
    for (std::size_t i = 0; i < confusion.names.size(); ++i) classes.push_back(class_json(confusion, i));
    const nlohmann::json report{{"answers", answers_file},
                                {"data", data.data},
                                {"task", name(Task::classification)},
                                {"rows", scored},
                                {"unlabelled", unlabelled},
                                {"accuracy", confusion.accuracy()},
                                {"largest_class", always},
                                {"classes", std::move(classes)},
                                {"confusion", confusion.count_rows()}};
    console.document(report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return 0;
  }
  console.result("accuracy " + percent(confusion.accuracy()) + " of " + count_text(scored, "row") +
                 "; always answering " + in_quotes(confusion.names[largest]) + " would give " +
                 percent(always));
  for (const std::string& text : confusion.class_lines()) console.result("  " + text);
  console.result("");
  for (const std::string& text : confusion.lines()) console.result("  " + text);
  return 0;
}

}  // namespace smlp
