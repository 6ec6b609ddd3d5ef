// Headers and ciphertext arrays of the HDF5 files.
#include "mlp/files/ciphertext_file.h"

#include <algorithm>

#include "mlp/tables/table.h"
#include "paillier/error.h"

namespace smlp {

namespace {

constexpr std::uint64_t oldest_version = 3;
constexpr std::size_t longest_keys = std::size_t{1} << 16;
constexpr std::size_t longest_format = 64;

BitBudget read_budget(const hdf5::Group& root) {
  const Numbers numbers{root.number("value_bits", 8, 60), root.number("fraction_bits", 1, 58),
                        root.number("sigma", 40, 128)};
  const std::size_t inner = root.number("max_inner", 1, std::size_t{1} << 24);
  const std::size_t modulus_bits = root.number("modulus_bits", 256, 8192);
  const std::size_t slots = root.number("slots", 1, 8192);
  const std::size_t slot_bits = root.number("slot_bits", 1, 8192);
  try {
    const BitBudget budget(numbers, inner, modulus_bits, slots);
    if (budget.slot_bits() != slot_bits)
      throw Error("its slots have " + std::to_string(slot_bits) + " bits, its numbers need " +
                  std::to_string(budget.slot_bits()));
    return budget;
  } catch (const Error& error) {
    throw Error(root.name() + " is damaged: " + error.what());
  }
}

void check_groups(const std::vector<std::size_t>& groups, std::size_t total, std::size_t slots,
                  const std::string& where) {
  std::size_t sum = 0;
  for (const std::size_t width : groups) {
    if (width < 1 || width > slots)
      throw Error(where + " has a group of " + std::to_string(width) + " cells, allowed are 1 to " +
                  std::to_string(slots));
    sum += width;
  }
  if (sum != total)
    throw Error(where + " has groups of " + std::to_string(sum) + " cells in all, " + std::to_string(total) +
                " are needed");
}

}  // namespace

void write_header(hdf5::Group& root, std::string_view format, const FileHeader& header) {
  const std::string keys = to_json(header.keys);
  if (keys.size() > longest_keys) throw Error("the public keys take more than 64 KiB as text");
  root.set_text("format", format);
  root.set_number("version", header.version);
  root.set_text("task", name(header.task));
  root.set_text("key", to_hex(header.keys.fingerprint()));
  root.set_text("public_keys", keys);
  root.set_number("value_bits", header.budget.numbers().value_bits);
  root.set_number("fraction_bits", header.budget.numbers().fraction_bits);
  root.set_number("sigma", header.budget.numbers().sigma);
  root.set_number("max_inner", header.budget.max_inner());
  root.set_number("modulus_bits", header.budget.modulus_bits());
  root.set_number("slots", header.budget.slots());
  root.set_number("slot_bits", header.budget.slot_bits());
}

FileHeader read_header(const hdf5::Group& root, std::string_view format) {
  const std::string found = root.text("format", longest_format);
  if (found != format)
    throw Error(root.name() + " is " + in_quotes(found) + ", here " + in_quotes(format) + " is needed");
  const std::uint64_t version = root.number("version", 0, ~std::uint64_t{0});
  if (version < oldest_version)
    throw Error(
        root.name() + " has version " + std::to_string(version) +
        " of its format, whose masks and slots were narrower; encrypt the table anew, and train on it, "
        "with this program");
  if (version > format_version)
    throw Error(root.name() + " has version " + std::to_string(version) +
                " of its format, this program reads " + std::to_string(oldest_version) + " to " +
                std::to_string(format_version));
  PublicKeys keys =
      public_keys_from_json(root.text("public_keys", longest_keys), root.name() + ": public_keys");
  if (root.text("key", longest_format) != to_hex(keys.fingerprint()))
    throw Error(root.name() + " is damaged: its public keys do not have the fingerprint that it states");
  const Task task =
      version < first_with_task ? Task::classification : task_from_name(root.text("task", longest_format));
  return {std::move(keys), read_budget(root), version, task};
}

std::string read_format(const std::filesystem::path& path) {
  const hdf5::Reader reader(path);
  return reader.root().text("format", longest_format);
}

void check_same_key(const std::string& what, const Fingerprint& found, const Fingerprint& expected) {
  if (found == expected) return;
  constexpr std::size_t shown = 16;
  throw Error(what + " belongs to the key " + to_hex(found).substr(0, shown) + ".., not to the key " +
              to_hex(expected).substr(0, shown) + "..");
}

void write_ciphertexts(hdf5::Group& group, const std::string& name, const PaillierPublicKey& key,
                       std::span<const Ciphertext> cells, std::size_t rows, std::size_t cols) {
  if (cells.size() != rows * cols)
    throw Error(group.name() + ": " + std::to_string(cells.size()) + " ciphertexts are not " +
                std::to_string(rows) + " x " + std::to_string(cols));
  if (cells.empty()) return;
  Bytes bytes;
  key.encode_at_rest(cells, bytes);
  group.create_dataset(name, {rows, cols, key.ciphertext_bytes()}).write(0, bytes);
}

std::vector<Ciphertext> read_ciphertexts(const hdf5::Group& group, const std::string& name,
                                         const PaillierPublicKey& key, std::size_t rows, std::size_t cols) {
  const hdf5::Dataset dataset = group.open_dataset(name, {rows, cols, key.ciphertext_bytes()});
  return key.decode(dataset.read(0, rows), rows * cols, group.name() + "/" + name);
}

void write_matrix(hdf5::Group& parent, const std::string& name, const PaillierPublicKey& key,
                  const EncryptedMatrix& matrix) {
  const Layout& layout = matrix.layout();
  hdf5::Group group = parent.create_group(name);
  group.set_numbers("row_groups", layout.row_groups);
  group.set_numbers("col_groups", layout.col_groups);
  write_ciphertexts(group, "down", key, matrix.column_packed(), layout.row_groups.size(), matrix.cols());
  if (!layout.single())
    write_ciphertexts(group, "across", key, matrix.row_packed(), matrix.rows(), layout.col_groups.size());
}

EncryptedMatrix read_matrix(const hdf5::Group& parent, const std::string& name, const PaillierPublicKey& key,
                            std::size_t rows, std::size_t cols, std::size_t slots) {
  const hdf5::Group group = parent.open_group(name);
  Layout layout{group.numbers("row_groups", rows), group.numbers("col_groups", cols)};
  check_groups(layout.row_groups, rows, slots, group.name() + ": row_groups");
  check_groups(layout.col_groups, cols, slots, group.name() + ": col_groups");
  std::vector<Ciphertext> column_packed =
      read_ciphertexts(group, "down", key, layout.row_groups.size(), cols);
  std::vector<Ciphertext> row_packed;
  if (!layout.single()) row_packed = read_ciphertexts(group, "across", key, rows, layout.col_groups.size());
  return {std::move(layout), std::move(column_packed), std::move(row_packed)};
}

}  // namespace smlp
