// Integer matrix products: in machine words with wide accumulators where the factors allow, one or two words
// a factor, else by NTL.
#include "protocols/integer_product.h"

#include <NTL/mat_ZZ.h>

#include <algorithm>
#include <cstdint>

#include "paillier/error.h"
#include "paillier/parallel.h"

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

namespace {

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;
static_assert(sizeof(long) == 8, "GMP converts to words of 64 bits");

std::size_t longest(const IntegerMatrix& m) {
  std::size_t bits = 0;
  for (const Integer& value : m.cells()) bits = std::max(bits, bit_length(value));
  return bits;
}

std::vector<std::int64_t> words_of(const IntegerMatrix& m) {
  std::vector<std::int64_t> out;
  out.reserve(m.size());
  for (const Integer& value : m.cells()) out.push_back(value.get_si());
  return out;
}

Integer from_wide(Wide value) {
  const UnsignedWide size =
      value < 0 ? 0 - static_cast<UnsignedWide>(value) : static_cast<UnsignedWide>(value);
  const std::uint64_t words[] = {static_cast<std::uint64_t>(size), static_cast<std::uint64_t>(size >> 64)};
  Integer out;
  mpz_import(out.get_mpz_t(), 2, -1, sizeof(std::uint64_t), 0, 0, words);
  return value < 0 ? Integer(-out) : out;
}

// Factors below 2^63, so products below 2^126: their low words and their high words are summed apart, which
// no inner dimension below 2^62 overflows.
IntegerMatrix word_product(const IntegerMatrix& a, const IntegerMatrix& b) {
  const std::vector<std::int64_t> left = words_of(a), right = words_of(b.transposed());
  const std::size_t inner = a.cols(), outputs = b.cols();
  IntegerMatrix out(a.rows(), outputs);
  parallel_for(a.rows(), [&](std::size_t i) {
    for (std::size_t j = 0; j < outputs; ++j) {
      const std::int64_t *x = left.data() + i * inner, *y = right.data() + j * inner;
      Wide low = 0, high = 0;
      for (std::size_t k = 0; k < inner; ++k) {
        const Wide product = static_cast<Wide>(x[k]) * y[k];
        low += static_cast<std::uint64_t>(product);
        high += static_cast<std::int64_t>(product >> 64);
      }
      out(i, j) = (from_wide(high) << 64) + from_wide(low);
    }
  });
  return out;
}

constexpr std::size_t word_bits = 63, low_bits = 62;

/// m = sum_i parts[i] 2^(low_bits i), cells of at most word_bits bits: masked operands have one part or two.
std::vector<IntegerMatrix> parts_of(const IntegerMatrix& m, std::size_t bits) {
  if (bits <= word_bits) return {m};
  IntegerMatrix low(m.rows(), m.cols()), high(m.rows(), m.cols());
  for (std::size_t cell = 0; cell < m.size(); ++cell) {
    high.cells()[cell] = floor_shift(m.cells()[cell], low_bits);
    mpz_fdiv_r_2exp(low.cells()[cell].get_mpz_t(), m.cells()[cell].get_mpz_t(), low_bits);
  }
  return {std::move(low), std::move(high)};
}

}  // namespace

IntegerMatrix integer_product(const IntegerMatrix& a, const IntegerMatrix& b) {
  check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
  const std::size_t a_bits = longest(a), b_bits = longest(b);
  if (std::max(a_bits, b_bits) <= low_bits + word_bits - 1) {
    const std::vector<IntegerMatrix> left = parts_of(a, a_bits), right = parts_of(b, b_bits);
    IntegerMatrix out = word_product(left[0], right[0]);
    for (std::size_t i = 0; i < left.size(); ++i)
      for (std::size_t j = 0; j < right.size(); ++j) {
        if (i + j == 0) continue;
        const IntegerMatrix part = word_product(left[i], right[j]);
        for (std::size_t cell = 0; cell < out.size(); ++cell)
          out.cells()[cell] += part.cells()[cell] << (low_bits * (i + j));
      }
    return out;
  }
  NTL::mat_ZZ product;
  NTL::mul(product, to_ntl(a), to_ntl(b));
  IntegerMatrix out(a.rows(), b.cols());
  for (std::size_t i = 0; i < out.rows(); ++i)
    for (std::size_t j = 0; j < out.cols(); ++j)
      out(i, j) = from_ntl(product[static_cast<long>(i)][static_cast<long>(j)]);
  return out;
}

}  // namespace smlp
