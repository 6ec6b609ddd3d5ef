// The digit kernels on AVX-512 with integer fused multiply-add (IFMA): eight lanes of 52-bit digits, whole
// numbers in 64-bit words. Compiled for it alone: call nothing here before the processor is known to have it.
//
// One instruction adds the lower, another the upper 52 bits of a digit product to a word. Blocks of ten by
// ten digits are multiplied row by row with the columns in registers, and nothing is carried before the end.
//
// Ranges, with digits in [0, 2^52):
//   columns   Each half of a digit product is below 2^52. A column of N x N digits has at most N lower and N
//             upper halves: it is in [0, 2 N) 2^52, and so is the sum of columns p and N + p. A level of
//             Karatsuba makes middle columns L_p + L_(h+p) + H_p - D_p and L_(h+p) + H_p + H_(h+p) - D_(h+p),
//             of either sign (`product_range`). With all that a reduction adds (`cleared_range`) they stay
//             within 2^11 2^52, so that int64 holds them; carries are shifts with sign.
//   residues  0 <= a, b <= 1.04 m give (a b + q m) / R < (1.04^2 / 32 + 1) m < 1.04 m, since q < R and 32 m <
//             R: no subtraction ever.
// Time depends on sizes alone.
#include "paillier/digit_kernels.h"

#ifdef __AVX512IFMA__

#include "paillier/avx512.h"

namespace smlp {
namespace {

using Integers = __m512i;

constexpr unsigned whole_bits = digit_bits(DigitForm::whole);
constexpr std::size_t block = 10;

Integers zero() {
  return _mm512_setzero_si512();
}
Integers digit_mask() {
  return _mm512_set1_epi64((1LL << whole_bits) - 1);
}
/// Sums plus the lower, or the upper, 52 bits of x y.
Integers add_low(Integers sum, Integers x, Integers y) {
  return _mm512_madd52lo_epu64(sum, x, y);
}
Integers add_high(Integers sum, Integers x, Integers y) {
  return _mm512_madd52hi_epu64(sum, x, y);
}

// ---- ranges ----

struct Range {
  std::int64_t low, high;  // in units of 2^52
  constexpr Range operator+(Range other) const { return {low + other.low, high + other.high}; }
};

/// By measurement: below this the additions cost as much as the products that they save.
constexpr bool by_halves(std::size_t digits, bool square) {
  return digits >= (square ? 60 : 40) && digits % (2 * block) == 0;
}
/// Of a column of a product, and of the sum of columns p and N + p.
constexpr Range product_range(std::size_t digits) {
  if (!by_halves(digits, false)) return {0, static_cast<std::int64_t>(2 * digits)};
  const Range half = product_range(digits / 2);
  return {2 * half.low - half.high, 2 * half.high - half.low + 2};
}
/// Of what `clear` adds to a column, its sums taken as if all met in one.
constexpr Range cleared_range(std::size_t digits) {
  if (!by_halves(digits, false)) return {0, static_cast<std::int64_t>(2 * digits)};
  const Range half = cleared_range(digits / 2) + product_range(digits / 2);
  return half + half;
}
constexpr bool fits(std::size_t digits) {
  const Range range = product_range(digits) + cleared_range(digits) + Range{-1, 1};  // and a carry
  return range.low >= -(1 << 11) && range.high <= 1 << 11;
}

// ---- blocks ----

/// columns[0, 2 block) = or += a b: said for the lower and the upper half of the columns. (Zeros to add to
/// would cost up to an eighth.)
template <bool Lower, bool Upper>
[[gnu::noinline]] void add_block(Integers* columns, const Integers* a, const Integers* b) {
  Integers y[block], sum[2 * block];
  unroll<block>([&](auto j) __attribute__((always_inline)) {
    y[j] = b[j];
    sum[j] = Lower ? columns[j] : zero();
  });
  unroll<block>([&](auto i) __attribute__((always_inline)) {
    const Integers x = a[i];
    sum[block + i] = Upper ? columns[block + i] : zero();
    unroll<block>([&](auto j) __attribute__((always_inline)) { sum[i + j] = add_low(sum[i + j], x, y[j]); });
    unroll<block>([&](auto j)
                      __attribute__((always_inline)) { sum[i + j + 1] = add_high(sum[i + j + 1], x, y[j]); });
    columns[i] = sum[i];
  });
  unroll<block>([&](auto i) __attribute__((always_inline)) { columns[block + i] = sum[block + i]; });
}

/// columns[0, 2 block) = a a, plus twice what the columns hold, where they do: products of other blocks, once
/// each.
template <bool Lower, bool Upper>
[[gnu::noinline]] void add_square(Integers* columns, const Integers* a) {
  Integers x[block], sum[2 * block];
  unroll<block>([&](auto i) __attribute__((always_inline)) {
    x[i] = a[i];
    sum[i] = Lower ? columns[i] : zero();
    sum[block + i] = Upper ? columns[block + i] : zero();
  });
  unroll<block>([&](auto i) __attribute__((always_inline)) {
    constexpr std::size_t later = block - 1 - i;
    unroll<later>([&](auto j) __attribute__((always_inline)) {
      sum[2 * i + 1 + j] = add_low(sum[2 * i + 1 + j], x[i], x[i + 1 + j]);
    });
    unroll<later>([&](auto j) __attribute__((always_inline)) {
      sum[2 * i + 2 + j] = add_high(sum[2 * i + 2 + j], x[i], x[i + 1 + j]);
    });
    columns[2 * i] = add_low(sum[2 * i] + sum[2 * i], x[i], x[i]);
    columns[2 * i + 1] = add_high(sum[2 * i + 1] + sum[2 * i + 1], x[i], x[i]);
  });
}

/// Digits of columns, or of x - y, modulo 2^(52 N); returns the carry.
template <std::size_t N>
[[gnu::always_inline]] inline Integers normalise(Integers* digits, const Integers* columns) {
  Integers carry = zero();
  for (std::size_t p = 0; p < N; ++p) {
    const Integers sum = columns[p] + carry;
    digits[p] = sum & digit_mask();
    carry = sum >> whole_bits;
  }
  return carry;
}
template <std::size_t N>
[[gnu::always_inline]] inline Integers difference(Integers* digits, const Integers* x, const Integers* y) {
  Integers carry = zero();
  for (std::size_t p = 0; p < N; ++p) {
    const Integers sum = x[p] - y[p] + carry;
    digits[p] = sum & digit_mask();
    carry = sum >> whole_bits;
  }
  return carry;
}

// ---- whole numbers ----

/// columns[0, 2 N) = a b, or a a.
template <std::size_t N, bool Square>
[[gnu::noinline]] void product(Integers* columns, const Integers* a, const Integers* b) {
  if constexpr (by_halves(N, Square)) {
    // a b = L + (L + H - (a_0 - a_1) (b_0 - b_1)) 2^(52 h) + H 2^(104 h). A difference is its digits x less
    // 2^(52 h) where it is negative, so its product is that of the digits less others' digits at h.
    constexpr std::size_t h = N / 2;
    Integers x[h], y[h], d[2 * h];
    const Integers x_negative = difference<h>(x, a, a + h);
    const Integers y_negative = Square ? x_negative : difference<h>(y, b, b + h);
    const Integers* const z = Square ? x : y;
    product<h, Square>(d, x, z);
    product<h, Square>(columns, a, b);
    product<h, Square>(columns + N, a + h, b + h);
    for (std::size_t p = 0; p < h; ++p) {
      const Integers middle = columns[h + p] + columns[N + p];
      const Integers of_signs = (x_negative & z[p]) + (y_negative & x[p]);
      columns[h + p] = middle + (columns[p] - d[p]);
      columns[N + p] = middle + of_signs + (columns[N + h + p] - d[h + p]);
    }
    columns[N + h] += x_negative & y_negative;  // less 1 where both are
  } else {
    for (std::size_t i = 0; i < N; i += block) {
      const std::size_t first = Square ? i + block : 0;
      for (std::size_t j = first; j < N; j += block) {
        Integers* const to = columns + i + j;
        if (i == 0 && j == first)
          add_block<false, false>(to, a + i, b + j);
        else if (i == 0 || j + block == N)
          add_block<true, false>(to, a + i, b + j);
        else
          add_block<true, true>(to, a + i, b + j);
      }
    }
    if constexpr (Square) {
      add_square<false, true>(columns, a);
      for (std::size_t i = block; i + block < N; i += block) add_square<true, true>(columns + 2 * i, a + i);
      add_square<true, false>(columns + 2 * (N - block), a + N - block);
    }
  }
}

/// columns[0, 2 N) += a b.
template <std::size_t N>
[[gnu::always_inline]] inline void add_product(Integers* columns, const Integers* a, const Integers* b) {
  if constexpr (by_halves(N, false)) {
    Integers sum[2 * N];
    product<N, false>(sum, a, b);
    for (std::size_t p = 0; p < 2 * N; ++p) columns[p] += sum[p];
  } else {
    for (std::size_t i = 0; i < N; i += block)
      for (std::size_t j = 0; j < N; j += block) add_block<true, true>(columns + i + j, a + i, b + j);
  }
}

// ---- Montgomery reduction ----

/// What a modulus needs: its digits and the lowest ones of -1/m, the same in every lane.
struct Modulus {
  const Integers* digits;
  const Integers* negative_inverse;
};

/// Adds q m to columns[0, 2 block) of one block so that its lower half stands for zero, with the carry in
/// columns[block]; the lower half itself is left as it was.
[[gnu::noinline]] void clear_block(const Modulus& m, Integers* columns, Integers* q) {
  Integers t[block], low[block], sum[block + 1];
  const Integers carry = normalise<block>(t, columns);
  unroll<block>([&](auto i) __attribute__((always_inline)) { low[i] = zero(); });
  unroll<block>([&](auto i) __attribute__((always_inline)) {
    unroll<block - i>([&](auto j) __attribute__((always_inline)) {
      low[i + j] = add_low(low[i + j], t[i], m.negative_inverse[j]);
    });
    unroll<block - 1 - i>([&](auto j) __attribute__((always_inline)) {
      low[i + j + 1] = add_high(low[i + j + 1], t[i], m.negative_inverse[j]);
    });
  });
  normalise<block>(q, low);
  // t + q m vanishes modulo 2^(52 block), and what is below column block - 1 adds at most 2 block + 1 to it:
  // that column alone, rounded up, gives the carry.
  sum[0] = t[block - 1];
  unroll<block>([&](auto i) __attribute__((always_inline)) { sum[1 + i] = columns[block + i]; });
  unroll<block>([&](auto i) __attribute__((always_inline)) {
    unroll<i + 1>([&](auto j) __attribute__((always_inline)) {
      sum[j] = add_low(sum[j], q[i], m.digits[block - 1 - i + j]);
    });
    constexpr std::size_t first = i == block - 1 ? 0 : block - 2 - i;
    unroll<block - first>([&](auto j) __attribute__((always_inline)) {
      constexpr std::size_t column = i + first + j + 1 - (block - 1);
      sum[column] = add_high(sum[column], q[i], m.digits[first + j]);
    });
  });
  sum[1] += carry + ((sum[0] + digit_mask()) >> whole_bits);
  unroll<block>([&](auto i) __attribute__((always_inline)) { columns[block + i] = sum[1 + i]; });
}

/// Adds a multiple q m of the first N digits of m to columns[0, 2 N) such that the lower half stands for
/// zero.
template <std::size_t N>
[[gnu::always_inline]] inline void clear(const Modulus& m, Integers* columns, Integers* q) {
  constexpr std::size_t part = by_halves(N, false) ? N / 2 : block;
  for (std::size_t i = 0; i < N; i += part) {
    if constexpr (part == block)
      clear_block(m, columns + i, q + i);
    else
      clear<part>(m, columns + i, q + i);
    for (std::size_t j = part; j < N; j += part) add_product<part>(columns + i + j, q + i, m.digits + j);
  }
}

// ---- what leaves this file ----

template <std::size_t N, bool Square>
void modular_product(Word* out, const Word* a, const Word* b, const Word* modulus) {
  static_assert(fits(N));
  Integers columns[2 * N], q[N];
  product<N, Square>(columns, reinterpret_cast<const Integers*>(a), reinterpret_cast<const Integers*>(b));
  const auto* const m = reinterpret_cast<const Integers*>(modulus);
  clear<N>(Modulus{m, m + N}, columns, q);
  normalise<N>(reinterpret_cast<Integers*>(out), columns + N);
}

template <std::size_t N>
constexpr DigitKernel kernel() {
  return {DigitForm::whole,
          Avx512::lanes,
          N,
          block,
          modular_product<N, false>,
          [](Word* out, const Word* a, const Word* m) { modular_product<N, true>(out, a, a, m); },
          Moves<Avx512, N>::gather,
          Moves<Avx512, N>::scatter,
          Moves<Avx512, N>::template select<block>};
}

constexpr DigitKernel kernels[] = {kernel<20>(), kernel<30>(),  kernel<40>(), kernel<60>(),
                                   kernel<80>(), kernel<120>(), kernel<160>()};

}  // namespace

const DigitKernel* avx512_ifma_kernel(std::size_t bits) {
  return __builtin_cpu_supports("avx512ifma") ? smallest(kernels, bits) : nullptr;
}

}  // namespace smlp

#else

namespace smlp {

const DigitKernel* avx512_ifma_kernel(std::size_t) {
  return nullptr;
}

}  // namespace smlp

#endif
