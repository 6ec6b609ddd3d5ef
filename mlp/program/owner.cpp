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
  if (table.has_labels()) out.classes = class_indices(profile, table);
  out.row_order = shuffled(table.rows(), shuffle);
  return out;
}

ClearTable<Integer> integer_table(const OwnerTable& table, const TableGroups& groups, std::size_t classes,
                                  const Numbers& numbers) {
  return {permuted_rows(encode(table.features, numbers), table.row_order),
          permuted_rows(one_hot(table.classes, classes, numbers), table.row_order), groups};
}

ClearTable<double> float_table(const OwnerTable& table, const TableGroups& groups, std::size_t classes) {
  Matrix<double> labels(table.rows(), classes);
  for (std::size_t i = 0; i < table.classes.size(); ++i) labels(i, table.classes[i]) = 1;
  return {permuted_rows(table.features, table.row_order), permuted_rows(labels, table.row_order), groups};
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
  for (std::size_t i = 0; i < residual.rows(); ++i) residual(i, table.classes[i]) -= 1;
  return half_squared_error(residual);
}

double accuracy(const Network& network, const std::vector<Matrix<double>>& weights, const OwnerTable& table) {
  const std::vector<std::size_t> answers = largest_outputs(scores(network, weights, table));
  std::size_t right = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) right += answers[i] == table.classes[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(answers.size());
}

}  // namespace smlp
