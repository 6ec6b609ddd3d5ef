// Encrypted tables on disk: round trips, other keys, damage.
#include "mlp/files/table_file.h"

#include <doctest/doctest.h>

#include "mlp/training/fixed_point.h"
#include "tests/mlp/training/encrypted_support.h"

using namespace smlp;
using namespace smlp::test;

TEST_CASE("a table comes back group by group") {
  const TemporaryDirectory directory;
  for (const bool with_labels : {true, false})
    for (const std::size_t slots : {std::size_t{0}, std::size_t{1}}) {
      const MemoryTable table = toy_table(with_labels, 5, slots);
      std::size_t calls = 0;
      save_table(directory / "t.h5", table, toy_keys().public_keys(),
                 [&](std::size_t done, std::size_t total) {
                   CHECK(done == ++calls);
                   CHECK(total == table.groups().widths.size());
                 });
      CHECK(calls == table.groups().widths.size());
      const TableFile file(directory / "t.h5", toy_keys().public_keys());
      CHECK(same_table(file, table));
      CHECK(file.public_keys().fingerprint() == toy_keys().public_keys().fingerprint());
      CHECK(file.features(1) == table.features(1));  // out of turn
      CHECK(same_table(MemoryTable(TableFile(directory / "t.h5")), table));
      if (!with_labels) CHECK(contains(message_of([&] { file.labels(0); }), "no labels"));
      CHECK_THROWS_AS(file.order(99), Error);
    }
  CHECK(directory.entries() == 1);
}

TEST_CASE("a single last group beside wide ones comes back") {
  // 1 feature, batches of 3 rows: the last batch of one row has both packings in one.
  const TemporaryDirectory directory;
  Matrix<double> features(7, 1);
  const MemoryTable table = encrypt_table(toy_keys().public_keys(), toy_budget(), 3, features, Targets{},
                                          toy_order(), RandomSource::from_seed(9));
  CHECK(table.groups().widths == std::vector<std::size_t>{3, 3, 1});
  save_table(directory / "t.h5", table, toy_keys().public_keys());
  CHECK(same_table(TableFile(directory / "t.h5"), table));
}

TEST_CASE("the owner can write a table that it never holds whole") {
  const TemporaryDirectory directory;
  const TableEncryptor encryptor(toy_keys().public_keys(), toy_budget(), 5, toy_features(),
                                 class_targets(toy_classes(), 3), toy_order(), RandomSource::from_seed(7));
  save_table(directory / "t.h5", encryptor, toy_keys().public_keys());
  CHECK(same_table(TableFile(directory / "t.h5"), toy_table()));
}

TEST_CASE("a table of numbers to learn says so, and holds them scaled") {
  const TemporaryDirectory directory;
  const std::vector<double> numbers{0, 0.5, -1.25, 2, 1, -2, 0.25};
  const MemoryTable table = encrypt_table(toy_keys().public_keys(), toy_budget(), 5, toy_features(),
                                          number_targets(numbers), toy_order(), RandomSource::from_seed(9));
  save_table(directory / "t.h5", table, toy_keys().public_keys());
  const TableFile file(directory / "t.h5");
  CHECK(same_table(file, table));
  CHECK(file.info().task == Task::regression);
  CHECK(file.info().outputs == 1);
  const EncryptedMatrix labels = file.labels(0);
  const Matrix<double> opened = decode(unpack_columns(toy_keys().paillier().decrypt(labels.column_packed()),
                                                      labels.layout(), toy_budget().slot_bits()),
                                       toy_numbers());
  for (std::size_t i = 0; i < labels.rows(); ++i) CHECK(opened(i, 0) == numbers[toy_order()[i]]);
  TableInfo two = table.info();
  two.outputs = 2;
  CHECK(contains(message_of([&] { two.check(); }), "one column of labels, not 2"));
}

TEST_CASE("a table under other keys is refused") {
  const TemporaryDirectory directory;
  save_table(directory / "t.h5", toy_table(), toy_keys().public_keys());
  CHECK(
      contains(message_of([&] { TableFile(directory / "t.h5", toy_keys(Variant::standard).public_keys()); }),
               "t.h5 belongs to the key " + to_hex(toy_keys().public_keys().fingerprint()).substr(0, 16)));
  CHECK(contains(message_of([&] {
                   save_table(directory / "u.h5", toy_table(), toy_keys(Variant::standard).public_keys());
                 }),
                 "the table belongs to the key"));
  CHECK(directory.entries() == 1);
}

TEST_CASE("what is no table is refused") {
  const TemporaryDirectory directory;
  CHECK(contains(message_of([&] { TableFile(directory / "none.h5"); }), "none.h5"));
  {
    hdf5::Writer writer(directory / "m.h5");
    write_header(writer.root(), model_format, {toy_keys().public_keys(), toy_budget()});
    writer.commit();
  }
  CHECK(contains(message_of([&] { TableFile(directory / "m.h5"); }), "is 'smlp-encrypted-model', here"));
}

TEST_CASE("a header that does not fit the file is refused") {
  const TemporaryDirectory directory;
  const auto refusal = [&](std::uint64_t rows, std::uint64_t features, std::uint64_t batch,
                           std::uint64_t version, const BitBudget& budget) {
    {
      hdf5::Writer writer(directory / "t.h5");
      hdf5::Group& root = writer.root();
      root.set_text("format", table_format);
      root.set_number("version", version);
      root.set_text("key", to_hex(toy_keys().public_keys().fingerprint()));
      root.set_text("public_keys", to_json(toy_keys().public_keys()));
      root.set_number("value_bits", budget.numbers().value_bits);
      root.set_number("fraction_bits", budget.numbers().fraction_bits);
      root.set_number("sigma", budget.numbers().sigma);
      root.set_number("max_inner", budget.max_inner());
      root.set_number("modulus_bits", budget.modulus_bits());
      root.set_number("slots", budget.slots());
      root.set_number("slot_bits", budget.slot_bits());
      root.set_bytes("id", TableId{});
      root.set_bytes("profile", Fingerprint{});
      root.set_number("rows", rows);
      root.set_number("features", features);
      root.set_number("classes", 0);
      root.set_number("batch", batch);
      writer.commit();
    }
    return message_of([&] { TableFile(directory / "t.h5"); });
  };
  CHECK(contains(refusal(7, 5, 5, 9, toy_budget()), "has version 9 of its format"));
  CHECK(contains(
      refusal(7, 5, 5, 1, toy_budget()),
      "has version 1 of its format, whose masks and slots were narrower; encrypt the table anew, and "
      "train on it, with this program"));
  CHECK(contains(refusal(0, 5, 5, 3, toy_budget()), "rows is 0"));
  CHECK(contains(refusal(65536, 5, 5, 3, toy_budget()), "too small for the 65536 rows"));
  CHECK(contains(refusal(65537, 5, 5, 3, toy_budget()), "allowed are 1 to 65536"));
  CHECK(contains(refusal(7, 1 << 24, 5, 3, toy_budget()), "too small"));
  CHECK(contains(refusal(7, 5, 0, 3, toy_budget()), "batch is 0"));
  CHECK(contains(refusal(7, 5, 5, 3, BitBudget(toy_numbers(), 16, 1024)), "another size of key"));
  CHECK(contains(refusal(7, 5, 5, 3, toy_budget()), "has no features"));
}

TEST_CASE("a damaged table is refused") {
  const TemporaryDirectory directory;
  const MemoryTable table = toy_table();
  save_table(directory / "t.h5", table, toy_keys().public_keys());
  const std::size_t refused =
      damage(directory / "t.h5", 100, [&](const auto& path) { return same_table(TableFile(path), table); });
  CHECK(refused > 150);
}
