// Groups, layouts and encryption of tables.
#include "mlp/training/encrypted_table.h"

#include <algorithm>
#include <limits>

#include "mlp/tables/profile.h"
#include "mlp/training/fixed_point.h"
#include "paillier/error.h"
#include "protocols/operation_id.h"

namespace smlp {

namespace {

void check_size(const char* what, std::size_t size, std::size_t high) {
  if (size < 1 || size > high)
    throw Error("a table of " + std::to_string(size) + " " + what +
                " cannot be encrypted, allowed are 1 to " + std::to_string(high));
}

}  // namespace

TableGroups table_groups(std::size_t rows, std::size_t batch, std::size_t slots) {
  if (rows == 0) throw Error("a table of 0 rows has no groups");
  if (batch == 0) throw Error("--batch is 0, at least 1 is needed");
  TableGroups groups;
  for (std::size_t first = 0; first < rows;) {
    std::vector<std::size_t>& members = groups.batches.emplace_back();
    for (const std::size_t width : balanced_groups(std::min(batch, rows - first), slots)) {
      members.push_back(groups.widths.size());
      groups.widths.push_back(width);
      groups.first_rows.push_back(first);
      first += width;
    }
  }
  return groups;
}

void TableInfo::check() const {
  constexpr std::size_t most = std::size_t{1} << 32;
  check_size("features", features, std::size_t{1} << 24);
  if (outputs != 0) check_size("classes", outputs, max_classes);
  if (task == Task::regression && outputs > 1)
    throw Error("a table for regression has one column of labels, not " + std::to_string(outputs));
  check_size("rows a batch", batch, most);
  check_size("rows", rows, budget.guarded_bits() < 32 ? std::size_t{1} << budget.guarded_bits() : most);
}

EncryptedTable::EncryptedTable(TableInfo info) : info_(std::move(info)) {
  info_.check();
  groups_ = table_groups(info_.rows, info_.batch, info_.budget.slots());
}

std::size_t EncryptedTable::width(std::size_t group) const {
  if (group >= groups_.widths.size())
    throw Error("the table has " + std::to_string(groups_.widths.size()) +
                " groups of rows, there is no number " + std::to_string(group));
  return groups_.widths[group];
}

Layout EncryptedTable::feature_layout(std::size_t group) const {
  return {{width(group)}, balanced_groups(info_.features, info_.budget.slots())};
}

Layout EncryptedTable::label_layout(std::size_t group) const {
  if (!has_labels())
    throw Error("the encrypted table has no labels; training needs a table that was encrypted with them");
  return {{width(group)}, balanced_groups(info_.outputs, info_.budget.slots())};
}

namespace {

TableInfo describe(const PublicKeys& keys, const BitBudget& budget, std::size_t batch, std::size_t rows,
                   std::size_t features, const Targets& targets, const RandomSource& random,
                   const Fingerprint& profile) {
  if (budget.modulus_bits() != keys.paillier().bits())
    throw Error("the bit budget is for a key of " + std::to_string(budget.modulus_bits()) +
                " bits, the key has " + std::to_string(keys.paillier().bits()));
  TableInfo info{.key = keys.fingerprint(),
                 .budget = budget,
                 .rows = rows,
                 .features = features,
                 .outputs = targets.empty() ? 0 : targets.outputs,
                 .batch = batch,
                 .id = {},
                 .profile = profile,
                 .task = targets.task};
  random.derive("table id").stream({}).fill(info.id);
  return info;
}

}  // namespace

TableEncryptor::TableEncryptor(const PublicKeys& keys, const BitBudget& budget, std::size_t batch,
                               Matrix<double> scaled_features, Targets targets,
                               std::vector<std::size_t> row_order, const RandomSource& random,
                               const std::vector<std::string>& columns, const Fingerprint& profile)
    : EncryptedTable(describe(keys, budget, batch, scaled_features.rows(), scaled_features.cols(), targets,
                              random, profile)),
      key_(keys.paillier()),
      features_(std::move(scaled_features)),
      targets_(std::move(targets)),
      row_order_(std::move(row_order)),
      random_(random.derive("encrypted table")) {
  const std::size_t rows = features_.rows();
  if (!targets_.empty()) {
    if (targets_.rows() != rows)
      throw Error("the table has " + std::to_string(rows) + " rows and " + std::to_string(targets_.rows()) +
                  " labels");
    targets_.check(budget.numbers());
  }
  std::vector<bool> seen(rows, false);
  for (const std::size_t row : row_order_)
    if (row < rows) seen[row] = true;
  if (row_order_.size() != rows || std::ranges::find(seen, false) != seen.end())
    throw Error("the order of the rows is no permutation of 0 to " + std::to_string(rows - 1));
  check_encodable(features_, budget.numbers(), columns);
}

std::vector<std::size_t> TableEncryptor::owner_rows(std::size_t group) const {
  const std::size_t count = width(group);
  const auto first = row_order_.begin() + static_cast<std::ptrdiff_t>(groups().first_rows[group]);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

EncryptedMatrix TableEncryptor::features(std::size_t group) const {
  const std::vector<std::size_t> rows = owner_rows(group);
  Matrix<double> values(rows.size(), features_.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < features_.cols(); ++j) values(i, j) = features_(rows[i], j);
  const OperationId operation{static_cast<std::uint32_t>(group), 0, Direction::input};
  return encrypt_matrix(key_, encode(values, info().budget.numbers()), feature_layout(group),
                        info().budget.slot_bits(),
                        {random_, operation.address(RandomnessKind::table_column_packed)},
                        {random_, operation.address(RandomnessKind::table_row_packed)})
      .local();
}

EncryptedMatrix TableEncryptor::labels(std::size_t group) const {
  const Layout layout = label_layout(group);
  const OperationId operation{static_cast<std::uint32_t>(group), 0, Direction::input};
  return encrypt_matrix(key_, encode(targets_.of_rows(owner_rows(group)), info().budget.numbers()), layout,
                        info().budget.slot_bits(),
                        {random_, operation.address(RandomnessKind::table_labels_column_packed)},
                        {random_, operation.address(RandomnessKind::table_labels_row_packed)})
      .local();
}

std::vector<Ciphertext> TableEncryptor::order(std::size_t group) const {
  std::vector<Integer> indices;
  for (const std::size_t row : owner_rows(group)) indices.emplace_back(static_cast<unsigned long>(row));
  const OperationId operation{static_cast<std::uint32_t>(group), 0, Direction::input};
  const std::vector<Integer> packed{pack(indices, info().budget.slot_bits())};
  return {encrypt_packed(key_, packed, {random_, operation.address(RandomnessKind::table_order)})
              .front()
              .local()};
}

MemoryTable::MemoryTable(const EncryptedTable& table, const Progress& progress)
    : EncryptedTable(table.info()) {
  for (std::size_t group = 0; group < groups().widths.size(); ++group) {
    features_.push_back(table.features(group));
    if (has_labels()) labels_.push_back(table.labels(group));
    order_.push_back(table.order(group));
    if (progress) progress(group + 1, groups().widths.size());
  }
}

EncryptedMatrix MemoryTable::features(std::size_t group) const {
  width(group);
  return features_[group];
}

EncryptedMatrix MemoryTable::labels(std::size_t group) const {
  label_layout(group);
  return labels_[group];
}

std::vector<Ciphertext> MemoryTable::order(std::size_t group) const {
  width(group);
  return order_[group];
}

MemoryTable encrypt_table(const PublicKeys& keys, const BitBudget& budget, std::size_t batch,
                          const Matrix<double>& scaled_features, const Targets& targets,
                          const std::vector<std::size_t>& row_order, const RandomSource& random,
                          const std::vector<std::string>& columns, const Progress& progress,
                          const Fingerprint& profile) {
  return MemoryTable(
      TableEncryptor(keys, budget, batch, scaled_features, targets, row_order, random, columns, profile),
      progress);
}

}  // namespace smlp
