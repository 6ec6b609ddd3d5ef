// Accuracy, R^2 and errors.
#include "mlp/program/quality.h"

#include <cmath>
#include <iomanip>
#include <sstream>

#include "mlp/program/confusion.h"
#include "mlp/program/console.h"
#include "mlp/program/report.h"
#include "mlp/training/prediction.h"
#include "paillier/error.h"

namespace smlp {

const std::vector<std::string>& measures_of(Task task) {
  static const std::vector<std::string> of_classes{"accuracy"},
      of_numbers{"r2", "squared_error", "absolute_error"};
  return task == Task::classification ? of_classes : of_numbers;
}

std::string measure_name(const std::string& measure) {
  if (measure == "r2") return "R^2";
  if (measure == "squared_error") return "mean squared error";
  if (measure == "absolute_error") return "mean absolute error";
  return measure;
}

std::string measure_text(const std::string& measure, double value) {
  if (measure == "accuracy") return percent(value);
  if (measure == "r2" || measure == "loss") return fixed_text(value, 4);
  std::ostringstream out;
  out << std::setprecision(5) << value;
  return out.str();
}

Measures number_quality(const std::vector<double>& truth, const std::vector<double>& answers) {
  if (truth.size() != answers.size() || truth.empty())
    throw Error("there are " + std::to_string(answers.size()) + " answers for " +
                std::to_string(truth.size()) + " rows");
  const auto rows = static_cast<double>(truth.size());
  double mean = 0, squares = 0, absolute = 0, total = 0;
  for (const double value : truth) mean += value / rows;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double error = answers[i] - truth[i];
    squares += error * error;
    absolute += std::fabs(error);
    total += (truth[i] - mean) * (truth[i] - mean);
  }
  return {{"r2", total == 0 ? std::nan("") : 1 - squares / total},
          {"squared_error", squares / rows},
          {"absolute_error", absolute / rows}};
}

std::vector<double> label_values(const Profile& profile, const Matrix<double>& outputs) {
  std::vector<double> out;
  for (const double value : outputs.cells()) out.push_back(profile.label_of(value));
  return out;
}

Measures quality(const Profile& profile, const OwnerTable& table, const Matrix<double>& scores) {
  if (profile.task == Task::regression)
    return number_quality(label_values(profile, table.targets.all()), label_values(profile, scores));
  return {
      {"accuracy", Confusion(profile.classes, table.targets.classes, largest_outputs(scores)).accuracy()}};
}

}  // namespace smlp
