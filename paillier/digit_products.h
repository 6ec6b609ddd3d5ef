// Modular products of many residues at once on the floating-point units: the code of all instruction sets.
//
// A residue is sum_i d_i 2^(49 i) with balanced integer digits d_i held in doubles, one residue a lane. Two
// fused multiply-adds split a digit product exactly: h = x y + C1 is rounded to a multiple of 2^49, l = x y -
// (h - C1) + 3/2 2^52. Read as integers, the bits of h and l are constants plus the two parts, so columns are
// sums of 64-bit integers. In a chain h runs on through the addend of the next product and the l are added up
// as doubles.
//
// Ranges, with balanced digits |d| <= 2^48:
//   chains    |sum x y| <= 2^100 keeps h in one binade; at most 7 products keep l in one.
//             Plain blocks of 7 or 8 digits: digits 2^48, the last up to 3 2^48 + 1 (a normalised difference
//             of differences): chains of 7. Differences at the lowest level: digits 2^49, the last up to
//             2^50: chains of 2, and of 1 in squares, where one factor is doubled.
//   columns   below 2^60 in size at every level; the offset 2^61 of a normalisation keeps them positive.
//   residues  |a|, |b| <= m give |a b / R| + |q m / R| <= 0.54 m, and 0.51 m give 0.51 m, since R >= 32 m: no
//             subtraction ever.
// Needs rounding to nearest and no value-changing compiler option. Time depends on sizes alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "paillier/digit_moves.h"

namespace smlp {
namespace {

constexpr unsigned balanced_bits = digit_bits(DigitForm::balanced);
constexpr std::uint64_t digit_mask = (std::uint64_t{1} << balanced_bits) - 1;
constexpr std::uint64_t half_digit = std::uint64_t{1} << (balanced_bits - 1);
constexpr std::uint64_t column_offset = std::uint64_t{1} << 61;
constexpr std::uint64_t carry_offset = column_offset >> balanced_bits;

constexpr double low_anchor = 0x1.8p52;
constexpr double high_anchor = 0x1.8p101;                       // C1
constexpr std::uint64_t low_anchor_bits = 0x4338000000000000;   // the bits of low_anchor
constexpr std::uint64_t high_anchor_bits = 0x4648000000000000;  // the bits of high_anchor
constexpr std::uint64_t two_52_bits = 0x4330000000000000;       // the bits of 2^52

/// The products of one instruction set V (its vectors and their operations) for numbers of whole blocks:
/// `block` digits are multiplied column by column.
template <class V, std::size_t block>
struct Digits {
  using Doubles = typename V::Doubles;
  using Integers = typename V::Integers;

  static constexpr std::size_t longest_chain = 7;

  // ---- one block: columns of block x block digit products ----

  static constexpr std::size_t first_term(std::size_t column) {
    return column < block ? 0 : column - (block - 1);
  }
  static constexpr std::size_t end_term(std::size_t column) { return column < block ? column + 1 : block; }
  /// What the anchors of a column's chains add up to: low parts in the column, high parts in the next.
  static constexpr std::uint64_t chains(std::size_t column, std::size_t chain, bool square) {
    if (column >= 2 * block - 1) return 0;
    std::size_t terms = end_term(column) - first_term(column);
    if (square) terms = (terms + 1) / 2;
    return (terms + chain - 1) / chain;
  }

  /// Adds sum_i x_i y_(Column - i) to `low` (this column) and `high` (the next), anchors included. In a
  /// square (x = 2 y) each pair stands for both orders and the middle one is halved.
  template <std::size_t Column, std::size_t Chain, bool Square>
  [[gnu::always_inline]] static void column(const Doubles* x, const Doubles* y, Integers& low,
                                            Integers& high) {
    constexpr std::size_t first = first_term(Column);
    constexpr std::size_t all = end_term(Column) - first;
    constexpr std::size_t terms = Square ? (all + 1) / 2 : all;
    Doubles h = V::broadcast(0.0), l = h;
    unroll<terms>([&](auto t) __attribute__((always_inline)) {
      constexpr std::size_t i = first + t, j = Column - i;
      const Doubles u = Square && i == j ? y[i] : x[i];
      if constexpr (t % Chain == 0) {
        h = V::fma(u, y[j], V::broadcast(high_anchor));
        l = V::fma(u, y[j], V::subtract(V::broadcast(high_anchor + low_anchor), h));
      } else {
        const Doubles next = V::fma(u, y[j], h);
        l = V::add(l, V::fma(u, y[j], V::subtract(h, next)));
        h = next;
      }
      if constexpr (t % Chain == Chain - 1 || t + 1 == terms) {
        low = V::add(low, V::bits(l));
        high = V::add(high, V::bits(h));
      }
    });
  }

  static constexpr std::uint64_t anchors(std::size_t column, std::size_t chain, bool square) {
    return chains(column, chain, square) * low_anchor_bits +
           (column == 0 ? 0 : chains(column - 1, chain, square) * high_anchor_bits);
  }

  /// columns[0, 2 block) = or += x y, for blocks x and y.
  template <std::size_t Chain, bool Square, bool Accumulate>
  [[gnu::always_inline]] static void block_product(Integers* columns, const Doubles* a, const Doubles* b) {
    Doubles x[block], y[block];
    unroll<block>([&](auto i) __attribute__((always_inline)) {
      y[i] = b[i];
      x[i] = Square ? V::add(b[i], b[i]) : a[i];
    });
    Integers low = V::broadcast(0 - anchors(0, Chain, Square));
    if constexpr (Accumulate) low = V::add(low, columns[0]);
    unroll<2 * block - 1>([&](auto p) __attribute__((always_inline)) {
      Integers high = V::broadcast(0 - anchors(p + 1, Chain, Square));
      if constexpr (Accumulate) high = V::add(high, columns[p + 1]);
      column<p, Chain, Square>(x, y, low, high);
      columns[p] = low;
      low = high;
    });
    columns[2 * block - 1] = low;
  }

  // ---- carries ----

  /// The lowest 49 bits, less half a digit.
  static Doubles balanced_digit(Integers u) {
    return V::subtract(V::doubles(V::both_or(u, V::broadcast(digit_mask), V::broadcast(two_52_bits))),
                       V::broadcast(0x1p52 + static_cast<double>(half_digit)));
  }

  /// Balanced digits of columns; the carry that goes in and the one that comes out are plus carry_offset.
  template <std::size_t N>
  [[gnu::always_inline]] static Integers normalise(const Integers* columns, Doubles* digits, Integers carry) {
    const Integers offset = V::broadcast(column_offset + half_digit - carry_offset);
    for (std::size_t p = 0; p < N; ++p) {
      const Integers u = V::add(V::add(columns[p], offset), carry);
      carry = V::template shift_right<balanced_bits>(u);
      digits[p] = balanced_digit(u);
    }
    return carry;
  }
  static Integers no_carry() { return V::broadcast(carry_offset); }

  /// Balanced digits of x - y; the last digit keeps what is left.
  template <std::size_t N>
  [[gnu::always_inline]] static void normalised_difference(Doubles* out, const Doubles* x, const Doubles* y) {
    const Integers offset = V::broadcast(column_offset + half_digit - carry_offset - low_anchor_bits);
    const Doubles anchor = V::broadcast(low_anchor);
    Integers carry = no_carry();
    for (std::size_t p = 0; p + 1 < N; ++p) {
      const Integers u = V::add(V::add(V::bits(V::add(V::subtract(x[p], y[p]), anchor)), offset), carry);
      carry = V::template shift_right<balanced_bits>(u);
      out[p] = balanced_digit(u);
    }
    const Integers last = V::bits(V::add(V::subtract(x[N - 1], y[N - 1]), anchor));
    out[N - 1] = V::subtract(V::doubles(V::add(last, V::subtract(carry, no_carry()))), anchor);
  }
  template <std::size_t N>
  [[gnu::always_inline]] static void difference(Doubles* out, const Doubles* x, const Doubles* y) {
    for (std::size_t i = 0; i < N; ++i) out[i] = V::subtract(x[i], y[i]);
  }

  // ---- whole numbers: Karatsuba over halves and thirds ----

  /// columns[0, 2 N) = a b, or a a. Difference: a and b are lowest-level differences.
  template <std::size_t N, bool Square, bool Difference = false>
  [[gnu::noinline]] static void product(Integers* columns, const Doubles* a, const Doubles* b) {
    if constexpr (N == block) {
      block_product<Difference ? (Square ? 1 : 2) : longest_chain, Square, false>(columns, a, b);
    } else if constexpr (N == 168) {  // four products: a third level of differences would leave the ranges
      constexpr std::size_t half = N / 2;
      Integers cross[2 * half];
      product<half, Square>(columns, a, b);
      product<half, Square>(columns + N, a + half, b + half);
      product<half, false>(cross, a, b + half);
      if constexpr (Square) {
        for (std::size_t p = 0; p < N; ++p) cross[p] = V::add(cross[p], cross[p]);
      } else {
        for (std::size_t p = 0; p < N; ++p) columns[half + p] = V::add(columns[half + p], cross[p]);
        product<half, false>(cross, a + half, b);
      }
      for (std::size_t p = 0; p < N; ++p) columns[half + p] = V::add(columns[half + p], cross[p]);
    } else if constexpr (N % (2 * block) == 0) {
      constexpr std::size_t half = N / 2;
      Doubles x[half], y[half];
      Integers d[2 * half];
      normalised_difference<half>(x, a, a + half);
      if constexpr (!Square) normalised_difference<half>(y, b, b + half);
      product<half, Square>(d, x, Square ? x : y);
      product<half, Square>(columns, a, b);
      product<half, Square>(columns + N, a + half, b + half);
      for (std::size_t p = 0; p < half; ++p) {
        const Integers middle = V::add(columns[half + p], columns[N + p]);
        columns[half + p] = V::subtract(V::add(middle, columns[p]), d[p]);
        columns[N + p] = V::subtract(V::add(middle, columns[N + half + p]), d[half + p]);
      }
    } else {
      constexpr std::size_t third = N / 3;
      Doubles x[3][third], y[3][third];
      Integers d[3][2 * third];
      constexpr std::size_t pairs[3][2] = {{0, 1}, {0, 2}, {1, 2}};
      for (std::size_t k = 0; k < 3; ++k) {
        const std::size_t i = pairs[k][0] * third, j = pairs[k][1] * third;
        if constexpr (third == block) {
          difference<third>(x[k], a + i, a + j);
          if constexpr (!Square) difference<third>(y[k], b + i, b + j);
        } else {
          normalised_difference<third>(x[k], a + i, a + j);
          if constexpr (!Square) normalised_difference<third>(y[k], b + i, b + j);
        }
        product<third, Square, third == block>(d[k], x[k], Square ? x[k] : y[k]);
        product<third, Square>(columns + 2 * third * k, a + third * k, b + third * k);
      }
      for (std::size_t p = 0; p < third; ++p) {
        Integers* c = columns + p;
        const Integers l0 = c[0], h0 = c[third], l1 = c[2 * third], h1 = c[3 * third], l2 = c[4 * third],
                       h2 = c[5 * third];
        const Integers l01 = V::add(l0, l1), h01 = V::add(h0, h1), l12 = V::add(l1, l2), h12 = V::add(h1, h2);
        c[third] = V::add(h0, V::subtract(l01, d[0][p]));
        c[2 * third] = V::add(V::subtract(h01, d[0][third + p]), V::subtract(V::add(l01, l2), d[1][p]));
        c[3 * third] = V::add(V::subtract(V::add(h01, h2), d[1][third + p]), V::subtract(l12, d[2][p]));
        c[4 * third] = V::add(V::subtract(h12, d[2][third + p]), l2);
      }
    }
  }

  // ---- Montgomery reduction ----

  /// What a modulus needs: its digits and the digits of -1/m mod 2^(49 block), the same in every lane.
  struct Modulus {
    const Doubles* digits;
    const Doubles* negative_inverse;
  };

  /// Adds q m 2^(49 i) to columns[0, 2 block) of one block so that its lower half vanishes, and the carry
  /// to columns[block]; q's digits go to `q`.
  [[gnu::always_inline]] static void reduce_block(const Modulus& m, Integers* columns, Doubles* q) {
    Doubles t[block];
    const Integers carry_in = normalise<block>(columns, t, no_carry());
    Integers low[block + 1];
    Integers sum = V::broadcast(0 - anchors(0, longest_chain, false));
    unroll<block>([&](auto p) __attribute__((always_inline)) {
      Integers next = V::broadcast(0 - anchors(p + 1, longest_chain, false));
      column<p, longest_chain, false>(t, m.negative_inverse, sum, next);
      low[p] = sum;
      sum = next;
    });
    normalise<block>(low, q, no_carry());
    // The columns below cannot move the rounding of column block - 1, so the exact carry follows from it
    // alone.
    Integers ignored = V::broadcast(std::uint64_t{0});
    Integers last = V::broadcast(0 - anchors(block - 1, longest_chain, false));
    column<block - 2, longest_chain, false>(q, m.digits, ignored, last);
    Integers high = V::broadcast(0 - anchors(block, longest_chain, false));
    column<block - 1, longest_chain, false>(q, m.digits, last, high);
    const Doubles t_last = V::add(t[block - 1], V::broadcast(low_anchor));
    const Integers u =
        V::add(V::add(last, V::bits(t_last)), V::broadcast(column_offset + half_digit - low_anchor_bits));
    const Integers carry = V::add(V::template shift_right<balanced_bits>(u), carry_in);
    high = V::add(V::add(high, columns[block]), V::subtract(carry, V::broadcast(2 * carry_offset)));
    unroll<block - 1>([&](auto p) __attribute__((always_inline)) {
      Integers next =
          V::add(columns[block + p + 1], V::broadcast(0 - anchors(block + p + 1, longest_chain, false)));
      column<block + p, longest_chain, false>(q, m.digits, high, next);
      columns[block + p] = high;
      high = next;
    });
    columns[2 * block - 1] = high;
  }

  /// Adds a multiple q m of the first N digits of m to columns[0, 2 N) such that the lower half vanishes.
  template <std::size_t N>
  [[gnu::noinline]] static void reduce(const Modulus& m, Integers* columns, Doubles* q) {
    if constexpr (N <= 3 * block) {
      for (std::size_t i = 0; i < N; i += block) {
        reduce_block(m, columns + i, q + i);
        for (std::size_t j = block; j < N; j += block)
          block_product<longest_chain, false, true>(columns + i + j, q + i, m.digits + j);
      }
    } else {
      constexpr std::size_t parts = N % 2 == 0 ? 2 : 3, part = N / parts;
      Integers c[2 * part];
      for (std::size_t i = 0; i < N; i += part) {
        reduce<part>(m, columns + i, q + i);
        for (std::size_t j = part; j < N; j += part) {
          product<part, false>(c, q + i, m.digits + j);
          for (std::size_t p = 0; p < 2 * part; ++p) columns[i + j + p] = V::add(columns[i + j + p], c[p]);
        }
      }
    }
  }

  // ---- what leaves this file ----

  template <std::size_t N, bool Square>
  static void modular_product(Word* out, const Word* a, const Word* b, const Word* modulus) {
    Integers columns[2 * N];
    Doubles q[N];
    product<N, Square>(columns, reinterpret_cast<const Doubles*>(a), reinterpret_cast<const Doubles*>(b));
    const auto* m = reinterpret_cast<const Doubles*>(modulus);
    reduce<N>(Modulus{m, m + N}, columns, q);
    normalise<N>(columns + N, reinterpret_cast<Doubles*>(out), no_carry());
  }

  template <std::size_t N>
  static constexpr DigitKernel kernel() {
    return {DigitForm::balanced,
            V::lanes,
            N,
            block,
            modular_product<N, false>,
            [](Word* out, const Word* a, const Word* m) { modular_product<N, true>(out, a, a, m); },
            Moves<V, N>::gather,
            Moves<V, N>::scatter,
            Moves<V, N>::template select<block>};
  }
};

template <class V>
const DigitKernel* smallest_kernel(std::size_t bits) {
  using Sevens = Digits<V, 7>;
  static constexpr DigitKernel kernels[] = {
      Sevens::template kernel<21>(),  Digits<V, 8>::template kernel<32>(), Sevens::template kernel<42>(),
      Sevens::template kernel<63>(),  Sevens::template kernel<84>(),       Sevens::template kernel<126>(),
      Sevens::template kernel<168>(),
  };
  return smallest(kernels, bits);
}

}  // namespace
}  // namespace smlp
