// Integer matrix products by NTL.
#include "protocols/integer_product.h"

#include <NTL/mat_ZZ.h>

#include "paillier/error.h"

namespace smlp {

namespace {

NTL::ZZ to_ntl(const Integer& value) {
  Bytes bytes((bit_length(value) + 7) / 8);
  std::size_t written = 0;
  mpz_export(bytes.data(), &written, -1, 1, -1, 0, value.get_mpz_t());
  NTL::ZZ out = NTL::ZZFromBytes(bytes.data(), static_cast<long>(written));
  return value < 0 ? -out : out;
}

Integer from_ntl(const NTL::ZZ& value) {
  Bytes bytes(static_cast<std::size_t>(NTL::NumBytes(value)));
  NTL::BytesFromZZ(bytes.data(), value, static_cast<long>(bytes.size()));
  Integer out = from_little_endian(bytes);
  return NTL::sign(value) < 0 ? Integer(-out) : out;
}

NTL::mat_ZZ to_ntl(const IntegerMatrix& m) {
  NTL::mat_ZZ out;
  out.SetDims(static_cast<long>(m.rows()), static_cast<long>(m.cols()));
  for (std::size_t i = 0; i < m.rows(); ++i)
    for (std::size_t j = 0; j < m.cols(); ++j)
      out[static_cast<long>(i)][static_cast<long>(j)] = to_ntl(m(i, j));
  return out;
}

}  // namespace

void check_inner_dimensions(std::size_t a_rows, std::size_t a_cols, std::size_t b_rows, std::size_t b_cols) {
  if (a_cols != b_rows)
    throw Error("a product of " + std::to_string(a_rows) + " x " + std::to_string(a_cols) + " and " +
                std::to_string(b_rows) + " x " + std::to_string(b_cols) +
                " matrices: inner dimensions differ");
}

IntegerMatrix integer_product(const IntegerMatrix& a, const IntegerMatrix& b) {
  check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
  NTL::mat_ZZ product;
  NTL::mul(product, to_ntl(a), to_ntl(b));
  IntegerMatrix out(a.rows(), b.cols());
  for (std::size_t i = 0; i < out.rows(); ++i)
    for (std::size_t j = 0; j < out.cols(); ++j)
      out(i, j) = from_ntl(product[static_cast<long>(i)][static_cast<long>(j)]);
  return out;
}

}  // namespace smlp
