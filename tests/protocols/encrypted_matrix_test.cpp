// Encrypted matrices: every local operation against the same one on plain integers, in both packings.
#include "protocols/encrypted_matrix.h"

#include <doctest/doctest.h>

#include "tests/support/protocol_fixture.h"
#include "tests/support/toy_keys.h"

using namespace smlp;
using namespace smlp::testing;

namespace {

const PaillierPublicKey& key() {
  return toy_keys().public_keys().paillier();
}

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {{1}, {1}},          {{4}, {1}},       {{1}, {4}},          {{2}, {3}},       {{1, 1, 1}, {1, 1}},
      {{3, 2}, {2, 2, 1}}, {{1, 4, 2}, {3}}, {{1, 1, 1}, {2, 1}}, {{2, 1}, {1, 1}}, {{4, 4}, {4, 3}}};
  return all;
}

IntegerMatrix plain(const Layout& layout, std::uint64_t seed) {
  RandomStream random = RandomSource::from_seed(seed).stream({});
  return random_matrix(layout.rows(), layout.cols(), 20, random);
}

}  // namespace

TEST_CASE("layout: balanced on both axes") {
  const Layout layout = balanced_layout(10, 3, 4);
  CHECK(layout.row_groups == std::vector<std::size_t>{4, 3, 3});
  CHECK(layout.col_groups == std::vector<std::size_t>{3});
  CHECK(layout.rows() == 10);
  CHECK(layout.cols() == 3);
  CHECK_FALSE(layout.single());
  CHECK(balanced_layout(3, 2, 1).single());
  CHECK(balanced_layout(1, 1, 4).single());
  CHECK_FALSE(Layout{{1, 1}, {2}}.single());
  CHECK(layout.transposed() == balanced_layout(3, 10, 4));
}

TEST_CASE("packing of a matrix: each ciphertext holds the cells that the layout names") {
  const IntegerMatrix m = matrix_of(3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Layout layout{{2, 1}, {1, 2}};
  // Down: rows {0, 1} of each column, then row 2. Across: of each row column 0, then columns {1, 2}.
  CHECK(pack_columns(m, layout, 8) == std::vector<Integer>{1 + 4 * 256, 2 + 5 * 256, 3 + 6 * 256, 7, 8, 9});
  CHECK(pack_rows(m, layout, 8) == std::vector<Integer>{1, 2 + 3 * 256, 4, 5 + 6 * 256, 7, 8 + 9 * 256});
  for (const Layout& each : layouts()) {
    const IntegerMatrix values = plain(each, 5);
    CHECK(unpack_columns(pack_columns(values, each, 126), each, 126) == values);
    CHECK(unpack_rows(pack_rows(values, each, 126), each, 126) == values);
  }
  CHECK(error_of([&] {
          pack_columns(m, {{2}, {3}}, 8);
        }) == "a matrix of 3 x 3 cells does not fit a layout of 2 x 3");
  CHECK(error_of([&] {
          pack_rows(m, {{3}, {2}}, 8);
        }) == "a matrix of 3 x 3 cells does not fit a layout of 3 x 2");
  CHECK(error_of([&] {
          unpack_columns({1, 2}, layout, 8);
        }) == "an encrypted matrix has 2 ciphertexts down, its layout needs 6");
}

TEST_CASE("encrypted matrix: counts must fit the layout") {
  const Ciphertext one = key().trivial(1);
  CHECK(error_of([&] {
          EncryptedMatrix({{2}, {1}}, {one, one}, {one, one});
        }) == "an encrypted matrix has 2 ciphertexts down, its layout needs 1");
  CHECK(error_of([&] {
          EncryptedMatrix({{2}, {1}}, {one}, {one});
        }) == "an encrypted matrix has 1 ciphertexts across, its layout needs 2");
  CHECK(error_of([&] {
          EncryptedMatrix({{1}, {1}}, {one}, {one});
        }) == "an encrypted matrix has 1 ciphertexts across, its layout needs 0");
}

TEST_CASE("encrypted matrix: encryption, transposition, sums, multiples in every layout [parallel]") {
  TwoParties parties;
  const std::size_t slot_bits = parties.budget().slot_bits();
  for (const Layout& layout : layouts()) {
    CAPTURE(layout.rows());
    CAPTURE(layout.cols());
    const IntegerMatrix a = plain(layout, 6);
    const IntegerMatrix b = plain(layout, 7);
    const EncryptedMatrix x = parties.encrypt(a, layout);
    const EncryptedMatrix y = parties.encrypt(b, layout);
    CHECK(x.rows() == layout.rows());
    CHECK(x.stored_row_packed().empty() == layout.single());
    CHECK(parties.decrypt(x) == a);
    CHECK(parties.decrypt(x.transposed()) == a.transposed());
    CHECK(x.transposed().layout() == layout.transposed());
    CHECK(x.transposed().transposed() == x);
    CHECK(parties.decrypt(trivial_matrix(key(), a, layout, slot_bits)) == a);
    IntegerMatrix sum(a.rows(), a.cols()), difference = sum, minus_three = sum;
    for (std::size_t i = 0; i < a.size(); ++i) {
      sum.cells()[i] = a.cells()[i] + b.cells()[i];
      difference.cells()[i] = a.cells()[i] - b.cells()[i];
      minus_three.cells()[i] = -3 * a.cells()[i];
    }
    CHECK(parties.decrypt(add(key(), x, y)) == sum);
    CHECK(parties.decrypt(subtract(key(), x, y)) == difference);
    CHECK(parties.decrypt(subtract_plain(key(), x, b, slot_bits)) == difference);
    CHECK(parties.decrypt(scale(key(), x, -3)) == minus_three);
    CHECK(parties.decrypt(scale(key(), x, 1)) == a);
    CHECK(parties.decrypt(scale(key(), x, 0)) == IntegerMatrix(a.rows(), a.cols()));
  }
}

TEST_CASE("encrypted matrix: a constant column, dropped and stacked rows in every layout") {
  TwoParties parties;
  for (const Layout& layout : layouts()) {
    const IntegerMatrix a = plain(layout, 8);
    const EncryptedMatrix x = parties.encrypt(a, layout);
    const EncryptedMatrix with_ones = append_constant_column(key(), x, -1024, parties.budget().slot_bits());
    IntegerMatrix wanted(a.rows(), a.cols() + 1, -1024);
    for (std::size_t i = 0; i < a.rows(); ++i)
      for (std::size_t j = 0; j < a.cols(); ++j) wanted(i, j) = a(i, j);
    CHECK(parties.decrypt(with_ones) == wanted);
    CHECK(with_ones.layout().col_groups.back() == 1);
    // The column becomes a row of its own group, which drops again.
    CHECK(parties.decrypt(drop_last_row(with_ones.transposed())) == a.transposed());
    CHECK(drop_last_row(with_ones.transposed()) == x.transposed());

    const Layout below{{1, 2}, layout.col_groups};
    const Layout single_rows{{1, 1}, layout.col_groups};
    const IntegerMatrix b = plain(below, 9);
    const IntegerMatrix c = plain(single_rows, 10);
    IntegerMatrix stacked(a.rows() + b.rows() + c.rows(), a.cols());
    auto next = stacked.cells().begin();
    for (const IntegerMatrix* part : {&a, &b, &c})
      next = std::copy(part->cells().begin(), part->cells().end(), next);
    CHECK(parties.decrypt(stack_rows({x, parties.encrypt(b, below), parties.encrypt(c, single_rows)})) ==
          stacked);
    CHECK(stack_rows({x}) == x);
  }
}

TEST_CASE("encrypted matrix: one packing may be missing, and is missing in all that follows from it") {
  TwoParties parties;
  RandomStream random = RandomSource::from_seed(92).stream({});
  const Layout layout{{1, 3, 1}, {2, 1}};
  const IntegerMatrix a = random_matrix(5, 3, 15, random), b = random_matrix(5, 3, 15, random);
  const EncryptedMatrix x = parties.encrypt(a, layout), y = parties.encrypt(b, layout),
                        row_packed = EncryptedMatrix::partial(layout, {}, x.row_packed()),
                        column_packed = EncryptedMatrix::partial(layout, x.column_packed(), {});
  const std::size_t slot_bits = parties.budget().slot_bits();
  for (const EncryptedMatrix* each : {&row_packed, &column_packed}) {
    const auto half = [&](const EncryptedMatrix& m) {
      return m.stored_column_packed().empty() == each->stored_column_packed().empty() &&
             m.stored_row_packed().empty() == each->stored_row_packed().empty();
    };
    for (const auto& [got, all] :
         {std::pair(add(key(), *each, y), add(key(), x, y)),
          std::pair(subtract(key(), y, *each), subtract(key(), y, x)),
          std::pair(scale(key(), *each, -3), scale(key(), x, -3)),
          std::pair(subtract_plain(key(), *each, b, slot_bits), subtract_plain(key(), x, b, slot_bits)),
          std::pair(row_groups(*each, 1, 2), row_groups(x, 1, 2)),
          std::pair(stack_rows({*each, y}), stack_rows({x, y}))}) {
      CHECK(half(got));
      CHECK(parties.decrypt(got) == parties.decrypt(all));
    }
    CHECK(parties.decrypt(append_constant_column(key(), *each, 7, slot_bits)) ==
          parties.decrypt(append_constant_column(key(), x, 7, slot_bits)));
    CHECK(half(append_constant_column(key(), *each, 7, slot_bits)));
    CHECK(!half(each->transposed()));
    CHECK(each->transposed().transposed() == *each);
    CHECK(parties.decrypt(each->transposed()) == a.transposed());
    CHECK(stack_rows({row_groups(*each, 0, 1), row_groups(*each, 1, 2)}) == *each);
    CHECK(column_groups(*each, 1, 1) == row_groups(each->transposed(), 1, 1).transposed());
    CHECK(column_groups(*each, 0, layout.col_groups.size()) == *each);
  }
  // Cells that have a ciphertext each are in both packings at once.
  const Layout narrow{{1, 3}, {1}};
  const IntegerMatrix column = random_matrix(4, 1, 15, random);
  const EncryptedMatrix cells = parties.encrypt(column, narrow);
  const EncryptedMatrix first = row_groups(EncryptedMatrix::partial(narrow, {}, cells.row_packed()), 0, 1);
  CHECK(first.layout().single());
  CHECK(parties.decrypt(first) == column.first_rows(1));
  CHECK(parties.decrypt(stack_rows({row_groups(cells, 0, 1), row_groups(cells, 1, 1)})) == column);
  CHECK(error_of([&] { row_packed.column_packed(); }) ==
        "a matrix of 5 x 3 cells has no ciphertexts down; ask the selection that made it for both packings");
  CHECK(
      error_of([&] { column_packed.row_packed(); }) ==
      "a matrix of 5 x 3 cells has no ciphertexts across; ask the selection that made it for both packings");
  CHECK(error_of([&] { add(key(), row_packed, column_packed); }) ==
        "an encrypted matrix has 0 ciphertexts down, its layout needs 9");
  CHECK(error_of([&] { EncryptedMatrix(layout, x.column_packed(), {}); }) ==
        "an encrypted matrix has 0 ciphertexts across, its layout needs 10");
  CHECK(error_of([&] { EncryptedMatrix::partial(layout, {}, x.column_packed()); }) ==
        "an encrypted matrix has 9 ciphertexts across, its layout needs 10");
}

TEST_CASE("encrypted matrix: layouts that do not match are refused") {
  TwoParties parties;
  const EncryptedMatrix x = parties.encrypt(matrix_of(2, 2, {1}), {{2}, {2}});
  const EncryptedMatrix y = parties.encrypt(matrix_of(2, 2, {1}), {{1, 1}, {2}});
  const EncryptedMatrix w = parties.encrypt(matrix_of(2, 2, {1}), {{2}, {1, 1}});
  CHECK(error_of([&] { add(key(), x, y); }) ==
        "a sum of matrices of 2 x 2 and 2 x 2 cells: layouts must be the same");
  CHECK(error_of([&] { subtract(key(), x, w); }) ==
        "a difference of matrices of 2 x 2 and 2 x 2 cells: layouts must be the same");
  CHECK(error_of([&] { subtract_plain(key(), x, IntegerMatrix(2, 3), 126); }) ==
        "a matrix of 2 x 3 cells does not fit a layout of 2 x 2");
  CHECK(error_of([&] { drop_last_row(x); }) ==
        "the last row of a matrix can be dropped only where it is a group of its own");
  CHECK(error_of([&] { drop_last_row(parties.encrypt(matrix_of(1, 2, {1}))); }) ==
        "the last row of a matrix can be dropped only where it is a group of its own");
  CHECK(error_of([&] { stack_rows({}); }) == "a stack of no matrices has no shape");
  CHECK(error_of([&] { stack_rows({x, w}); }) == "matrices of different column groups cannot be stacked");
}

TEST_CASE("encrypted matrices: two contents at one place share no randomness") {
  const RandomSource owner = RandomSource::from_seed(90);
  const Draws column_packed(owner, {.kind = 1}), row_packed(owner, {.kind = 2});
  const auto encrypted = [&](long first) {
    return encrypt_matrix(key(), matrix_of(2, 2, {first, 7, 7, 7}), {{2}, {1, 1}}, 126, column_packed,
                          row_packed)
        .local();
  };
  const EncryptedMatrix a = encrypted(5), b = encrypted(6);
  CHECK(a == encrypted(5));
  // With one randomness the quotient would be 1 + (b - a) n: 1 modulo n.
  for (const auto packing : {&EncryptedMatrix::column_packed, &EncryptedMatrix::row_packed})
    for (std::size_t i = 0; i < (a.*packing)().size(); ++i)
      CHECK(Integer(((b.*packing)()[i].residue() - (a.*packing)()[i].residue()) % key().n()) != 0);
}
