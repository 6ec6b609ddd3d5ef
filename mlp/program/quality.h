// How good the answers of a network are: of classes and of numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mlp/program/owner.h"
#include "mlp/tables/profile.h"
#include "mlp/task.h"
#include "protocols/matrix.h"

namespace smlp {

/// Measures by their names in JSON: of classes `accuracy`; of numbers `r2`, and in the label's units the
/// means `squared_error` and `absolute_error`.
using Measures = std::map<std::string, double>;

/// The measures of a task, the one to choose options by first: the higher the better.
const std::vector<std::string>& measures_of(Task task);
/// "R^2", "mean squared error".
std::string measure_name(const std::string& measure);
/// "96.5 %", "0.4512".
std::string measure_text(const std::string& measure, double value);

/// Scores (mlp/training/trainer.h) of a table in the order of its file. Throws Error where there are not as
/// many as rows.
Measures quality(const Profile& profile, const OwnerTable& table, const Matrix<double>& scores);
/// R^2 = 1 - sum of squared errors / sum of squares about the mean of `truth`: nan where that is 0.
Measures number_quality(const std::vector<double>& truth, const std::vector<double>& answers);

/// Rows of one output in the label's own units.
std::vector<double> label_values(const Profile& profile, const Matrix<double>& outputs);

}  // namespace smlp
