// Encrypted matrices in both packings.
#include "protocols/encrypted_matrix.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "paillier/error.h"
#include "paillier/parallel.h"
#include "protocols/opened_arithmetic.h"
#include "protocols/sealed_state.h"

namespace smlp {

namespace {

std::size_t total(const std::vector<std::size_t>& groups) {
  return std::accumulate(groups.begin(), groups.end(), std::size_t{0});
}

void check_count(const char* what, std::size_t got, std::size_t wanted) {
  if (got != wanted)
    throw Error("an encrypted matrix has " + std::to_string(got) + " ciphertexts " + what +
                ", its layout needs " + std::to_string(wanted));
}

std::string shape_text(const EncryptedMatrix& m) {
  return std::to_string(m.rows()) + " x " + std::to_string(m.cols());
}

void check_same_layout(const Layout& a, const Layout& b, const char* operation) {
  if (!(a == b))
    throw Error(std::string(operation) + " of matrices of " + std::to_string(a.rows()) + " x " +
                std::to_string(a.cols()) + " and " + std::to_string(b.rows()) + " x " +
                std::to_string(b.cols()) + " cells: layouts must be the same");
}

void check_shape(const IntegerMatrix& m, const Layout& layout) {
  if (m.rows() != layout.rows() || m.cols() != layout.cols())
    throw Error("a matrix of " + std::to_string(m.rows()) + " x " + std::to_string(m.cols()) +
                " cells does not fit a layout of " + std::to_string(layout.rows()) + " x " +
                std::to_string(layout.cols()));
}

template <typename Operation>
EncryptedMatrix cell_by_cell(const EncryptedMatrix& a, const EncryptedMatrix& b, Operation&& operation) {
  const auto combine = [&](const std::vector<Ciphertext>& x, const std::vector<Ciphertext>& y) {
    std::vector<Ciphertext> out;
    if (x.empty() || y.empty()) return out;
    out.reserve(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) out.push_back(operation(x[i], y[i]));
    return out;
  };
  return EncryptedMatrix::partial(a.layout(), combine(a.stored_column_packed(), b.stored_column_packed()),
                                  combine(a.stored_row_packed(), b.stored_row_packed()));
}

Digest digest_of(const std::vector<Ciphertext>& ciphertexts) {
  Bytes bytes;
  for (const Ciphertext& c : ciphertexts)
    append_little_endian(c.residue(), (bit_length(c.residue()) + 7) / 8, bytes);
  return sha256(bytes);
}

}  // namespace

bool makes_column_packed(const Layout& layout, Packings packings) {
  return !stay_opened(packings) && (packings != Packings::row_packed || layout.single());
}

bool makes_row_packed(const Layout& layout, Packings packings) {
  return !stay_opened(packings) && packings != Packings::column_packed && !layout.single();
}

std::vector<Ciphertext> local(std::span<const FreshCiphertext> fresh) {
  std::vector<Ciphertext> out;
  out.reserve(fresh.size());
  for (const FreshCiphertext& c : fresh) out.push_back(c.local());
  return out;
}

std::size_t Layout::rows() const {
  return total(row_groups);
}
std::size_t Layout::cols() const {
  return total(col_groups);
}

bool Layout::single() const {
  const auto one = [](std::size_t width) { return width == 1; };
  return std::ranges::all_of(row_groups, one) && std::ranges::all_of(col_groups, one);
}

std::vector<std::size_t> groups_with_bias(std::size_t cols, std::size_t slots) {
  std::vector<std::size_t> groups = balanced_groups(cols - 1, slots);
  groups.push_back(1);
  return groups;
}

Layout balanced_layout(std::size_t rows, std::size_t cols, std::size_t slots) {
  return {balanced_groups(rows, slots), balanced_groups(cols, slots)};
}

EncryptedMatrix::EncryptedMatrix(Layout layout, std::vector<Ciphertext> column_packed,
                                 std::vector<Ciphertext> row_packed)
    : layout_(std::move(layout)),
      rows_(layout_.rows()),
      cols_(layout_.cols()),
      column_packed_(std::move(column_packed)),
      row_packed_(std::move(row_packed)) {
  check_count("down", column_packed_.size(), layout_.row_groups.size() * cols_);
  check_count("across", row_packed_.size(), layout_.single() ? 0 : rows_ * layout_.col_groups.size());
}

EncryptedMatrix EncryptedMatrix::partial(Layout layout, std::vector<Ciphertext> column_packed,
                                         std::vector<Ciphertext> row_packed) {
  EncryptedMatrix out;
  out.rows_ = layout.rows();
  out.cols_ = layout.cols();
  const bool without_column_packed = column_packed.empty() && !row_packed.empty(), single = layout.single();
  if (!without_column_packed) check_count("down", column_packed.size(), layout.row_groups.size() * out.cols_);
  if (!row_packed.empty())
    check_count("across", row_packed.size(), single ? 0 : out.rows_ * layout.col_groups.size());
  out.layout_ = std::move(layout);
  out.column_packed_ = std::move(column_packed);
  out.row_packed_ = std::move(row_packed);
  return out;
}

EncryptedMatrix::EncryptedMatrix(Layout layout, OpenedValue value)
    : layout_(std::move(layout)),
      rows_(layout_.rows()),
      cols_(layout_.cols()),
      without_ciphertexts_(true),
      value_(std::make_shared<const OpenedValue>(std::move(value))) {
  const auto rows_of = [](const OpenedTerm& term) {
    std::size_t rows = 0;
    for (const auto& record : term.records) rows += record->rows;
    return rows;
  };
  const bool whole =
      std::ranges::all_of(value_->terms, [&](const auto& term) { return rows_of(term) == rows_; });
  if (!whole || value_->mask.rows() != rows_ || value_->mask.cols() != cols_ ||
      (value_->constant_columns > 0 && value_->constant_columns >= cols_))
    throw Error("an opened matrix of " + shape_text(*this) + " cells needs a mask and records of its shape");
}

const OpenedValue& EncryptedMatrix::value() const {
  if (has_ciphertexts())
    throw Error("a matrix of " + shape_text(*this) +
                " cells is held as ciphertexts and was not opened; open it first");
  if (!value_ || transposed_)
    throw Error("an opened matrix of " + shape_text(*this) + " cells cannot be brought " +
                (transposed_ ? "transposed" : "without its last row"));
  return *value_;
}

OpenedValue opened_value(const EncryptedMatrix& m) {
  const OpenedForm& form = m.opened();
  const bool operand = form.pieces.size() == 1 && form.omitted_rows == 0 && !form.transposed &&
                       form.pieces[0]->sealed && !form.pieces[0]->lasting;
  if (operand) return {{{1, {form.pieces[0]}}}, form.pieces[0]->mask};
  return m.value();
}

const std::vector<Ciphertext>& EncryptedMatrix::ciphertexts(const std::vector<Ciphertext>& cells,
                                                            const char* packing) const {
  if (has_ciphertexts() && cells.empty() && rows_ * cols_ != 0)
    throw Error("a matrix of " + std::to_string(rows_) + " x " + std::to_string(cols_) +
                " cells has no ciphertexts " + packing +
                "; ask the selection that made it for both packings");
  return stored(cells);
}

const std::vector<Ciphertext>& EncryptedMatrix::known_row_packed() const {
  if (layout_.single()) return column_packed_;
  const bool whole = opened_.pieces.size() == 1 && opened_.omitted_rows == 0 && !opened_.transposed;
  return row_packed_.empty() && whole ? opened_.pieces.front()->row_packed.get() : row_packed_;
}

const std::vector<Ciphertext>& EncryptedMatrix::stored(const std::vector<Ciphertext>& cells) const {
  if (!has_ciphertexts())
    throw Error("a matrix of " + std::to_string(rows_) + " x " + std::to_string(cols_) +
                " cells is held opened, without ciphertexts; ask the product that made it for ciphertexts");
  return cells;
}

EncryptedMatrix EncryptedMatrix::transposed() const {
  if (!has_ciphertexts()) {
    EncryptedMatrix out = *this;
    out.layout_ = layout_.transposed();
    std::swap(out.rows_, out.cols_);
    out.transposed_ = !transposed_;
    out.opened_.transposed = !opened_.transposed;
    return out;
  }
  const auto turn = [](const std::vector<Ciphertext>& cells, std::size_t rows, std::size_t cols) {
    std::vector<Ciphertext> out;
    if (cells.empty()) return out;
    out.reserve(cells.size());
    for (std::size_t j = 0; j < cols; ++j)
      for (std::size_t i = 0; i < rows; ++i) out.push_back(cells[i * cols + j]);
    return out;
  };
  std::vector<Ciphertext> column_packed = turn(known_row_packed(), rows_, layout_.col_groups.size());
  std::vector<Ciphertext> row_packed;
  if (!layout_.single()) row_packed = turn(column_packed_, layout_.row_groups.size(), cols_);
  EncryptedMatrix out = partial(layout_.transposed(), std::move(column_packed), std::move(row_packed));
  out.opened_ = {opened_.pieces, opened_.omitted_rows, !opened_.transposed};
  return out;
}

EncryptedMatrix EncryptedMatrix::opened_once(std::shared_ptr<OpenedRows> rows) const {
  if (!rows) rows = std::make_shared<OpenedRows>(rows_);
  if (rows->rows != rows_)
    throw Error("a matrix of " + std::to_string(rows_) + " rows cannot be opened into " +
                std::to_string(rows->rows));
  if (rows->lasting) {
    const Digest digest = digest_of(column_packed());
    if (rows->matrix != Digest{} && rows->matrix != digest)
      throw Error("rows of one matrix that the key holder has opened were given to another");
    rows->matrix = digest;
  }
  EncryptedMatrix out = *this;
  out.opened_ = {{std::move(rows)}, 0, false};
  return out;
}

std::vector<Integer> pack_columns(const IntegerMatrix& m, const Layout& layout, std::size_t slot_bits) {
  check_shape(m, layout);
  std::vector<Integer> out;
  out.reserve(layout.row_groups.size() * m.cols());
  std::size_t first = 0;
  for (const std::size_t width : layout.row_groups) {
    for (std::size_t j = 0; j < m.cols(); ++j) {
      std::vector<Integer> slots(width);
      for (std::size_t i = 0; i < width; ++i) slots[i] = m(first + i, j);
      out.push_back(pack(slots, slot_bits));
    }
    first += width;
  }
  return out;
}

std::vector<Integer> pack_rows(const IntegerMatrix& m, const Layout& layout, std::size_t slot_bits) {
  check_shape(m, layout);
  std::vector<Integer> out;
  out.reserve(m.rows() * layout.col_groups.size());
  for (std::size_t i = 0; i < m.rows(); ++i) {
    std::size_t first = 0;
    for (const std::size_t width : layout.col_groups) {
      std::vector<Integer> slots(width);
      for (std::size_t j = 0; j < width; ++j) slots[j] = m(i, first + j);
      out.push_back(pack(slots, slot_bits));
      first += width;
    }
  }
  return out;
}

IntegerMatrix unpack_columns(const std::vector<Integer>& packed, const Layout& layout,
                             std::size_t slot_bits) {
  IntegerMatrix out(layout.rows(), layout.cols());
  check_count("down", packed.size(), layout.row_groups.size() * out.cols());
  std::size_t first = 0;
  std::size_t next = 0;
  for (const std::size_t width : layout.row_groups) {
    for (std::size_t j = 0; j < out.cols(); ++j) {
      const std::vector<Integer> slots = unpack(packed[next++], width, slot_bits);
      for (std::size_t i = 0; i < width; ++i) out(first + i, j) = slots[i];
    }
    first += width;
  }
  return out;
}

IntegerMatrix unpack_rows(const std::vector<Integer>& packed, const Layout& layout, std::size_t slot_bits) {
  IntegerMatrix out(layout.rows(), layout.cols());
  check_count("across", packed.size(), out.rows() * layout.col_groups.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < out.rows(); ++i) {
    std::size_t first = 0;
    for (const std::size_t width : layout.col_groups) {
      const std::vector<Integer> slots = unpack(packed[next++], width, slot_bits);
      for (std::size_t j = 0; j < width; ++j) out(i, first + j) = slots[j];
      first += width;
    }
  }
  return out;
}

EncryptedMatrix FreshMatrix::local() const {
  return EncryptedMatrix(layout, smlp::local(column_packed), smlp::local(row_packed));
}

std::vector<FreshCiphertext> encrypt_packed(const PaillierPublicKey& key, std::span<const Integer> packed,
                                            const Draws& draws) {
  Bytes content;
  for (const Integer& value : packed) {
    Integer residue;
    mpz_mod(residue.get_mpz_t(), value.get_mpz_t(), key.n().get_mpz_t());
    append_little_endian(residue, key.ciphertext_bytes() / 2, content);
  }
  const Draws own = draws.bound_to(content);
  wipe_memory(content.data(), content.size());
  return key.encrypt(packed, own);
}

FreshMatrix encrypt_matrix(const PaillierPublicKey& key, const IntegerMatrix& m, const Layout& layout,
                           std::size_t slot_bits, const Draws& column_packed, const Draws& row_packed) {
  FreshMatrix out{layout, encrypt_packed(key, pack_columns(m, layout, slot_bits), column_packed), {}};
  if (!layout.single()) out.row_packed = encrypt_packed(key, pack_rows(m, layout, slot_bits), row_packed);
  return out;
}

EncryptedMatrix trivial_matrix(const PaillierPublicKey& key, const IntegerMatrix& m, const Layout& layout,
                               std::size_t slot_bits) {
  const auto trivial = [&](const std::vector<Integer>& packed) {
    std::vector<Ciphertext> out;
    out.reserve(packed.size());
    for (const Integer& value : packed) out.push_back(key.trivial(value));
    return out;
  };
  return EncryptedMatrix(
      layout, trivial(pack_columns(m, layout, slot_bits)),
      layout.single() ? std::vector<Ciphertext>{} : trivial(pack_rows(m, layout, slot_bits)));
}

EncryptedMatrix add(const PaillierPublicKey& key, const EncryptedMatrix& a, const EncryptedMatrix& b) {
  check_same_layout(a.layout(), b.layout(), "a sum");
  if (!a.has_ciphertexts() || !b.has_ciphertexts())
    return EncryptedMatrix(a.layout(), sum(opened_value(a), opened_value(b)));
  return cell_by_cell(a, b, [&](const Ciphertext& x, const Ciphertext& y) { return key.add(x, y); });
}

EncryptedMatrix subtract(const PaillierPublicKey& key, const EncryptedMatrix& a, const EncryptedMatrix& b) {
  check_same_layout(a.layout(), b.layout(), "a difference");
  if (!a.has_ciphertexts() || !b.has_ciphertexts())
    return EncryptedMatrix(a.layout(), sum(opened_value(a), multiple(opened_value(b), -1)));
  const EncryptedMatrix negative = EncryptedMatrix::partial(b.layout(), key.negate(b.stored_column_packed()),
                                                            key.negate(b.stored_row_packed()));
  return add(key, a, negative);
}

EncryptedMatrix subtract_plain(const PaillierPublicKey& key, const EncryptedMatrix& a, const IntegerMatrix& b,
                               std::size_t slot_bits) {
  check_shape(b, a.layout());
  if (!a.has_ciphertexts()) return EncryptedMatrix(a.layout(), less(opened_value(a), b));
  const auto remove = [&](const std::vector<Ciphertext>& cs, const std::vector<Integer>& values) {
    std::vector<Ciphertext> out;
    out.reserve(cs.size());
    for (std::size_t i = 0; i < cs.size(); ++i) out.push_back(key.add_plain(cs[i], -values[i]));
    return out;
  };
  return EncryptedMatrix::partial(a.layout(),
                                  remove(a.stored_column_packed(), pack_columns(b, a.layout(), slot_bits)),
                                  remove(a.stored_row_packed(), pack_rows(b, a.layout(), slot_bits)));
}

EncryptedMatrix scale(const PaillierPublicKey& key, const EncryptedMatrix& a, const Integer& factor) {
  if (!a.has_ciphertexts()) return EncryptedMatrix(a.layout(), multiple(opened_value(a), factor));
  const auto multiply = [&](const std::vector<Ciphertext>& cs) {
    const auto out = key.dot_products(cs, std::vector<Integer>(cs.size(), abs(factor)), 1);
    return factor < 0 ? key.negate(out) : out;
  };
  return EncryptedMatrix::partial(a.layout(), multiply(a.stored_column_packed()),
                                  multiply(a.stored_row_packed()));
}

EncryptedMatrix append_constant_column(const PaillierPublicKey& key, const EncryptedMatrix& m,
                                       const Integer& value, std::size_t slot_bits) {
  Layout layout = m.layout();
  layout.col_groups.push_back(1);
  if (!m.has_ciphertexts()) return EncryptedMatrix(std::move(layout), with_constant(m.value(), value));
  const bool with_column_packed = !m.stored_column_packed().empty();
  const bool with_row_packed = !layout.single() && (m.layout().single() || !m.stored_row_packed().empty());
  std::vector<Ciphertext> column_packed;
  for (std::size_t g = 0; with_column_packed && g < layout.row_groups.size(); ++g) {
    const auto first = m.column_packed().begin() + static_cast<std::ptrdiff_t>(g * m.cols());
    column_packed.insert(column_packed.end(), first, first + static_cast<std::ptrdiff_t>(m.cols()));
    column_packed.push_back(key.trivial(pack(std::vector<Integer>(layout.row_groups[g], value), slot_bits)));
  }
  std::vector<Ciphertext> row_packed;
  if (with_row_packed) {
    const std::size_t groups = m.layout().col_groups.size();
    const Ciphertext constant = key.trivial(value);
    for (std::size_t i = 0; i < m.rows(); ++i) {
      const auto first = m.row_packed().begin() + static_cast<std::ptrdiff_t>(i * groups);
      row_packed.insert(row_packed.end(), first, first + static_cast<std::ptrdiff_t>(groups));
      row_packed.push_back(constant);
    }
  }
  return EncryptedMatrix::partial(std::move(layout), std::move(column_packed), std::move(row_packed));
}

EncryptedMatrix drop_last_row(const EncryptedMatrix& m) {
  Layout layout = m.layout();
  if (layout.row_groups.size() < 2 || layout.row_groups.back() != 1)
    throw Error("the last row of a matrix can be dropped only where it is a group of its own");
  layout.row_groups.pop_back();
  if (!m.has_ciphertexts()) {
    static_cast<void>(m.value());  // an Error where it is transposed
    EncryptedMatrix out = m;
    out.layout_ = std::move(layout);
    out.rows_ = m.rows() - 1;
    out.value_ = nullptr;
    ++out.opened_.omitted_rows;
    return out;
  }
  std::vector<Ciphertext> column_packed(m.column_packed().begin(),
                                        m.column_packed().end() - static_cast<std::ptrdiff_t>(m.cols()));
  std::vector<Ciphertext> row_packed;
  if (!layout.single())
    row_packed.assign(m.row_packed().begin(),
                      m.row_packed().end() - static_cast<std::ptrdiff_t>(layout.col_groups.size()));
  EncryptedMatrix out(std::move(layout), std::move(column_packed), std::move(row_packed));
  if (!m.opened_.transposed) out.opened_ = {m.opened_.pieces, m.opened_.omitted_rows + 1, false};
  return out;
}

EncryptedMatrix row_groups(const EncryptedMatrix& m, std::size_t first, std::size_t count) {
  const std::vector<std::size_t>& groups = m.layout().row_groups;
  if (first > groups.size() || count > groups.size() - first)
    throw Error("row groups " + std::to_string(first) + " to " + std::to_string(first + count) + " of " +
                std::to_string(groups.size()) + " were asked for");
  const auto from = groups.begin() + static_cast<std::ptrdiff_t>(first);
  Layout layout{{from, from + static_cast<std::ptrdiff_t>(count)}, m.layout().col_groups};
  const std::size_t rows_before = std::accumulate(groups.begin(), from, std::size_t{0});
  if (!m.has_ciphertexts()) {
    const std::size_t rows = layout.rows();
    return EncryptedMatrix(std::move(layout), part(m.value(), rows_before, rows));
  }
  const auto cells_of = [](const std::vector<Ciphertext>& all, std::size_t begin, std::size_t size) {
    if (all.empty()) return std::vector<Ciphertext>{};
    const auto start = all.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::vector<Ciphertext>(start, start + static_cast<std::ptrdiff_t>(size));
  };
  std::vector<Ciphertext> column_packed =
      cells_of(m.stored_column_packed(), first * m.cols(), count * m.cols());
  const std::size_t a_row = layout.col_groups.size();
  std::vector<Ciphertext> row_packed =
      cells_of(m.stored_row_packed(), rows_before * a_row, layout.rows() * a_row);
  if (layout.single()) {  // cells in packings of one
    if (column_packed.empty()) column_packed = std::move(row_packed);
    row_packed.clear();
  }
  return EncryptedMatrix::partial(std::move(layout), std::move(column_packed), std::move(row_packed));
}

EncryptedMatrix column_groups(const EncryptedMatrix& m, std::size_t first, std::size_t count) {
  return row_groups(m.transposed(), first, count).transposed();
}

EncryptedMatrix stack_rows(const std::vector<EncryptedMatrix>& parts) {
  if (parts.empty()) throw Error("a stack of no matrices has no shape");
  Layout layout{{}, parts.front().layout().col_groups};
  for (const EncryptedMatrix& part : parts) {
    if (part.layout().col_groups != layout.col_groups)
      throw Error("matrices of different column groups cannot be stacked");
    layout.row_groups.insert(layout.row_groups.end(), part.layout().row_groups.begin(),
                             part.layout().row_groups.end());
  }
  if (std::ranges::none_of(parts, &EncryptedMatrix::has_ciphertexts)) {
    std::vector<const OpenedValue*> values;
    for (const EncryptedMatrix& part : parts) values.push_back(&part.value());
    return EncryptedMatrix(std::move(layout), stacked_values(values));
  }
  std::vector<Ciphertext> column_packed;
  std::vector<Ciphertext> row_packed;
  // A part of single cells has both in `column_packed`.
  const bool with_column_packed =
      std::ranges::none_of(parts, [](const EncryptedMatrix& m) { return m.stored_column_packed().empty(); });
  const bool with_row_packed = !layout.single() && std::ranges::none_of(parts, [](const EncryptedMatrix& m) {
    return m.stored_row_packed().empty() && !m.layout().single();
  });
  for (const EncryptedMatrix& part : parts) {
    if (with_column_packed)
      column_packed.insert(column_packed.end(), part.column_packed().begin(), part.column_packed().end());
    if (with_row_packed)
      row_packed.insert(row_packed.end(), part.row_packed().begin(), part.row_packed().end());
  }
  EncryptedMatrix out =
      EncryptedMatrix::partial(std::move(layout), std::move(column_packed), std::move(row_packed));
  const bool last = std::ranges::all_of(parts, [](const EncryptedMatrix& part) {
    const OpenedForm& form = part.opened();
    return form.pieces.size() == 1 && form.pieces[0]->lasting && form.omitted_rows == 0 && !form.transposed;
  });
  if (last)
    for (const EncryptedMatrix& part : parts) out.opened_.pieces.push_back(part.opened_.pieces[0]);
  return out;
}

}  // namespace smlp
