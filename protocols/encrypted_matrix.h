// Encrypted matrices in both packings, and what anybody can compute on them without a secret.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "paillier/paillier.h"
#include "protocols/bit_budget.h"
#include "protocols/matrix.h"
#include "protocols/opened_rows.h"

namespace smlp {

/// How the cells of a matrix share ciphertexts. Groups of rows, and groups of columns, in order; a group is
/// one ciphertext wide.
struct Layout {
  std::vector<std::size_t> row_groups;
  std::vector<std::size_t> col_groups;

  std::size_t rows() const;
  std::size_t cols() const;
  bool operator==(const Layout&) const = default;
  Layout transposed() const { return {col_groups, row_groups}; }
  /// Every group holds one cell: both packings are the same ciphertexts, and `row_packed` is not stored.
  bool single() const;
};

/// Columns of [m | 1] in groups: those of m balanced, the constant one of its own.
std::vector<std::size_t> groups_with_bias(std::size_t cols, std::size_t slots);
/// Balanced groups on both axes.
Layout balanced_layout(std::size_t rows, std::size_t cols, std::size_t slots);

/// Where a matrix stands in a product: a left operand is read from the `column_packed` packing, a right one
/// from `row_packed`.
enum class Side { left, right };

/// Which packings of a result are made: both, or that of a right or of a left operand alone, or none: it
/// stays opened, under a mask for values with guard bits, or of l bits for a product alone (`operand`): what
/// else is added to such a one stays below 2^(l-2), and to its columns of constants too.
enum class Packings { both, row_packed, column_packed, none, operand };
constexpr bool stay_opened(Packings packings) {
  return packings == Packings::none || packings == Packings::operand;
}
/// Where every cell has a ciphertext of its own, `column_packed` is both packings.
bool makes_column_packed(const Layout& layout, Packings packings);
bool makes_row_packed(const Layout& layout, Packings packings);

/// A rows x cols matrix under Paillier, kept in two packings: `column_packed` packs the rows of group g of
/// one column into one ciphertext (row_groups x cols, row-major), `row_packed` packs the columns of group h
/// of one row (rows x col_groups). A left operand of a product is read from `column_packed`, a right one from
/// `row_packed`. With one cell a ciphertext `row_packed` is empty and row_packed() reads `column_packed`. One
/// packing may be missing, where nobody reads it. Or a matrix that the key holder has opened
/// (protocols/opened_values.h), without ciphertexts; transposed, or without its last row, it is an operand
/// alone, of products for which it was opened once. Who asks for ciphertexts that are not there gets an
/// Error.
class EncryptedMatrix {
 public:
  EncryptedMatrix() = default;
  /// Throws Error when the counts do not fit the layout.
  EncryptedMatrix(Layout layout, std::vector<Ciphertext> column_packed, std::vector<Ciphertext> row_packed);
  /// The same, where one packing may be missing.
  static EncryptedMatrix partial(Layout layout, std::vector<Ciphertext> column_packed,
                                 std::vector<Ciphertext> row_packed);
  /// Opened, and no ciphertexts. Throws Error unless each term has records of all rows.
  EncryptedMatrix(Layout layout, OpenedValue value);

  const Layout& layout() const { return layout_; }
  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  bool has_ciphertexts() const { return !without_ciphertexts_; }
  /// What it is without ciphertexts. Error where it has them, or is an operand alone.
  const OpenedValue& value() const;
  const std::vector<Ciphertext>& column_packed() const { return ciphertexts(column_packed_, "down"); }
  /// Also what the key holder has made of rows that it has opened (protocols/matmul/operand.h).
  const std::vector<Ciphertext>& row_packed() const { return ciphertexts(known_row_packed(), "across"); }
  /// The stored forms: empty where the packing is missing, or `column_packed` says it all. Error without
  /// ciphertexts.
  const std::vector<Ciphertext>& stored_column_packed() const { return stored(column_packed_); }
  const std::vector<Ciphertext>& stored_row_packed() const { return stored(row_packed_); }

  EncryptedMatrix transposed() const;
  /// The same ciphertexts; without any, the same opened value.
  bool operator==(const EncryptedMatrix& other) const {
    const auto same = [](const auto& a, const auto& b) { return a && b ? *a == *b : !a && !b; };
    return layout_ == other.layout_ && column_packed_ == other.column_packed_ &&
           row_packed_ == other.row_packed_ && without_ciphertexts_ == other.without_ciphertexts_ &&
           transposed_ == other.transposed_ && same(value_, other.value_);
  }

  /// The same matrix, to be opened by the key holder once in a step (`rows` = nullptr), or into these rows.
  /// Transposing, stacking rows that last and dropping the last row keep that. Throws Error where rows that
  /// last are those of another matrix: its mask would hide two values.
  EncryptedMatrix opened_once(std::shared_ptr<OpenedRows> rows = nullptr) const;
  const OpenedForm& opened() const { return opened_; }

 private:
  friend EncryptedMatrix drop_last_row(const EncryptedMatrix& m);
  friend EncryptedMatrix stack_rows(const std::vector<EncryptedMatrix>& parts);
  const std::vector<Ciphertext>& known_row_packed() const;
  const std::vector<Ciphertext>& stored(const std::vector<Ciphertext>& cells) const;
  const std::vector<Ciphertext>& ciphertexts(const std::vector<Ciphertext>& cells, const char* packing) const;
  Layout layout_;
  std::size_t rows_ = 0;
  std::size_t cols_ = 0;
  std::vector<Ciphertext> column_packed_;
  std::vector<Ciphertext> row_packed_;
  bool without_ciphertexts_ = false, transposed_ = false;  ///< transposed_: of value_
  std::shared_ptr<const OpenedValue> value_;
  OpenedForm opened_;  ///< as an operand
};

/// Of a matrix that the key holder has opened, the result of a protocol or as an operand, which is one term.
/// Throws Error where it has not.
OpenedValue opened_value(const EncryptedMatrix& m);

/// The packed plaintexts of a matrix in each packing, in the order of EncryptedMatrix.
std::vector<Integer> pack_columns(const IntegerMatrix& m, const Layout& layout, std::size_t slot_bits);
std::vector<Integer> pack_rows(const IntegerMatrix& m, const Layout& layout, std::size_t slot_bits);
/// The inverse of pack_columns.
IntegerMatrix unpack_columns(const std::vector<Integer>& packed, const Layout& layout, std::size_t slot_bits);
IntegerMatrix unpack_rows(const std::vector<Integer>& packed, const Layout& layout, std::size_t slot_bits);

/// Fresh ciphertexts for the holder's own use.
std::vector<Ciphertext> local(std::span<const FreshCiphertext> fresh);

/// A matrix under fresh randomness in both packings, as ciphertexts that may leave.
struct FreshMatrix {
  Layout layout;
  std::vector<FreshCiphertext> column_packed;
  std::vector<FreshCiphertext> row_packed;  ///< empty when layout.single()
  EncryptedMatrix local() const;
};

/// Encryptions of packed plaintexts under randomness that follows from `draws` and from the plaintexts: two
/// contents share none, even at one address, and the same content gives the same ciphertexts.
std::vector<FreshCiphertext> encrypt_packed(const PaillierPublicKey& key, std::span<const Integer> packed,
                                            const Draws& draws);

/// By the public key (data owner, evaluator), as encrypt_packed. `column_packed` and `row_packed` must be
/// different addresses.
FreshMatrix encrypt_matrix(const PaillierPublicKey& key, const IntegerMatrix& m, const Layout& layout,
                           std::size_t slot_bits, const Draws& column_packed, const Draws& row_packed);

/// A public matrix as ciphertexts without randomness (local by type).
EncryptedMatrix trivial_matrix(const PaillierPublicKey& key, const IntegerMatrix& m, const Layout& layout,
                               std::size_t slot_bits);

// Local homomorphic operations, on each packing that all operands have; where one has no ciphertexts, on
// opened values. Shapes and layouts must match: Error otherwise.
EncryptedMatrix add(const PaillierPublicKey& key, const EncryptedMatrix& a, const EncryptedMatrix& b);
EncryptedMatrix subtract(const PaillierPublicKey& key, const EncryptedMatrix& a, const EncryptedMatrix& b);
EncryptedMatrix subtract_plain(const PaillierPublicKey& key, const EncryptedMatrix& a, const IntegerMatrix& b,
                               std::size_t slot_bits);
EncryptedMatrix scale(const PaillierPublicKey& key, const EncryptedMatrix& a, const Integer& factor);
/// [m | value .. value]: a constant column in a group of its own (the bias input). No encryption needed.
EncryptedMatrix append_constant_column(const PaillierPublicKey& key, const EncryptedMatrix& m,
                                       const Integer& value, std::size_t slot_bits);
/// Without the last row, which must be a group of its own (the bias row of weights).
EncryptedMatrix drop_last_row(const EncryptedMatrix& m);
/// `count` row groups from `first` on. Throws Error beyond the last.
EncryptedMatrix row_groups(const EncryptedMatrix& m, std::size_t first, std::size_t count);
/// The same of column groups.
EncryptedMatrix column_groups(const EncryptedMatrix& m, std::size_t first, std::size_t count);
/// Row groups stacked on top of each other; column layouts must match.
EncryptedMatrix stack_rows(const std::vector<EncryptedMatrix>& parts);

}  // namespace smlp
