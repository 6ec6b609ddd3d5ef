// Encrypted tables, models and answers that HDF5 itself finds whole, with fields that do not fit: checksums
// keep the bytes of a damaged file from ever reaching these checks.
#include "mlp/files/hdf5.h"
#include "tests/fuzz/loaders.h"
#include "tests/support/toy_keys.h"

using namespace smlp;

namespace {

/// Writes fields as they should be, or as the input has them.
class Fields {
 public:
  Fields(hdf5::Group& root, fuzz::Choices& choices) : root_(root), choices_(choices) {}

  void number(const char* name, std::uint64_t right) { root_.set_number(name, fuzzed(right)); }
  void text(const char* name, const std::string& right) {
    root_.set_text(name, wrong() ? choices_.text(choices_.below(64)) : right);
  }
  void numbers(hdf5::Group& group, const char* name, std::vector<std::size_t> right) {
    if (wrong()) right.resize(1 + choices_.below(8));
    for (std::size_t& value : right) value = fuzzed(value);
    group.set_numbers(name, right);
  }
  /// Ciphertexts are small numbers, most of them units.
  void cells(hdf5::Group& group, const char* name, std::size_t rows, std::size_t cols) {
    if (wrong()) return;
    const hdf5::Shape shape{std::clamp<std::size_t>(fuzzed(rows), 1, 64),
                            std::clamp<std::size_t>(fuzzed(cols), 1, 64),
                            wrong() ? 1 + choices_.below(255) : 128};
    Bytes bytes(shape.rows * shape.cols * shape.width);
    for (std::size_t i = 0; i < bytes.size(); i += shape.width)
      bytes[i] = static_cast<std::uint8_t>(1 + i % 250);
    if (wrong()) bytes[choices_.number(2) % bytes.size()] = static_cast<std::uint8_t>(choices_.number(1));
    group.create_dataset(name, shape).write(0, bytes);
  }
  void columns(const char* name, std::size_t cols) {
    hdf5::Group group = root_.create_group(name);
    cells(group, "down", 3, cols);
    cells(group, "across", 7, (cols + 3) / 4);
  }
  void matrix(const char* name, std::size_t rows, std::size_t cols) {
    hdf5::Group group = root_.create_group(name);
    numbers(group, "row_groups", {rows - 1, 1});
    numbers(group, "col_groups", {cols});
    cells(group, "down", 2, cols);
    cells(group, "across", rows, 1);
  }

 private:
  bool wrong() { return choices_.below(16) == 15; }
  std::uint64_t fuzzed(std::uint64_t right) {
    return wrong() ? choices_.number(1 + choices_.below(8)) : right;
  }

  hdf5::Group& root_;
  fuzz::Choices& choices_;
};

void write_file(const std::filesystem::path& path, fuzz::Choices& choices) {
  static const std::string keys = to_json(toy_keys().public_keys());
  hdf5::Writer writer(path);
  hdf5::Group& root = writer.root();
  Fields fields(root, choices);
  const std::size_t kind = choices.below(3);
  fields.text("format", std::string(kind == 0 ? table_format : kind == 1 ? model_format : answers_format));
  fields.number("version", 4);
  fields.text("key", to_hex(toy_keys().public_keys().fingerprint()));
  fields.text("public_keys", keys);
  fields.number("value_bits", 12);
  fields.number("fraction_bits", 4);
  fields.number("sigma", 40);
  fields.number("max_inner", 16);
  fields.number("modulus_bits", 512);
  fields.number("slots", 4);
  fields.number("slot_bits", BitBudget({12, 4, 40}, 16, 512, 4).slot_bits());
  root.set_bytes("profile", Fingerprint{});
  if (kind == 0) {
    root.set_bytes("id", TableId{});
    fields.number("rows", 7);
    fields.number("features", 5);
    fields.number("classes", 3);
    fields.number("batch", 5);
    fields.columns("features", 5);
    fields.columns("labels", 3);
    fields.cells(root, "order", 3, 1);
  } else if (kind == 1) {
    fields.numbers(root, "network", {3, 2});
    fields.text("layers", R"(["hard-sigmoid"])");
    fields.text("protocols", R"({"matmul": "packed"})");
    fields.text("training", "{}");
    root.set_bytes("table_id", TableId{});
    fields.number("handed_over", 0);
    fields.number("epochs_done", 1);
    fields.number("steps_done", 2);
    fields.number("shown_masks", 100);
    fields.number("shown_rerandomisations", 50);
    fields.number("with_velocities", 1);
    fields.matrix("weights_0", 4, 2);
    fields.matrix("velocities_0", 4, 2);
  } else {
    fields.number("handed_over", 1);
    fields.number("rows", 7);
    fields.number("outputs", 2);
    fields.text("output", "hard-sigmoid");
    fields.numbers(root, "groups", {3, 2, 2});
    fields.cells(root, "order", 3, 1);
    fields.cells(root, "values", 3, 2);
  }
  writer.commit();
}

}  // namespace

/// What no choice changes is refused nowhere, or the fuzzer would look at headers alone.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const test::TemporaryDirectory directory;
  const std::filesystem::path path = directory / "file.h5";
  for (std::uint8_t kind = 0; kind < 3; ++kind) {
    fuzz::Choices choices({&kind, 1});
    write_file(path, choices);
    try {
      if (kind == 0) {
        const TableFile table(path);
        for (std::size_t group = 0; group < table.groups().widths.size(); ++group) table.features(group);
      } else if (kind == 1) {
        load_model(path);
      } else {
        load_answers(path);
      }
    } catch (const Error& error) {
      fuzz::expect(false, error.what());
    }
    std::filesystem::remove(path);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TemporaryDirectory directory;
  fuzz::Choices choices({data, size});
  fuzz::may_refuse([&] { write_file(directory / "file.h5", choices); });
  fuzz::load_encrypted_file(directory / "file.h5");
  return 0;
}
