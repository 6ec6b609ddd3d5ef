// Integer matrix products: in machine words with wide accumulators where the factors allow, one or two words
// a factor, else by NTL.
#include "protocols/integer_product.h"

#include <NTL/mat_ZZ.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "paillier/error.h"
#include "paillier/fixed_width.h"
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

constexpr std::size_t word_bits = 63, low_bits = 62;

/// Value i as a sum of `parts` signed words, of weights 1 and 2^low_bits: number i of each.
class Words {
 public:
  /// Values are below 2^word_bits in size for one part, 2^(word_bits + low_bits - 1) for two.
  Words(const IntegerMatrix& m, std::size_t bits) : parts_(bits <= word_bits ? 1 : 2) {
    words_.reserve(parts_ * m.size());
    if (parts_ == 1) {
      for (const Integer& value : m.cells()) words_.push_back(value.get_si());
      return;
    }
    words_.resize(2 * m.size());
    for (std::size_t i = 0; i < m.size(); ++i) {
      const std::span<const Limb> limbs = limbs_of(m.cells()[i]);
      UnsignedWide size = 0;
      for (std::size_t k = limbs.size(); k-- > 0;) size = size << limb_bits | limbs[k];
      const auto value = static_cast<Wide>(m.cells()[i] < 0 ? 0 - size : size);
      words_[i] = static_cast<std::int64_t>(value & ((Wide{1} << low_bits) - 1));
      words_[m.size() + i] = static_cast<std::int64_t>(value >> low_bits);
    }
  }
  std::size_t parts() const { return parts_; }
  const std::int64_t* part(std::size_t i) const { return words_.data() + i * words_.size() / parts_; }

 private:
  std::size_t parts_;
  std::vector<std::int64_t> words_;
};

/// A sum of products of words. Factors below 2^63 in size, so products below 2^126: their low words and their
/// high words are summed apart, which no inner dimension below 2^62 overflows.
struct WideSum {
  Wide low = 0, high = 0;
  void add(const std::int64_t* x, const std::int64_t* y, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      const Wide product = static_cast<Wide>(x[k]) * y[k];
      low += static_cast<std::uint64_t>(product);
      high += static_cast<std::int64_t>(product >> 64);
    }
  }
};

/// sum += value 2^shift, modulo 2^(64 limbs of sum).
void add_wide(std::span<Limb> sum, Wide value, std::size_t shift) {
  std::array<Limb, 6> term;
  term.fill(value < 0 ? ~Limb{0} : Limb{0});
  term[0] = static_cast<Limb>(value);
  term[1] = static_cast<Limb>(value >> limb_bits);
  add_shifted(sum, term, shift, mask_of(1));
}

IntegerMatrix word_product(const Words& left, const Words& right, std::size_t rows, std::size_t inner,
                           std::size_t outputs) {
  constexpr std::size_t worth_a_thread = std::size_t{1} << 15;  // products of words
  const std::size_t products = inner * outputs * left.parts() * right.parts();
  IntegerMatrix out(rows, outputs);
  parallel_blocks(rows, 1 + worth_a_thread / std::max<std::size_t>(products, 1),
                  [&](std::size_t first, std::size_t count) {
                    for (std::size_t i = first; i < first + count; ++i)
                      for (std::size_t j = 0; j < outputs; ++j) {
                        std::array<WideSum, 3> sums;  // by weight
                        for (std::size_t p = 0; p < left.parts(); ++p)
                          for (std::size_t q = 0; q < right.parts(); ++q)
                            sums[p + q].add(left.part(p) + i * inner, right.part(q) + j * inner, inner);
                        std::array<Limb, 6> sum{};
                        for (std::size_t weight = 0; weight < sums.size(); ++weight) {
                          add_wide(sum, sums[weight].low, low_bits * weight);
                          add_wide(sum, sums[weight].high, low_bits * weight + limb_bits);
                        }
                        out(i, j) = signed_integer(sum);
                      }
                  });
  return out;
}

}  // namespace

IntegerMatrix integer_product(const IntegerMatrix& a, const IntegerMatrix& b) {
  check_inner_dimensions(a.rows(), a.cols(), b.rows(), b.cols());
  const std::size_t a_bits = longest(a), b_bits = longest(b);
  if (std::max(a_bits, b_bits) <= low_bits + word_bits - 1)
    return word_product({a, a_bits}, {b.transposed(), b_bits}, a.rows(), a.cols(), b.cols());
  NTL::mat_ZZ product;
  NTL::mul(product, to_ntl(a), to_ntl(b));
  IntegerMatrix out(a.rows(), b.cols());
  for (std::size_t i = 0; i < out.rows(); ++i)
    for (std::size_t j = 0; j < out.cols(); ++j)
      out(i, j) = from_ntl(product[static_cast<long>(i)][static_cast<long>(j)]);
  return out;
}

}  // namespace smlp
