// Encrypted tables on disk, read group by group.
#pragma once

#include <filesystem>
#include <optional>

#include "mlp/files/ciphertext_file.h"
#include "mlp/training/encrypted_table.h"

namespace smlp {

/// Writes a table with the public keys that it is under, group by group, whole or not at all. Throws Error
/// also when the table is under other keys.
void save_table(const std::filesystem::path& path, const EncryptedTable& table, const PublicKeys& keys,
                const Progress& progress = {});

/// A table in a file; holds no group in memory. Each read checks sums and ciphertexts.
class TableFile : public EncryptedTable {
 public:
  /// Opens and checks everything but the ciphertexts. Throws Error naming the file.
  explicit TableFile(const std::filesystem::path& path);
  /// The same, and refuses a table that belongs to other keys.
  TableFile(const std::filesystem::path& path, const PublicKeys& keys);

  /// The keys that the file carries.
  const PublicKeys& public_keys() const { return keys_; }

  EncryptedMatrix features(std::size_t group) const override;
  EncryptedMatrix labels(std::size_t group) const override;
  std::vector<Ciphertext> order(std::size_t group) const override;

 private:
  /// Both packings of one kind of column, all groups below each other.
  struct Columns {
    hdf5::Dataset column_packed;
    std::optional<hdf5::Dataset> row_packed;  ///< none where every group is single
  };
  struct Opened;
  explicit TableFile(Opened opened);
  Columns open_columns(const std::string& name, std::size_t count) const;
  EncryptedMatrix read(const Columns& columns, std::size_t group, Layout layout, const char* what) const;

  hdf5::Reader reader_;
  PublicKeys keys_;
  std::string name_;
  std::optional<Columns> features_;
  std::optional<Columns> labels_;
  std::optional<hdf5::Dataset> order_;
};

}  // namespace smlp
