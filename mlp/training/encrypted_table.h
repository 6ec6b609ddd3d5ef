// The table as the servers see it: encrypted rows in groups, groups in mini-batches.
//
// The rows of a group share ciphertexts and stay together for good, so the owner shuffles the rows first.
// Each mini-batch is a whole number of balanced groups; a smaller last batch has balanced groups of its own.
// With each group goes the encrypted index that each row has in the owner's file: it lets answers be put back
// in order, and no server learns the order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mlp/training/targets.h"
#include "paillier/keys.h"
#include "paillier/random.h"
#include "protocols/bit_budget.h"
#include "protocols/encrypted_matrix.h"

namespace smlp {

using TableId = std::array<std::uint8_t, 16>;

/// How the rows of a table are grouped: a function of its public sizes.
struct TableGroups {
  std::vector<std::size_t> widths;                ///< rows of each group
  std::vector<std::size_t> first_rows;            ///< position of the first row of each group
  std::vector<std::vector<std::size_t>> batches;  ///< for each mini-batch its groups, ascending
};
/// Throws Error when rows, batch or slots are 0.
TableGroups table_groups(std::size_t rows, std::size_t batch, std::size_t slots);

/// What is public about an encrypted table.
struct TableInfo {
  Fingerprint key{};  ///< of the keys that it is under
  BitBudget budget;
  std::size_t rows = 0;
  std::size_t features = 0;
  std::size_t outputs = 0;  ///< columns of labels: classes, or 1 with regression; 0: without labels
  std::size_t batch = 0;    ///< rows of a mini-batch
  TableId id{};             ///< random; names the table
  Fingerprint profile{};    ///< of the owner's profile, by which it was scaled; zeros: of none
  Task task = Task::classification;

  /// Throws Error naming the field: nothing in it, more than 2^24 features or max_classes classes, more
  /// than one label with regression, more rows than a row number can count (2^(value bits + guard bits), and
  /// 2^32).
  void check() const;
  bool operator==(const TableInfo&) const = default;
};

/// Called after each piece of work, such as a group, with the number of pieces done and the number in all.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

/// An encrypted table, read group by group; `group` counts from 0 in the order of groups().
class EncryptedTable {
 public:
  virtual ~EncryptedTable() = default;
  const TableInfo& info() const { return info_; }
  const TableGroups& groups() const { return groups_; }
  bool has_labels() const { return info_.outputs > 0; }

  /// width x features, scaled, in units of 2^-f; layout feature_layout(group).
  virtual EncryptedMatrix features(std::size_t group) const = 0;
  /// width x outputs, one-hot with 1.0 = 2^f, or with regression scaled as features are; layout
  /// label_layout(group). Throws Error when the table has no labels.
  virtual EncryptedMatrix labels(std::size_t group) const = 0;
  /// The one ciphertext whose slots hold the owner's index (from 0) of each row of the group.
  virtual std::vector<Ciphertext> order(std::size_t group) const = 0;

  /// {width of the group} x balanced groups of the columns. Throws Error when there is no such group.
  Layout feature_layout(std::size_t group) const;
  Layout label_layout(std::size_t group) const;

 protected:
  explicit EncryptedTable(TableInfo info);
  EncryptedTable(const EncryptedTable&) = default;
  EncryptedTable(EncryptedTable&&) = default;
  EncryptedTable& operator=(const EncryptedTable&) = default;
  EncryptedTable& operator=(EncryptedTable&&) = default;

  std::size_t width(std::size_t group) const;

 private:
  TableInfo info_;
  TableGroups groups_;
};

/// A table whose groups are encrypted as they are asked for: the owner's side, for a table larger than
/// memory. The same group gives the same ciphertexts every time.
class TableEncryptor : public EncryptedTable {
 public:
  /// `scaled_features` (rows x features) and `targets` (none: no labels) are in the owner's order;
  /// row i of the encrypted table is row row_order[i] of theirs. `columns` names features in messages,
  /// `profile` what scaled them. Every cell is checked here, before anything is encrypted. Throws Error:
  /// sizes that do not match, row_order no permutation, a value outside l bits.
  TableEncryptor(const PublicKeys& keys, const BitBudget& budget, std::size_t batch,
                 Matrix<double> scaled_features, Targets targets, std::vector<std::size_t> row_order,
                 const RandomSource& random, const std::vector<std::string>& columns = {},
                 const Fingerprint& profile = {});

  EncryptedMatrix features(std::size_t group) const override;
  EncryptedMatrix labels(std::size_t group) const override;
  std::vector<Ciphertext> order(std::size_t group) const override;

 private:
  std::vector<std::size_t> owner_rows(std::size_t group) const;

  PaillierPublicKey key_;
  Matrix<double> features_;
  Targets targets_;
  std::vector<std::size_t> row_order_;
  RandomSource random_;
};

/// An encrypted table in memory.
class MemoryTable : public EncryptedTable {
 public:
  explicit MemoryTable(const EncryptedTable& table, const Progress& progress = {});

  EncryptedMatrix features(std::size_t group) const override;
  EncryptedMatrix labels(std::size_t group) const override;
  std::vector<Ciphertext> order(std::size_t group) const override;

 private:
  std::vector<EncryptedMatrix> features_;
  std::vector<EncryptedMatrix> labels_;
  std::vector<std::vector<Ciphertext>> order_;
};

/// MemoryTable(TableEncryptor(..), progress).
MemoryTable encrypt_table(const PublicKeys& keys, const BitBudget& budget, std::size_t batch,
                          const Matrix<double>& scaled_features, const Targets& targets,
                          const std::vector<std::size_t>& row_order, const RandomSource& random,
                          const std::vector<std::string>& columns = {}, const Progress& progress = {},
                          const Fingerprint& profile = {});

}  // namespace smlp
