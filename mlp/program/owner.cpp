// Scaling, shuffling, scoring.
#include "mlp/program/owner.h"

#include "mlp/tables/split.h"
#include "mlp/training/fixed_point.h"
#include "mlp/training/float_arithmetic.h"
#include "mlp/training/prediction.h"

namespace smlp {

OwnerTable prepare_table(const Table& table, const Profile& profile, RandomStream shuffle) {
  OwnerTable out;
  out.features = apply(profile, table);
  out.targets.task = profile.task;
  if (table.has_labels())
    out.targets = profile.task == Task::regression
                      ? number_targets(scaled_labels(profile, table))
                      : class_targets(class_indices(profile, table), profile.classes.size());
  out.row_order = shuffled(table.rows(), shuffle);
  return out;
}

ClearTable<std::int64_t> integer_table(const OwnerTable& table, const TableGroups& groups,
                                       const Numbers& numbers) {
  return {permuted_rows(in_words(encode(table.features, numbers)), table.row_order),
          in_words(encode(table.targets.of_rows(table.row_order), numbers)), groups};
}

ClearTable<double> float_table(const OwnerTable& table, const TableGroups& groups) {
  return {permuted_rows(table.features, table.row_order), table.targets.of_rows(table.row_order), groups};
}

Matrix<double> scores(const Network& network, const std::vector<Matrix<double>>& weights,
                      const OwnerTable& table) {
  FloatArithmetic arithmetic(1);  // the fraction bits matter to updates alone
  return forward(arithmetic, network, Weights<Matrix<double>>{weights, {}}, 0,
                 arithmetic.with_bias_input(table.features));
}

double half_squared_error(const Matrix<double>& residual) {
  double sum = 0;
  for (const double error : residual.cells()) sum += error * error;
  return sum / 2 / static_cast<double>(residual.rows());
}

double loss(const Network& network, const std::vector<Matrix<double>>& weights, const OwnerTable& table) {
  Matrix<double> residual = outputs_of(network.output(), scores(network, weights, table));
  const Matrix<double> targets = table.targets.all();
  for (std::size_t i = 0; i < residual.size(); ++i) residual.cells()[i] -= targets.cells()[i];
  return half_squared_error(residual);
}

}  // namespace smlp
