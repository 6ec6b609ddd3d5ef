// Encrypted tables on disk.
//
// features/down   groups x features             features/across   rows x column groups
// labels/down     groups x outputs              labels/across     rows x output groups      (with labels)
// order           groups x 1
// `row_packed` is absent where every group is single; rows stand in the order of the groups.
#include "mlp/files/table_file.h"

#include <algorithm>

#include "paillier/error.h"

namespace smlp {

namespace {

bool all_single(const TableGroups& groups, const std::vector<std::size_t>& col_groups) {
  return Layout{groups.widths, col_groups}.single();
}

/// The two datasets of one kind of column, for writing.
class ColumnsWriter {
 public:
  ColumnsWriter(hdf5::Group& root, const std::string& name, const EncryptedTable& table,
                const PaillierPublicKey& key, std::size_t count)
      : key_(key),
        group_(root.create_group(name)),
        column_packed_(group_.create_dataset("down", column_packed_shape(table, count))) {
    const std::vector<std::size_t> col_groups = balanced_groups(count, table.info().budget.slots());
    if (!all_single(table.groups(), col_groups))
      row_packed_ =
          group_.create_dataset("across", {table.info().rows, col_groups.size(), key.ciphertext_bytes()});
  }

  void write(const EncryptedMatrix& matrix, std::size_t group, std::size_t first_row) {
    column_packed_.write(group, encoded(matrix.column_packed()));
    if (row_packed_) row_packed_->write(first_row, encoded(matrix.row_packed()));
  }

 private:
  hdf5::Shape column_packed_shape(const EncryptedTable& table, std::size_t count) const {
    return {table.groups().widths.size(), count, key_.ciphertext_bytes()};
  }
  Bytes encoded(const std::vector<Ciphertext>& cells) const {
    Bytes bytes;
    key_.encode_at_rest(cells, bytes);
    return bytes;
  }

  const PaillierPublicKey& key_;
  hdf5::Group group_;
  hdf5::Dataset column_packed_;
  std::optional<hdf5::Dataset> row_packed_;
};

void write_groups(hdf5::Group& root, const EncryptedTable& table, const PaillierPublicKey& key,
                  const Progress& progress) {
  const TableInfo& info = table.info();
  const std::size_t count = table.groups().widths.size();
  ColumnsWriter features(root, "features", table, key, info.features);
  std::optional<ColumnsWriter> labels;
  if (table.has_labels()) labels.emplace(root, "labels", table, key, info.outputs);
  hdf5::Dataset order = root.create_dataset("order", {count, 1, key.ciphertext_bytes()});

  for (std::size_t group = 0; group < count; ++group) {
    const std::size_t first = table.groups().first_rows[group];
    features.write(table.features(group), group, first);
    if (labels) labels->write(table.labels(group), group, first);
    Bytes bytes;
    key.encode_at_rest(table.order(group), bytes);
    order.write(group, bytes);
    if (progress) progress(group + 1, count);
  }
}

}  // namespace

void save_table(const std::filesystem::path& path, const EncryptedTable& table, const PublicKeys& keys,
                const Progress& progress) {
  const TableInfo& info = table.info();
  check_same_key("the table", info.key, keys.fingerprint());
  hdf5::Writer writer(path);
  write_header(writer.root(), table_format, {.keys = keys, .budget = info.budget, .task = info.task});
  writer.root().set_bytes("id", info.id);
  writer.root().set_bytes("profile", info.profile);
  writer.root().set_number("rows", info.rows);
  writer.root().set_number("features", info.features);
  writer.root().set_number("classes", info.outputs);
  writer.root().set_number("batch", info.batch);
  write_groups(writer.root(), table, keys.paillier(), progress);
  writer.commit();
}

struct TableFile::Opened {
  hdf5::Reader reader;
  FileHeader header;
  TableInfo info;

  static Opened open(const std::filesystem::path& path) {
    hdf5::Reader reader(path);
    const hdf5::Group& root = reader.root();
    FileHeader header = read_header(root, table_format);
    if (header.budget.modulus_bits() != header.keys.paillier().bits())
      throw Error(path.string() + " is damaged: its bit budget is for another size of key");
    constexpr std::uint64_t most = std::uint64_t{1} << 32;
    TableInfo info{header.keys.fingerprint(),
                   header.budget,
                   root.number("rows", 1, most),
                   root.number("features", 1, most),
                   root.number("classes", 0, most),
                   root.number("batch", 1, most),
                   {},
                   {},
                   header.task};
    root.bytes("id", info.id);
    root.bytes("profile", info.profile);
    info.check();
    // Before the groups are listed: a file cannot hold more rows than its ciphertexts have slots.
    const std::uintmax_t cells = root.file_size() / header.keys.paillier().ciphertext_bytes();
    if (info.rows / header.budget.slots() > cells || info.features > cells)
      throw Error(path.string() + " is truncated or damaged: it is too small for the " +
                  std::to_string(info.rows) + " rows that it states");
    return {std::move(reader), std::move(header), std::move(info)};
  }
};

TableFile::TableFile(Opened opened)
    : EncryptedTable(std::move(opened.info)),
      reader_(std::move(opened.reader)),
      keys_(std::move(opened.header.keys)),
      name_(reader_.root().name()) {
  features_ = open_columns("features", info().features);
  if (has_labels()) labels_ = open_columns("labels", info().outputs);
  order_ =
      reader_.root().open_dataset("order", {groups().widths.size(), 1, keys_.paillier().ciphertext_bytes()});
}

TableFile::TableFile(const std::filesystem::path& path) : TableFile(Opened::open(path)) {}

TableFile::TableFile(const std::filesystem::path& path, const PublicKeys& keys) : TableFile(path) {
  check_same_key(path.string(), info().key, keys.fingerprint());
}

TableFile::Columns TableFile::open_columns(const std::string& name, std::size_t count) const {
  const std::size_t width = keys_.paillier().ciphertext_bytes();
  const std::vector<std::size_t> col_groups = balanced_groups(count, info().budget.slots());
  const hdf5::Group group = reader_.root().open_group(name);
  Columns columns{group.open_dataset("down", {groups().widths.size(), count, width}), std::nullopt};
  if (!all_single(groups(), col_groups))
    columns.row_packed = group.open_dataset("across", {info().rows, col_groups.size(), width});
  return columns;
}

EncryptedMatrix TableFile::read(const Columns& columns, std::size_t group, Layout layout,
                                const char* what) const {
  const auto decode = [&](const hdf5::Dataset& dataset, std::size_t first, std::size_t rows) {
    return keys_.paillier().decode(dataset.read(first, rows), rows * dataset.shape().cols,
                                   name_ + ": " + what + " of group " + std::to_string(group));
  };
  std::vector<Ciphertext> column_packed = decode(columns.column_packed, group, 1);
  std::vector<Ciphertext> row_packed;
  if (!layout.single()) row_packed = decode(*columns.row_packed, groups().first_rows[group], layout.rows());
  return {std::move(layout), std::move(column_packed), std::move(row_packed)};
}

EncryptedMatrix TableFile::features(std::size_t group) const {
  return read(*features_, group, feature_layout(group), "features");
}

EncryptedMatrix TableFile::labels(std::size_t group) const {
  Layout layout = label_layout(group);
  return read(*labels_, group, std::move(layout), "labels");
}

std::vector<Ciphertext> TableFile::order(std::size_t group) const {
  width(group);
  return keys_.paillier().decode(order_->read(group, 1), 1,
                                 name_ + ": order of group " + std::to_string(group));
}

}  // namespace smlp
