// Groups of rows, and what a decryption of each packing shows.
#include "mlp/training/encrypted_table.h"

#include <doctest/doctest.h>

#include <numeric>
#include <set>

#include "mlp/training/fixed_point.h"
#include "tests/mlp/training/encrypted_support.h"

using namespace smlp;
using namespace smlp::test;

namespace {

IntegerMatrix decrypted_column_packed(const EncryptedMatrix& m) {
  return unpack_columns(toy_keys().paillier().decrypt(m.column_packed()), m.layout(),
                        toy_budget().slot_bits());
}
IntegerMatrix decrypted_row_packed(const EncryptedMatrix& m) {
  return unpack_rows(toy_keys().paillier().decrypt(m.row_packed()), m.layout(), toy_budget().slot_bits());
}

}  // namespace

TEST_CASE("each mini-batch is a whole number of balanced groups") {
  const TableGroups groups = table_groups(70, 32, 20);
  CHECK(groups.widths == std::vector<std::size_t>{16, 16, 16, 16, 6});
  CHECK(groups.first_rows == std::vector<std::size_t>{0, 16, 32, 48, 64});
  CHECK(groups.batches == std::vector<std::vector<std::size_t>>{{0, 1}, {2, 3}, {4}});
  CHECK(table_groups(10, 32, 4).widths == std::vector<std::size_t>{4, 3, 3});
  CHECK(table_groups(3, 2, 1).batches == std::vector<std::vector<std::size_t>>{{0, 1}, {2}});
  CHECK_THROWS_AS(table_groups(0, 1, 1), Error);
  CHECK_THROWS_AS(table_groups(1, 0, 1), Error);
}

TEST_CASE("both packings decrypt to the rows in the shuffled order") {
  for (const std::size_t slots : {std::size_t{0}, std::size_t{1}}) {
    const MemoryTable table = toy_table(true, 5, slots);
    CHECK(table.groups().widths ==
          (slots == 1 ? std::vector<std::size_t>(7, 1) : std::vector<std::size_t>{3, 2, 2}));
    const IntegerMatrix features = encode(toy_features(), toy_numbers());
    const IntegerMatrix labels = encode(class_targets(toy_classes(), 3).all(), toy_numbers());
    for (std::size_t group = 0; group < table.groups().widths.size(); ++group) {
      const EncryptedMatrix x = table.features(group);
      CHECK(x.layout() == table.feature_layout(group));
      const IntegerMatrix column_packed = decrypted_column_packed(x);
      CHECK(decrypted_row_packed(x) == column_packed);
      const EncryptedMatrix y = table.labels(group);
      CHECK(y.layout() == table.label_layout(group));
      const IntegerMatrix classes = decrypted_column_packed(y);
      CHECK(decrypted_row_packed(y) == classes);
      const std::size_t width = table.groups().widths[group];
      REQUIRE(table.order(group).size() == 1);
      const std::vector<Integer> order =
          unpack(toy_keys().paillier().decrypt(table.order(group)[0]), width, toy_budget().slot_bits());
      for (std::size_t i = 0; i < width; ++i) {
        const std::size_t row = toy_order()[table.groups().first_rows[group] + i];
        CHECK(order[i] == static_cast<unsigned long>(row));
        for (std::size_t j = 0; j < 5; ++j) CHECK(column_packed(i, j) == features(row, j));
        for (std::size_t j = 0; j < 3; ++j) CHECK(classes(i, j) == labels(row, j));
      }
    }
  }
}

TEST_CASE("no randomness is used twice, in whatever order groups are asked for") {
  const auto log = std::make_shared<AddressLog>();
  const RandomSource random = RandomSource::from_seed(7).recording(log);
  const MemoryTable table = encrypt_table(toy_keys().public_keys(), toy_budget(), 5, toy_features(),
                                          class_targets(toy_classes(), 3), toy_order(), random);
  CHECK(log->size() > 3 * (5 + 3));
  CHECK(log->repeated() == 0);
  std::set<Integer> residues;
  std::size_t count = 0;
  for (std::size_t group = 0; group < 3; ++group)
    for (const auto& cells :
         {table.features(group).column_packed(), table.features(group).row_packed(),
          table.labels(group).column_packed(), table.labels(group).row_packed(), table.order(group)})
      for (const Ciphertext& c : cells) {
        residues.insert(c.residue());
        ++count;
      }
  CHECK(residues.size() == count);

  const TableEncryptor encryptor(toy_keys().public_keys(), toy_budget(), 5, toy_features(),
                                 class_targets(toy_classes(), 3), toy_order(), RandomSource::from_seed(7));
  CHECK(encryptor.labels(2) == table.labels(2));
  CHECK(encryptor.features(0) == table.features(0));
  CHECK(same_table(encryptor, table));
  const MemoryTable other =
      encrypt_table(toy_keys().public_keys(), toy_budget(), 5, toy_features(),
                    class_targets(toy_classes(), 3), toy_order(), RandomSource::from_seed(8));
  CHECK(other.info().id != table.info().id);
  CHECK_FALSE(other.features(0) == table.features(0));
}

TEST_CASE("a table without labels says so") {
  const MemoryTable table = toy_table(false);
  CHECK_FALSE(table.has_labels());
  CHECK(table.info().outputs == 0);
  CHECK(contains(message_of([&] { table.labels(0); }), "no labels"));
  CHECK(contains(message_of([&] { table.features(3); }), "there is no number 3"));
  CHECK(contains(message_of([&] { table.order(3); }), "there is no number 3"));
}

TEST_CASE("what cannot be encrypted is refused before anything is") {
  const auto refusal = [](Matrix<double> features, const std::vector<std::size_t>& classes, std::size_t count,
                          std::vector<std::size_t> order, const BitBudget& budget = toy_budget()) {
    return message_of([&] {
      TableEncryptor(toy_keys().public_keys(), budget, 5, std::move(features), class_targets(classes, count),
                     std::move(order), RandomSource::from_seed(7), {"a", "b", "c", "d", "age"});
    });
  };
  const std::vector<std::size_t> classes = toy_classes();
  const std::vector<std::size_t> order = toy_order();
  Matrix<double> large = toy_features();
  large(6, 4) = -128;
  CHECK(contains(refusal(large, classes, 3, order), "row 7, column 'age' is -128"));
  CHECK(contains(refusal(toy_features(), {0, 1}, 3, order), "7 rows and 2 labels"));
  CHECK(contains(refusal(toy_features(), classes, 2, order), "class number 2"));
  CHECK(contains(refusal(toy_features(), classes, 0, order), "at least one class"));
  CHECK(contains(refusal(toy_features(), classes, 3, {0, 1, 2, 3, 4, 5, 5}), "no permutation"));
  CHECK(contains(refusal(toy_features(), classes, 3, {0, 1, 2, 3, 4, 5, 7}), "no permutation"));
  CHECK(contains(refusal(toy_features(), classes, 3, {0, 1, 2, 3, 4, 5, 6, 6}), "no permutation"));
  CHECK(contains(refusal(Matrix<double>(0, 5), {}, 3, {}), "0 rows"));
  CHECK(contains(refusal(Matrix<double>(7, 0), classes, 3, order), "0 features"));
  CHECK(contains(refusal(toy_features(), classes, 3, order, BitBudget(toy_numbers(), 16, 1024)),
                 "a key of 1024 bits"));

  // A row number must fit a value and its guard bits: at most 2^12 rows at l = 8.
  TableInfo info = toy_table().info();
  info.budget = BitBudget({.value_bits = 8, .fraction_bits = 4, .sigma = 40}, 16, 512);
  info.rows = 4096;
  CHECK_NOTHROW(info.check());
  info.rows = 4097;
  CHECK(contains(message_of([&] { info.check(); }), "allowed are 1 to 4096"));
}
