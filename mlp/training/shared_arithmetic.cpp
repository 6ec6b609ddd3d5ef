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

/// One packing of some rows, from a rank. Throws Error where it is not of `count` ciphertexts.
void append_from(const PaillierPublicKey& key, const std::span<const std::uint8_t> bytes, std::size_t count,
                 std::size_t rank, std::vector<Ciphertext>& out) {
  if (bytes.size() != count * key.ciphertext_bytes())
    throw Error("rank " + std::to_string(rank) + " sent " + std::to_string(bytes.size()) +
                " bytes of a matrix, " + std::to_string(count * key.ciphertext_bytes()) +
                " were expected: all ranks need the same program, options and files");
  const std::vector<Ciphertext> cells = key.decode(bytes, count, "a matrix of another rank");
  out.insert(out.end(), cells.begin(), cells.end());
}

std::vector<EncryptedMatrix> rows_of(const std::vector<SharedMatrix>& matrices) {
  std::vector<EncryptedMatrix> rows;
  rows.reserve(matrices.size());
  for (const SharedMatrix& m : matrices) rows.push_back(m.rows);
  return rows;
}

}  // namespace

template <typename Operation>
SharedMatrix SharedArithmetic::where_rows_are(const Matrix& m, Operation&& operation) {
  if (m.of_batch && m.rows.rows() == 0) return of_batch({});
  return {operation(), m.of_batch};
}

SharedMatrix SharedArithmetic::features(const OperationId& operation, const std::vector<std::size_t>&,
                                        const std::vector<Matrix>& parts) {
  const bool packed = here_.evaluator().budget.slots() != 1;
  row_groups_.assign(ranks_.size(), {});
  std::size_t first_row = 0;
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    std::vector<std::size_t>& groups = row_groups_[rank];
    for (const Matrix& m : part(parts, share_of(parts.size(), rank, ranks_.size())))
      groups.insert(groups.end(), packed ? 1 : m.rows.rows(), packed ? m.rows.rows() : 1);
    if (rank < ranks_.rank()) first_row += sum(groups);
  }
  here_.set_first_row(first_row);
  const std::vector<EncryptedMatrix> mine = rows_of(part(parts, ranks_.share(parts.size())));
  Matrix out = of_batch(mine.empty() ? EncryptedMatrix() : here_.features(operation, {}, mine));
  if (packed)
    out.whole = std::make_shared<const EncryptedMatrix>(here_.with_bias_input(here_.stacked(rows_of(parts))));
  return out;
}

SharedMatrix SharedArithmetic::labels(const OperationId& operation, const std::vector<Matrix>& parts) {
  const std::vector<EncryptedMatrix> mine = rows_of(part(parts, ranks_.share(parts.size())));
  return of_batch(mine.empty() ? EncryptedMatrix() : here_.labels(operation, mine));
}

SharedMatrix SharedArithmetic::open_once(const Matrix& m) {
  Matrix out = where_rows_are(m, [&] { return here_.open_once(m.rows); });
  out.whole = m.whole;
  return out;
}

SharedMatrix SharedArithmetic::product(const OperationId& operation, const Matrix& a, const Matrix& b,
                                       std::size_t halvings, Consumer consumer) {
  return where_rows_are(a, [&] { return here_.product(operation, a.rows, b.rows, halvings, consumer); });
}

EncryptedMatrix SharedArithmetic::whole(const Matrix& m, const std::vector<std::size_t>& col_groups) {
  if (m.whole) return *m.whole;
  const PaillierPublicKey& key = here_.evaluator().paillier();
  Bytes mine;
  if (m.rows.rows() > 0) key.encode_at_rest(m.rows.row_packed(), mine);
  const std::vector<Bytes> all = ranks_.gather(mine);
  Layout layout{{}, col_groups};
  std::vector<Ciphertext> cells;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const std::vector<std::size_t>& groups = row_groups_[rank];
    layout.row_groups.insert(layout.row_groups.end(), groups.begin(), groups.end());
    append_from(key, all[rank], sum(groups) * col_groups.size(), rank, cells);
  }
  if (layout.single()) return EncryptedMatrix(std::move(layout), std::move(cells), {});
  return EncryptedMatrix::partial(std::move(layout), {}, std::move(cells));
}

SharedMatrix SharedArithmetic::velocity(const OperationId& operation, const Matrix& a, const Matrix& b,
                                        const UpdateFactors& factors, const Matrix& previous,
                                        const Matrix& weights) {
  const Layout& layout = weights.rows.layout();
  const EncryptedMatrix inputs = whole(a, layout.row_groups), errors = whole(b, layout.col_groups);
  const auto rows_before = [&](std::size_t group) { return sum(std::span(layout.row_groups).first(group)); };
  const Share mine = ranks_.share(layout.row_groups.size());
  const auto share_rows = [&](const EncryptedMatrix& m) {
    return m.rows() == 0 ? m : row_groups(m, mine.first, mine.count);
  };
  const PaillierPublicKey& key = here_.evaluator().paillier();
  Bytes bytes;
  if (mine.count > 0) {
    const std::size_t first_row = here_.evaluator().first_row;
    here_.set_first_row(rows_before(mine.first));
    const EncryptedMatrix rows = here_.velocity(operation, share_rows(inputs.transposed()), errors, factors,
                                                share_rows(previous.rows), share_rows(weights.rows));
    here_.set_first_row(first_row);
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
    append_from(key, sent.first(middle), columns, rank, column_packed);
    const std::size_t rows = rows_before(share.first + share.count) - rows_before(share.first);
    append_from(key, sent.subspan(middle), layout.single() ? 0 : rows * layout.col_groups.size(), rank,
                row_packed);
  }
  return everywhere(EncryptedMatrix(layout, std::move(column_packed), std::move(row_packed)));
}

std::pair<SharedMatrix, SharedArithmetic::ActivationTape> SharedArithmetic::relu(const OperationId& operation,
                                                                                 const Matrix& z,
                                                                                 Consumer consumer) {
  ActivationTape tape;
  Matrix out = where_rows_are(z, [&] {
    auto [values, state] = here_.relu(operation, z.rows, consumer);
    tape = std::move(state);
    return values;
  });
  return {std::move(out), std::move(tape)};
}

SharedMatrix SharedArithmetic::relu_derivative(const OperationId& operation, const Matrix& delta,
                                               const ActivationTape& tape, Consumer consumer) {
  return where_rows_are(delta, [&] { return here_.relu_derivative(operation, delta.rows, tape, consumer); });
}

SharedMatrix SharedArithmetic::plus_constant(const Matrix& m, double constant) {
  return where_rows_are(m, [&] { return here_.plus_constant(m.rows, constant); });
}

SharedMatrix SharedArithmetic::combination(const OperationId& operation,
                                           const std::vector<std::pair<std::int64_t, Matrix>>& terms,
                                           double constant) {
  return where_rows_are(terms.front().second, [&] {
    std::vector<std::pair<std::int64_t, EncryptedMatrix>> rows;
    for (const auto& [factor, m] : terms) rows.emplace_back(factor, m.rows);
    return here_.combination(operation, rows, constant);
  });
}

SharedMatrix SharedArithmetic::stacked(const std::vector<Matrix>& parts) {
  return where_rows_are(parts.front(), [&] { return here_.stacked(rows_of(parts)); });
}

std::vector<SharedMatrix> SharedArithmetic::unstacked(const Matrix& m, std::size_t parts) {
  if (m.rows.rows() == 0) return std::vector<Matrix>(parts, m);
  std::vector<Matrix> out;
  for (EncryptedMatrix& rows : here_.unstacked(m.rows, parts)) out.push_back({std::move(rows), m.of_batch});
  return out;
}

SharedMatrix SharedArithmetic::with_bias_input(const Matrix& m) {
  return where_rows_are(m, [&] { return here_.with_bias_input(m.rows); });
}

SharedMatrix SharedArithmetic::add(const Matrix& a, const Matrix& b) {
  return where_rows_are(a, [&] { return here_.add(a.rows, b.rows); });
}

SharedMatrix SharedArithmetic::subtract(const Matrix& a, const Matrix& b) {
  return where_rows_are(a, [&] { return here_.subtract(a.rows, b.rows); });
}

void SharedArithmetic::check_weights(std::uint32_t step, const std::vector<Matrix>& weights) {
  if (ranks_.rank() == 0) here_.check_weights(step, rows_of(weights));
}

}  // namespace smlp
