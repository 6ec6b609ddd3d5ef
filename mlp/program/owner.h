// The data owner's part: a table made ready for encryption, and the same rows in the clear for twin and
// float.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "mlp/tables/profile.h"
#include "mlp/tables/table.h"
#include "mlp/training/encrypted_table.h"
#include "mlp/training/training.h"
#include "paillier/random.h"

namespace smlp {

/// Scaled rows in the order of the file, and the order in which they are encrypted.
struct OwnerTable {
  Matrix<double> features;
  Targets targets;  ///< none without labels
  std::vector<std::size_t> row_order;

  std::size_t rows() const { return row_order.size(); }
  bool has_labels() const { return !targets.empty(); }
};

/// Throws Error when the table has other columns than the profile, or a label that it does not know.
OwnerTable prepare_table(const Table& table, const Profile& profile, RandomStream shuffle);

/// Rows and targets in the order of the encrypted table, cut into its groups. Stays where it is while
/// its reader is used.
template <typename T>
struct ClearTable {
  Matrix<T> features;
  Matrix<T> labels;
  TableGroups groups;

  GroupReader<Matrix<T>> reader() const {
    const auto cut = [this](const Matrix<T>& from, std::size_t group) {
      Matrix<T> part(groups.widths[group], from.cols());
      for (std::size_t i = 0; i < part.rows(); ++i)
        for (std::size_t j = 0; j < part.cols(); ++j) part(i, j) = from(groups.first_rows[group] + i, j);
      return part;
    };
    return {[this, cut](std::size_t group) { return cut(features, group); },
            [this, cut](std::size_t group) { return cut(labels, group); }};
  }
};

/// The integers that the owner encrypts.
ClearTable<std::int64_t> integer_table(const OwnerTable& table, const TableGroups& groups,
                                       const Numbers& numbers);
/// The unrounded values.
ClearTable<double> float_table(const OwnerTable& table, const TableGroups& groups);

/// Row i of the result is row order[i] of `m`.
template <typename T>
Matrix<T> permuted_rows(const Matrix<T>& m, const std::vector<std::size_t>& order) {
  Matrix<T> out(order.size(), m.cols());
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = 0; j < m.cols(); ++j) out(i, j) = m(order[i], j);
  return out;
}
/// The inverse.
template <typename T>
Matrix<T> rows_in_file_order(const Matrix<T>& m, const std::vector<std::size_t>& order) {
  Matrix<T> out(m.rows(), m.cols());
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::size_t j = 0; j < m.cols(); ++j) out(order[i], j) = m(i, j);
  return out;
}

/// Half the squared error, summed over outputs and averaged over rows; `residual` is outputs less targets.
double half_squared_error(const Matrix<double>& residual);
/// Half the squared error of these weights on a table; in doubles.
double loss(const Network& network, const std::vector<Matrix<double>>& weights, const OwnerTable& table);
/// Scores (mlp/training/trainer.h) in the order of the file.
Matrix<double> scores(const Network& network, const std::vector<Matrix<double>>& weights,
                      const OwnerTable& table);

}  // namespace smlp
