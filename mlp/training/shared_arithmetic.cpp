// The arithmetic of matrices that ranks share.
#include "mlp/training/shared_arithmetic.h"

#include <numeric>
#include <span>

#include "paillier/error.h"

namespace smlp {

namespace {

std::size_t sum(std::span<const std::size_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

/// One packing of a part of a matrix, from a rank. Throws Error where it is not of `count` ciphertexts.
std::vector<Ciphertext> cells_from(const PaillierPublicKey& key, const std::span<const std::uint8_t> bytes,
                                   std::size_t count, std::size_t rank) {
  if (bytes.size() != count * key.ciphertext_bytes())
    throw Error("rank " + std::to_string(rank) + " sent " + std::to_string(bytes.size()) +
                " bytes of a matrix, " + std::to_string(count * key.ciphertext_bytes()) +
                " were expected: all ranks need the same program, options and files");
  return key.decode(bytes, count, "a matrix of another rank");
}

void append(const std::vector<Ciphertext>& cells, std::vector<Ciphertext>& out) {
  out.insert(out.end(), cells.begin(), cells.end());
}

/// Appends `lines` lines, of which each part has some cells, the parts side by side.
void append_side_by_side(const std::vector<std::vector<Ciphertext>>& parts, std::size_t lines,
                         std::vector<Ciphertext>& out) {
  for (std::size_t line = 0; line < lines; ++line)
    for (const std::vector<Ciphertext>& cells : parts) {
      const std::size_t a_line = cells.size() / lines;
      const auto first = cells.begin() + static_cast<std::ptrdiff_t>(line * a_line);
      out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(a_line));
    }
}

std::vector<EncryptedMatrix> parts_of(const std::vector<SharedMatrix>& matrices) {
  std::vector<EncryptedMatrix> parts;
  parts.reserve(matrices.size());
  for (const SharedMatrix& m : matrices) parts.push_back(m.part);
  return parts;
}

/// Cells in these groups of these.
std::size_t sum_of(const std::vector<std::size_t>& groups, const Share& share) {
  return sum(std::span(groups).subspan(share.first, share.count));
}

}  // namespace

template <typename Operation>
SharedMatrix SharedArithmetic::where_it_is(const Matrix& m, Operation&& operation) {
  if (m.of_batch && m.part.rows() == 0) return {{}, true, {}, m.col_groups};
  return {operation(), m.of_batch, {}, m.col_groups};
}

template <typename Stack>
SharedMatrix SharedArithmetic::own_rows(const std::vector<Matrix>& parts, Stack&& stack) {
  const std::vector<EncryptedMatrix> mine = parts_of(part(parts, mine_.rows(parts.size())));
  return of_batch(mine.empty() ? EncryptedMatrix() : stack(mine));
}

SharedMatrix SharedArithmetic::features(const OperationId& operation, const std::vector<std::size_t>&,
                                        const std::vector<Matrix>& parts) {
  const bool packed = here_.evaluator().budget.slots() != 1;
  if (!packed && shares_columns())
    throw Error("ranks share columns where every cell has a ciphertext of its own");
  row_groups_.assign(mine_.row_parts(), {});
  first_row_ = 0;
  for (std::size_t row_part = 0; row_part < row_groups_.size(); ++row_part) {
    std::vector<std::size_t>& groups = row_groups_[row_part];
    for (const Matrix& m : part(parts, rank_at(row_part, 0).rows(parts.size())))
      groups.insert(groups.end(), packed ? 1 : m.part.rows(), packed ? m.part.rows() : 1);
    if (row_part < mine_.row_part()) first_row_ += sum(groups);
  }
  Matrix out = own_rows(
      parts, [&](const std::vector<EncryptedMatrix>& mine) { return here_.features(operation, {}, mine); });
  if (packed)
    out.whole =
        std::make_shared<const EncryptedMatrix>(here_.with_bias_input(here_.stacked(parts_of(parts))));
  return out;
}

SharedMatrix SharedArithmetic::labels(const OperationId& operation, std::size_t layer,
                                      const std::vector<Matrix>& parts) {
  Matrix out = own_rows(
      parts, [&](const std::vector<EncryptedMatrix>& mine) { return here_.labels(operation, layer, mine); });
  if (!shares_columns()) return out;
  out.col_groups = parts.front().part.layout().col_groups;
  const Share mine = mine_.cols(out.col_groups.size());
  if (mine.count == 0)
    out.part = {};
  else if (out.part.rows() > 0)
    out.part = column_groups(out.part, mine.first, mine.count);
  return out;
}

SharedMatrix SharedArithmetic::open_once(const Matrix& m) {
  const Matrix rows = all_columns(m);
  Matrix out = where_it_is(rows, [&] { return here_.open_once(rows.part); });
  out.whole = m.whole;
  return out;
}

SharedMatrix SharedArithmetic::product(const OperationId& operation, const Matrix& a, const Matrix& b,
                                       std::size_t halvings, Consumer consumer) {
  const auto product_with = [&](const EncryptedMatrix& right) {
    return here_.product(operation, a.part, right, halvings, consumer);
  };
  if (!shares_columns())
    return where_it_is(
        a, [&] { return here_.in_window({.first_row = first_row_}, [&] { return product_with(b.part); }); });
  const std::vector<std::size_t>& col_groups = b.part.layout().col_groups;
  const Share mine = mine_.cols(col_groups.size());
  Matrix out{{}, true, {}, col_groups};
  if (a.part.rows() == 0 || mine.count == 0) return out;
  out.part = here_.in_window({first_row_, sum_of(col_groups, {0, mine.first}), b.part.cols()},
                             [&] { return product_with(column_groups(b.part, mine.first, mine.count)); });
  return out;
}

SharedMatrix SharedArithmetic::all_columns(const Matrix& m) {
  if (m.col_groups.empty()) return m;
  const PaillierPublicKey& key = here_.evaluator().paillier();
  Bytes bytes;
  if (m.part.rows() > 0) key.encode_at_rest(m.part.column_packed(), bytes);
  const std::vector<Bytes> all = ranks_.gather(bytes);
  const std::size_t row_part = mine_.row_part();
  if (row_part >= row_groups_.size() || row_groups_[row_part].empty()) return of_batch({});
  const std::vector<std::size_t>& groups = row_groups_[row_part];
  std::vector<std::vector<Ciphertext>> parts;
  for (std::size_t column = 0; column < mine_.columns; ++column) {
    const RankOf from = rank_at(row_part, column);
    const std::size_t cols = sum_of(m.col_groups, from.cols(m.col_groups.size()));
    parts.push_back(cells_from(key, all[from.rank], groups.size() * cols, from.rank));
  }
  std::vector<Ciphertext> column_packed;
  append_side_by_side(parts, groups.size(), column_packed);
  return of_batch(EncryptedMatrix::partial({groups, m.col_groups}, std::move(column_packed), {}));
}

EncryptedMatrix SharedArithmetic::whole(const Matrix& m, const std::vector<std::size_t>& col_groups) {
  if (m.whole) return *m.whole;
  // Of several ranks that have the same the last brings it: it has a part of every product.
  const auto brings = [&](const RankOf& rank) {
    if (!m.col_groups.empty()) return rank.cols(col_groups.size()).count;
    return rank.last_column() ? col_groups.size() : 0;
  };
  const PaillierPublicKey& key = here_.evaluator().paillier();
  Bytes bytes;
  if (m.part.rows() > 0 && brings(mine_) > 0) key.encode_at_rest(m.part.row_packed(), bytes);
  const std::vector<Bytes> all = ranks_.gather(bytes);
  Layout layout{{}, col_groups};
  std::vector<Ciphertext> cells;
  for (std::size_t row_part = 0; row_part < row_groups_.size(); ++row_part) {
    const std::vector<std::size_t>& groups = row_groups_[row_part];
    layout.row_groups.insert(layout.row_groups.end(), groups.begin(), groups.end());
    std::vector<std::vector<Ciphertext>> parts;
    for (std::size_t column = 0; column < mine_.columns; ++column) {
      const RankOf from = rank_at(row_part, column);
      parts.push_back(cells_from(key, all[from.rank], sum(groups) * brings(from), from.rank));
    }
    append_side_by_side(parts, sum(groups), cells);
  }
  if (layout.single()) return EncryptedMatrix(std::move(layout), std::move(cells), {});
  return EncryptedMatrix::partial(std::move(layout), {}, std::move(cells));
}

Later<SharedMatrix> SharedArithmetic::velocity(const OperationId& operation, const Matrix& a, const Matrix& b,
                                               const UpdateFactors& factors, const Matrix& previous,
                                               const Matrix& weights) {
  const Layout& layout = weights.part.layout();
  const EncryptedMatrix inputs = whole(a, layout.row_groups), errors = whole(b, layout.col_groups);
  const auto rows_before = [&](std::size_t group) { return sum(std::span(layout.row_groups).first(group)); };
  const Share mine = mine_.of_all(layout.row_groups.size());
  const auto share_rows = [&](const EncryptedMatrix& m) {
    return m.rows() == 0 ? m : row_groups(m, mine.first, mine.count);
  };
  const PaillierPublicKey& key = here_.evaluator().paillier();
  Bytes bytes;
  if (mine.count > 0) {
    const EncryptedMatrix rows = here_.in_window({.first_row = rows_before(mine.first)}, [&] {
      return here_.velocity(operation, share_rows(inputs.transposed()), errors, factors,
                            share_rows(previous.part), share_rows(weights.part))();
    });
    key.encode_at_rest(rows.column_packed(), bytes);
    if (!layout.single()) key.encode_at_rest(rows.row_packed(), bytes);
  }
  const std::vector<Bytes> all = ranks_.gather(bytes);
  std::vector<Ciphertext> column_packed, row_packed;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const Share share = share_of(layout.row_groups.size(), rank, all.size());
    const std::size_t columns = share.count * layout.cols();
    const std::span<const std::uint8_t> sent = all[rank];
    const std::size_t middle = std::min(sent.size(), columns * key.ciphertext_bytes());
    append(cells_from(key, sent.first(middle), columns, rank), column_packed);
    const std::size_t rows = rows_before(share.first + share.count) - rows_before(share.first);
    append(cells_from(key, sent.subspan(middle), layout.single() ? 0 : rows * layout.col_groups.size(), rank),
           row_packed);
  }
  return
      [out = everywhere(EncryptedMatrix(layout, std::move(column_packed), std::move(row_packed)))]() mutable {
        return std::move(out);
      };
}

std::pair<SharedMatrix, SharedArithmetic::ActivationTape> SharedArithmetic::relu(const OperationId& operation,
                                                                                 const Matrix& z,
                                                                                 Consumer consumer) {
  ActivationTape tape;
  Matrix out = where_it_is(z, [&] {
    auto [values, state] = here_.relu(operation, z.part, consumer);
    tape = std::move(state);
    return values;
  });
  return {std::move(out), std::move(tape)};
}

SharedMatrix SharedArithmetic::relu_derivative(const OperationId& operation, const Matrix& delta,
                                               const ActivationTape& tape, Consumer consumer) {
  return where_it_is(delta, [&] { return here_.relu_derivative(operation, delta.part, tape, consumer); });
}

SharedMatrix SharedArithmetic::plus_constant(const Matrix& m, double constant) {
  return where_it_is(m, [&] { return here_.plus_constant(m.part, constant); });
}

SharedMatrix SharedArithmetic::combination(const OperationId& operation,
                                           const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                                           double constant) {
  return where_it_is(terms.front().second, [&] {
    std::vector<std::pair<std::int64_t, EncryptedMatrix>> parts;
    for (const auto& [factor, m] : terms) parts.emplace_back(factor, m.part);
    return here_.combination(operation, parts, constant);
  });
}

SharedMatrix SharedArithmetic::stacked(const std::vector<Matrix>& parts) {
  return where_it_is(parts.front(), [&] { return here_.stacked(parts_of(parts)); });
}

std::vector<SharedMatrix> SharedArithmetic::unstacked(const Matrix& m, std::size_t parts) {
  if (m.part.rows() == 0) return std::vector<Matrix>(parts, m);
  std::vector<Matrix> out;
  for (EncryptedMatrix& one : here_.unstacked(m.part, parts))
    out.push_back({std::move(one), m.of_batch, {}, m.col_groups});
  return out;
}

SharedMatrix SharedArithmetic::with_bias_input(const Matrix& m) {
  const Matrix rows = all_columns(m);
  return where_it_is(rows, [&] { return here_.with_bias_input(rows.part); });
}

SharedMatrix SharedArithmetic::add(const Matrix& a, const Matrix& b) {
  return where_it_is(a, [&] { return here_.add(a.part, b.part); });
}

SharedMatrix SharedArithmetic::subtract(const Matrix& a, const Matrix& b) {
  return where_it_is(a, [&] { return here_.subtract(a.part, b.part); });
}

void SharedArithmetic::check_weights(std::uint32_t step, const std::vector<Matrix>& weights) {
  if (ranks_.rank() == 0) here_.check_weights(step, parts_of(weights));
}

}  // namespace smlp
